"""Ask the journal whether the gate has closed because a unit held, since a remedy was started."""

from __future__ import annotations

import json

from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.model.own_entries import GATE_CLOSED

WITHIN_S = 10.0


def held_since(manager: Manager, unit: str, at: float) -> bool:
    """Whether an entry of the gate, written by root or the unit's own user, says so; False where the journal cannot be asked."""
    about = "OBJECT_SYSTEMD_USER_UNIT" if manager.is_users else "OBJECT_SYSTEMD_UNIT"
    writer = manager.name.removeprefix("user:") if manager.is_users else "0"
    matches = [f"MESSAGE_ID={GATE_CLOSED}", f"{about}={unit}", f"_UID={writer}", "TABBY_REASON=held"]
    try:
        done = called(["journalctl", "--no-pager", "-o", "json", "-n", "1", f"--since=@{int(at)}", *matches], WITHIN_S)
    except NoManagerError:
        return False
    return any(_is_after(line, at) for line in done.stdout.splitlines())


def _is_after(line: str, at: float) -> bool:
    try:
        return int(json.loads(line)["__REALTIME_TIMESTAMP"]) / 1e6 > at
    except (ValueError, TypeError, KeyError):
        return False
