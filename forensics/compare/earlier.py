"""Read what is compared from an earlier `report --format json`; every mistake of the file is one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forensics.compare.facts import Facts, PastIncident
from forensics.compare.fields import (
    MistakeError,
    count_in,
    list_in,
    number_in,
    object_in,
    objects_in,
    parsed,
    report_keys,
    text,
    time_in,
    window_of,
)
from forensics.errors import JournalPermissionError, UsageError
from forensics.files import NotReadableError, read_bounded

_LARGEST = 256 << 20


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
        return _facts(parsed(content))
    except MistakeError as error:
        raise UsageError(f"--compare: '{path}' {error}.") from None


def _facts(found: Any) -> Facts:
    found = report_keys(found)
    since, until = window_of(found)
    completeness = object_in(found, "completeness")
    return Facts(
        since=since,
        until=until,
        entries=count_in(completeness, "entries"),
        complete=completeness.get("complete") is True,
        failures=count_in(object_in(found, "failures"), "total"),
        restarts=count_in(object_in(found, "restarts"), "total"),
        hosts=tuple(text(host, "hosts") for host in list_in(found, "hosts")),
        gaps=tuple(
            (time_in(gap, "start"), time_in(gap, "end")) for gap in objects_in(completeness, "gaps") if gap.get("kind") == "missing"
        ),
        classes={name: (text(row.get("title"), "title"), count) for row, name, count in _classes(found)},
        incidents=tuple(map(_incident, objects_in(found, "incidents"))),
    )


def _classes(of: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, int]]:
    for row in objects_in(of, "classes"):
        yield row, text(row.get("signature"), "signature"), max(count_in(row, "failures"), count_in(row, "restarts"))


def _incident(row: dict[str, Any]) -> PastIncident:
    texts = {name: text(row.get(name), name) for name in ("id", "unit", "manager", "host", "machine", "kind")}
    return PastIncident(
        **texts,
        ongoing=row.get("ongoing") is True,
        start=time_in(row, "start"),
        end=None if row.get("end") is None else time_in(row, "end"),
        downtime_s=number_in(row, "downtime_s"),
        classes={name: count for _, name, count in _classes(row)},
    )
