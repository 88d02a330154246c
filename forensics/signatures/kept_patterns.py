"""Keep what was read from the shipped pattern files for the next start: reading 300 files takes 0.1 s, finding their literals 0.2 s.

One private file in the user's cache directory, of JSON. It counts only for the very files and program that it was made of; one that
cannot be read, or written, is as none.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forensics import files
from forensics.model import signature
from forensics.paths import cache_folder
from forensics.signatures import pattern
from forensics.signatures.pattern import Example, Pattern

LONGEST = 64 << 20  # bytes


def stamp(directory: Path) -> str:
    """Name the state of the pattern files below a directory, and of the program that reads them: files that differ have another stamp."""
    vocabulary, readers = (Path(str(module.__file__)).parent for module in (signature, pattern))
    states = sorted([*_states(directory, ".toml"), *_states(readers, ".py"), *_states(vocabulary, ".py")])
    return hashlib.blake2b("\n".join(states).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def _states(directory: Path | str, suffix: str) -> Iterator[str]:
    with os.scandir(directory) as found:
        for entry in found:
            if entry.name.endswith(suffix):
                status = entry.stat()
                yield f"{entry.path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns} {status.st_ino}"
            elif entry.is_dir():
                yield from _states(entry.path, suffix)


def read(stamped: str, directory: Path) -> tuple[Pattern, ...] | None:
    """Return the patterns kept under this stamp; null where there are none."""
    with suppress(OSError, RuntimeError, ValueError, KeyError, TypeError, files.NotReadableError):
        file = cache_folder() / "patterns.json"
        if not _is_ours(file):
            return None
        first, _, rest = files.read_bounded(file, LONGEST).partition(b"\n")
        return tuple(_pattern(of_file, directory) for of_file in json.loads(rest)) if first == stamped.encode() else None
    return None


def write(stamped: str, patterns: Sequence[Pattern], directory: Path) -> None:
    """Keep patterns under this stamp, instead of all others."""
    with suppress(OSError, RuntimeError):
        folder = cache_folder()
        if not _is_ours(next(parent for parent in folder.parents if parent.exists())):
            return  # as root in another user's home, whose directories then would be root's
        files.make_private_directory(folder)
        rows = [asdict(each) | {"file": str(each.file.relative_to(directory))} for each in patterns]
        content = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        files.write_atomically(folder / "patterns.json", f"{stamped}\n{content}", mode=files.PRIVATE_FILE)


def _is_ours(path: Path) -> bool:
    status = path.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _pattern(row: dict[str, Any], directory: Path) -> Pattern:
    fields = {name: _frozen(value) for name, value in row.items() if not name.endswith("examples")}
    fields["signature"] = signature.Signature(**fields["signature"])
    fields["file"] = directory / fields["file"]
    for kind in ("examples", "counterexamples"):
        fields[kind] = tuple(Example(**example) for example in row[kind])
    return Pattern(**fields)


def _frozen(value: Any) -> Any:
    """Make tuples of JSON's lists, also within others; of a dict, in its values."""
    if isinstance(value, list):
        return tuple(value) if value and isinstance(value[0], str) else tuple(map(_frozen, value))
    return {name: _frozen(part) for name, part in value.items()} if isinstance(value, dict) else value
