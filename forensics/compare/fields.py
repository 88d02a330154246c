"""Take values out of JSON that somebody else wrote; what is not what it must be is said as the rest of a sentence about the file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, NoReturn

READS = 1  # the schema_version of the contract
_MOST = 10**12  # failures, entries, seconds: more is no count
_LONGEST = 8192  # characters of a text


class MistakeError(Exception):
    """What is wrong with a file or the value at a place of it, as in "is not JSON"."""


def parsed(content: bytes) -> Any:
    """Parse JSON. Raises MistakeError."""
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise MistakeError("is not a report: its values are nested too deeply") from None
    except UnicodeDecodeError:
        raise MistakeError("is not JSON. Write one with `report --format json`") from None
    except ValueError as error:
        cut = "is cut off, or not JSON" if content.lstrip()[:1] == b"{" else "is not JSON"
        at = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise MistakeError(f"{cut}{at}. Write one with `report --format json`") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def report_keys(found: Any) -> dict[str, Any]:
    """Return what was parsed where it is a report that this version reads. Raises MistakeError."""
    if not isinstance(found, dict) or "schema_version" not in found or "window" not in found:
        raise MistakeError("is not a report of this program; write one with `report --format json`")
    version = found["schema_version"]
    if type(version) is not int or version > READS or version < 1:
        newer = "was written by a newer version" if type(version) is int and version > READS else "has an unknown schema_version"
        raise MistakeError(f"{newer}: this one reads schema_version {READS}")
    return found


def window_of(found: dict[str, Any]) -> tuple[datetime, datetime]:
    """Return when the window of a report begins and ends. Raises MistakeError."""
    window = object_in(found, "window")
    if window.get("since") is None or window.get("until") is None:
        raise MistakeError("has no window: it is a report of nothing")
    since, until = time_in(window, "since"), time_in(window, "until")
    if since >= until:
        raise MistakeError("has an empty window")
    return since, until


def object_in(of: dict[str, Any], name: str) -> dict[str, Any]:
    value = of.get(name)
    if not isinstance(value, dict):
        raise MistakeError(f"is not a report of this program: '{name}' is not an object")
    return value


def list_in(of: dict[str, Any], name: str) -> list[Any]:
    value = of.get(name)
    if not isinstance(value, list):
        raise MistakeError(f"is not a report of this program: '{name}' is not a list")
    return value


def objects_in(of: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = list_in(of, name)
    if not all(isinstance(row, dict) for row in rows):
        raise MistakeError(f"is not a report of this program: '{name}' has something else than objects")
    return rows


def count_in(of: dict[str, Any], name: str) -> int:
    value = of.get(name)
    if type(value) is not int or not 0 <= value <= _MOST:
        raise MistakeError(f"is not a report of this program: '{name}' is not a count")
    return value


def number_in(of: dict[str, Any], name: str) -> float:
    value = of.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _MOST:
        raise MistakeError(f"is not a report of this program: '{name}' is not a number of seconds")
    return float(value)


def text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise MistakeError(f"is not a report of this program: '{name}' is not a text")
    return value


def time_in(of: dict[str, Any], name: str) -> datetime:
    try:
        time = datetime.fromisoformat(of[name])
    except (KeyError, TypeError, ValueError):
        raise MistakeError(f"is not a report of this program: '{name}' is not a time") from None
    if time.tzinfo is None:
        raise MistakeError(f"is not a report of this program: '{name}' is a time without a zone")
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise MistakeError(f"is not a report of this program: '{name}' is not a time") from None
