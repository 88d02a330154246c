"""Read config.toml: the defaults of options, the user's before those of the host, each mistake with its line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forensics.cli.comparing import PREVIOUS
from forensics.errors import UsageError
from forensics.paths import config_files
from forensics.timespec import parse_time
from forensics.toml_file import Mistake, Table, UnreadableError, format_mistakes, read_toml

REPORT_FORMATS = ("term", "html", "md", "json")
WITH_ITS_WINDOW = ("incidents", "show")  # they read the same history as `report`, so that a number means the same incident in each
WINDOW = ("since", "unit", "journal-dir")
Read = Callable[[Table, str], Any]


def read_defaults(files: Iterable[Path] | None = None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the defaults of all commands and of `report`, by the names of their options; of two files the later one counts.

    Raises UsageError with every mistake of all files.
    """
    common: dict[str, Any] = {}
    report: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for file in config_files() if files is None else files:
        if not os.path.lexists(file):
            continue
        try:
            table = read_toml(file)
        except UnreadableError as error:
            mistakes.append(error.mistake)
            continue
        of_report = table.table("report")
        table.refuse_unknown_keys((*COMMON, "report"))
        of_report.refuse_unknown_keys(REPORT)
        common |= _values(table, COMMON)
        report |= _values(of_report, REPORT)
        mistakes += table.mistakes
    if mistakes:
        raise UsageError(f"{format_mistakes(mistakes, 'the configuration')}\n--no-config ignores it.")
    return common, report


def defaults_of(command: str) -> dict[str, Any]:
    """Return the defaults that a command has, by the names of its options. Raises UsageError."""
    common, report = read_defaults()
    if command == "report":
        return {**common, **report}
    window = {key: report[key] for key in WINDOW if key in report and command in WITH_ITS_WINDOW}
    return {**common, **window}


def _values(table: Table, keys: Mapping[str, Read]) -> dict[str, Any]:
    """Read the keys that the table has; of one with a mistake comes an empty value."""
    return {key: read(table, key) for key, read in keys.items() if key in table.values}


def _flag(table: Table, key: str) -> bool:
    return table.boolean(key)


def _words(table: Table, key: str) -> list[str]:
    return list(table.strings(key, or_string=True))


def _format(table: Table, key: str) -> str:
    return table.choice(key, REPORT_FORMATS)


def _zone(table: Table, key: str) -> str:
    name = table.string(key)
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        table.refuse(key, "is not the name of a time zone, such as UTC or Europe/Berlin")
    return name


def _time(table: Table, key: str) -> str:
    text = table.string(key)
    try:
        parse_time(text or "now", now=datetime.now(UTC), zone=UTC)
    except UsageError:
        table.refuse(key, "is not a time, such as 30d, yesterday or '2025-12-07 21:30'")
    return text


def _compared(table: Table, key: str) -> str | None:
    """Read what to compare with: true is the window before, a file an earlier report."""
    value = table.values[key]
    if isinstance(value, bool):
        return PREVIOUS if value else None
    if isinstance(value, str) and value.strip():
        return _path(table, key)
    table.refuse(key, "must be true, false, or the file of an earlier report")
    return None


def _path(table: Table, key: str) -> str:
    return _expanded(table, key, [table.string(key)])[0]


def _directories(table: Table, key: str) -> list[str]:
    paths = _expanded(table, key, _words(table, key))
    for path in paths:
        if path and not Path(path).is_dir():
            table.refuse(key, "names a directory that does not exist")
    return paths


def _expanded(table: Table, key: str, paths: list[str]) -> list[str]:
    """Replace ~ by the home directory; refuse what would depend on the current one."""
    expanded = [str(Path(path).expanduser()) if path.startswith("~/") else path for path in paths]
    if any(path and not path.startswith("/") for path in expanded):
        table.refuse(key, "must begin with / or ~/")
        return [""] * len(paths)
    return expanded


COMMON: Mapping[str, Read] = {"store": _path, "tz": _zone, "patterns": _directories}  # of each command that has such an option
REPORT: Mapping[str, Read] = {
    "since": _time,
    "unit": _words,
    "journal-dir": _directories,
    "format": _format,
    "figures": _flag,
    "compare": _compared,
    "full": _flag,
}
