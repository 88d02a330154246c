"""Lead on from a source that is none: to the command that reads a text, to the directory that was meant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from forensics.errors import UsageError
from forensics.journal.directory import PACKED_ENDINGS, files_below
from forensics.query import STREAM

HEAD = 1 << 14  # bytes that are looked at
MOST_SHOWN = 4  # directories that are named
MOST_LOOKED_AT = 2000  # directories
LEVELS = 3  # above and below the one that was named
_FIELD = re.compile(rb"[A-Z0-9_]{1,64}(?:=|\n)")  # how an entry in journalctl's export format begins
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # that no log has; \x1b begins a colour


def is_text(head: bytes) -> bool:
    """Whether the first bytes of a file are text for people, not journalctl's export format or JSON."""
    first = head[:HEAD].lstrip(b" \t\r\n\x1e")
    if not first or first.startswith(b"{") or _FIELD.match(first):
        return False
    try:
        text = first.decode()
    except UnicodeDecodeError as error:
        if error.start < len(first) - 3:  # else the last character is cut
            return False
        text = first[: error.start].decode()
    return _CONTROLS.search(text) is None


def text_error(name: str) -> UsageError:
    """Make the error for a text that was given as a journal. name: of the file, or `stdin`."""
    if name in {str(STREAM), "stdin"}:
        return UsageError("Standard input is text, not a journal; what explains a log: … | tabby-forensics explain")
    return UsageError(f"'{name}' is text, not a journal; what explains a log: tabby-forensics explain '{name}'")


def journals_near(directory: Path) -> list[Path]:
    """List the nearest directories below or above one that hold journal files."""
    return _nearest(directory, lambda path: bool(files_below(path) or files_below(path, PACKED_ENDINGS)))


def _nearest(directory: Path, is_one: Callable[[Path], bool]) -> list[Path]:
    """Look level by level below a directory, then above it."""
    level, left = [directory], MOST_LOOKED_AT
    for _ in range(LEVELS):
        level = [path for above in level for path in _directories(above)][:left]
        left -= len(level)
        if found := [path for path in level if is_one(path)]:
            return found
    return [path for path in directory.absolute().parents[:LEVELS] if is_one(path)][:1]


def _directories(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []


def named(directories: list[Path]) -> str:
    """Name directories that were found instead, as a sentence; empty for none."""
    if not directories:
        return ""
    more = f" or {len(directories) - MOST_SHOWN} more" if len(directories) > MOST_SHOWN else ""
    return f" Did you mean {' or '.join(str(path) for path in directories[:MOST_SHOWN])}{more}?"


def refuse_no_store(path: Path) -> None:
    """Raises UsageError for a directory that is no store, where one is around it or in it: nothing is created in the wrong place."""
    if _is_store(path) or not path.is_dir():
        return
    above = [parent for parent in path.absolute().parents[:LEVELS] if _is_store(parent)]
    below = [child for child in _directories(path) if _is_store(child)]
    if found := above[:1] or below:
        raise UsageError(f"--store: '{path}' is not a store.{named(found)}")


def _is_store(path: Path) -> bool:
    return (path / "schema").is_file() and any(path.glob("v[0-9]*"))
