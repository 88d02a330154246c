"""Build attempts and events for the tests: lines of one attempt of one service, at seconds after its start."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from forensics.model.frames import ATTEMPTS, EVENTS
from forensics.model.values import Signature
from forensics.signatures.pattern import Catalogue, Pattern

START = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def attempt(number: int = 0, *, uptime: float = 10.0, outcome: str = "failed", **columns: object) -> dict[str, object]:
    """One attempt that ended after `uptime` seconds; a failed one with exit status 1 unless stated otherwise."""
    ends = {"failed": ("exit-code", "exited", 1), "running": (None, None, None)}
    result, exit_code, exit_status = ends.get(outcome, ("success", None, None))
    return {
        "attempt": number,
        "host": "box",
        "manager": "system",
        "unit": "some.service",
        "started": at(0),
        "ended": None if outcome == "running" else at(uptime),
        "uptime_s": uptime,
        "outcome": outcome,
        "result": result,
        "exit_code": exit_code,
        "exit_status": exit_status,
        "oom_killed": False,
        "first_row": 0,
        "last_row": 999,
        **columns,
    }


def event(text: str, seconds: float = 9.0, number: int = 0, **columns: object) -> dict[str, object]:
    """One line of attempt `number`, written `seconds` after its start."""
    time = at(seconds)
    return {"attempt": number, "kind": "line", "time": time, "until": time, "text": text, "priority": 6, "rows": 1, **columns}


def traceback(text: str, seconds: float = 9.0, number: int = 0) -> dict[str, object]:
    """A traceback whose only exception is its last line."""
    exception = text.strip().splitlines()[-1]
    return event(text, seconds, number, kind="traceback", root=exception, last=exception)


def manager(text: str, seconds: float = 10.0, number: int = 0, **columns: object) -> dict[str, object]:
    return event(text, seconds, number, kind="manager", identifier="systemd", **columns)


def attempts_frame(*attempts: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(attempts), schema=ATTEMPTS)


def events_frame(*events: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([{"event": n, "row": n, **columns} for n, columns in enumerate(events)], schema=EVENTS)


def pattern(id_: str, message: str, severity: str = "high", kinds: tuple[str, ...] = (), explains: tuple[str, ...] = ()) -> Pattern:
    columns = {"kind": kinds} if kinds else {}
    return Pattern(Signature(id_, id_.title(), severity), Path(id_), (message,), columns, explains=explains)


CATALOGUE = Catalogue(
    (
        pattern("port", r"port (?P<port>\d+) taken", explains=("moved",)),
        pattern("memory", r"no memory", "critical"),
        pattern("moved", r"moved to another", "high"),
        pattern("note", r"small note", "low"),
        pattern("refused", r"repeated too quickly", "medium", ("manager",)),
        pattern("killed", r"killed by the OOM killer", "critical", ("manager", "kernel")),
    )
)
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/app/main.py", line 3, in run\n    go()\nValueError: bad value 3'
