"""Ask the journal about a drill: when the failure was recorded, and what `watch` wrote about the unit."""

from __future__ import annotations

import json
from contextlib import suppress

from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.model.systemd import UNIT_FAILURE_RESULT
from forensics.sanitize import safe_line

QUICK_S = 10.0


def failure_recorded_at(manager: Manager, unit: str) -> float | None:
    """Return when journald got the manager's line about the failure, in seconds since 1970; null while it has none."""
    field = "USER_UNIT" if manager.is_users else "UNIT"
    lines = _journal("--output=json", "--output-fields=MESSAGE_ID", "--lines=1", f"MESSAGE_ID={UNIT_FAILURE_RESULT}", f"{field}={unit}")
    with suppress(ValueError, KeyError, TypeError):
        return int(json.loads(lines[-1])["__REALTIME_TIMESTAMP"]) / 1e6 if lines else None
    return None


def refusal_of(sink: str, unit: str, watcher: int, since: float) -> str:
    """Return what `watch` logged about an alert that a sink refused, "" for nothing."""
    lines = _journal("--output=cat", f"--since=@{int(since)}", "--lines=1000", f"_PID={watcher}")
    refused = (line for line in lines if f"sink {sink} refused " in line and f" for {unit}: " in line)
    return safe_line(next(refused, "").partition(f" for {unit}: ")[2])


def _journal(*arguments: str) -> list[str]:
    try:
        return called(["journalctl", "--quiet", "--no-pager", *arguments], QUICK_S).stdout.splitlines()
    except NoManagerError:
        return []
