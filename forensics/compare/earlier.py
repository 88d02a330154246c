"""Read what is compared from an earlier `report --format json`; every mistake of the file is one sentence."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from forensics.compare.facts import Facts, PastIncident
from forensics.errors import JournalPermissionError, UsageError
from forensics.files import NotReadableError, read_bounded

READS = 1  # the schema_version of the contract
_LARGEST = 256 << 20
_MOST = 10**12  # failures, entries, seconds: more is no count
_LONGEST = 8192  # characters of a text


class _MistakeError(Exception):
    """What is wrong with the value at a place of the file."""


def read_earlier(path: Path) -> Facts:
    """Read an earlier report.

    Raises UsageError for what is none, is cut, or was written by a newer version, JournalPermissionError for what may not be read.
    """
    if path.is_file() and not os.access(path, os.R_OK):
        raise JournalPermissionError(f"--compare: '{path}' may not be read by this user.")
    try:
        content = read_bounded(path, _LARGEST)
    except NotReadableError as error:
        raise UsageError(f"--compare: '{path}' {error}.") from None
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise UsageError(f"--compare: '{path}' is not a report: its values are nested too deeply.") from None
    except UnicodeDecodeError:
        raise UsageError(f"--compare: '{path}' is not JSON. Write one with `report --format json`.") from None
    except ValueError as error:
        cut = "is cut off, or not JSON" if content.lstrip()[:1] == b"{" else "is not JSON"
        at = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"--compare: '{path}' {cut}{at}. Write one with `report --format json`.") from None
    try:
        return _facts(found)
    except _MistakeError as error:
        raise UsageError(f"--compare: '{path}' {error}.") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _facts(found: Any) -> Facts:
    if not isinstance(found, dict) or "schema_version" not in found or "window" not in found:
        raise _MistakeError("is not a report of this program; write one with `report --format json`")
    version = found["schema_version"]
    if type(version) is not int or version > READS or version < 1:
        newer = "was written by a newer version" if type(version) is int and version > READS else "has an unknown schema_version"
        raise _MistakeError(f"{newer}: this one reads schema_version {READS}")
    window, completeness = _object(found, "window"), _object(found, "completeness")
    if window.get("since") is None or window.get("until") is None:
        raise _MistakeError("has no window: it is a report of nothing")
    since, until = _time(window, "since"), _time(window, "until")
    if since >= until:
        raise _MistakeError("has an empty window")
    return Facts(
        since=since,
        until=until,
        entries=_count(completeness, "entries"),
        complete=completeness.get("complete") is True,
        failures=_count(_object(found, "failures"), "total"),
        restarts=_count(_object(found, "restarts"), "total"),
        hosts=tuple(_text(host, "hosts") for host in _list(found, "hosts")),
        gaps=tuple((_time(gap, "start"), _time(gap, "end")) for gap in _objects(completeness, "gaps") if gap.get("kind") == "missing"),
        classes={name: (_text(row.get("title"), "title"), count) for row, name, count in _classes(found)},
        incidents=tuple(map(_incident, _objects(found, "incidents"))),
    )


def _classes(of: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, int]]:
    for row in _objects(of, "classes"):
        yield row, _text(row.get("signature"), "signature"), max(_count(row, "failures"), _count(row, "restarts"))


def _incident(row: dict[str, Any]) -> PastIncident:
    texts = {name: _text(row.get(name), name) for name in ("id", "unit", "manager", "host", "machine", "kind")}
    return PastIncident(
        **texts,
        ongoing=row.get("ongoing") is True,
        start=_time(row, "start"),
        end=None if row.get("end") is None else _time(row, "end"),
        downtime_s=_number(row, "downtime_s"),
        classes={name: count for _, name, count in _classes(row)},
    )


def _object(of: dict[str, Any], name: str) -> dict[str, Any]:
    value = of.get(name)
    if not isinstance(value, dict):
        raise _MistakeError(f"is not a report of this program: '{name}' is not an object")
    return value


def _list(of: dict[str, Any], name: str) -> list[Any]:
    value = of.get(name)
    if not isinstance(value, list):
        raise _MistakeError(f"is not a report of this program: '{name}' is not a list")
    return value


def _objects(of: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = _list(of, name)
    if not all(isinstance(row, dict) for row in rows):
        raise _MistakeError(f"is not a report of this program: '{name}' has something else than objects")
    return rows


def _count(of: dict[str, Any], name: str) -> int:
    value = of.get(name)
    if type(value) is not int or not 0 <= value <= _MOST:
        raise _MistakeError(f"is not a report of this program: '{name}' is not a count")
    return value


def _number(of: dict[str, Any], name: str) -> float:
    value = of.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        raise _MistakeError(f"is not a report of this program: '{name}' is not a number of seconds")
    return float(value)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise _MistakeError(f"is not a report of this program: '{name}' is not a text")
    return value


def _time(of: dict[str, Any], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(of[name])
    except (KeyError, TypeError, ValueError):
        raise _MistakeError(f"is not a report of this program: '{name}' is not a time") from None
    if time.tzinfo is None:
        raise _MistakeError(f"is not a report of this program: '{name}' is a time without a zone")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise _MistakeError(f"is not a report of this program: '{name}' is not a time") from None
