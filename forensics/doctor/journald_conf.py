"""Read journald.conf with its drop-ins, and keep the settings that are in effect (journald.conf(5))."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forensics.files import NotReadableError, read_bounded
from forensics.unit_file import LONGEST_FILE, assignments

FOLDERS = (
    "etc/systemd",
    "run/systemd",
    "usr/local/lib/systemd",
    "usr/lib/systemd",
    "lib/systemd",
)  # of two files with one name the first counts
NAME = "journald.conf"


def read_journald_conf(root: Path) -> Mapping[str, str]:
    """Merge the first main file and all drop-ins by their names; an empty value resets a setting to its default."""
    values = {name: value for file in _files(root) for name, value in assignments(_text(file))}
    return {name: value for name, value in values.items() if value}


def _files(root: Path) -> list[Path]:
    main = next((root / folder / NAME for folder in FOLDERS if (root / folder / NAME).is_file()), None)
    drop_ins: dict[str, Path] = {}
    for folder in FOLDERS:
        for file in sorted((root / folder / f"{NAME}.d").glob("*.conf")):
            drop_ins.setdefault(file.name, file)
    return [*([main] if main is not None else []), *(drop_ins[name] for name in sorted(drop_ins))]


def _text(file: Path) -> str:
    """Return a file's text, "" for one that masks another (a link to /dev/null) or cannot be read."""
    try:
        return read_bounded(file, LONGEST_FILE).decode("utf-8", "replace")
    except NotReadableError:
        return ""
