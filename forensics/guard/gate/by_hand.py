"""What a person asks of a gate: how it is, to try again at once, to keep the unit down."""

from __future__ import annotations

from dataclasses import dataclass, replace

from forensics.errors import ForensicsError, UsageError
from forensics.guard.gate import announce, transient
from forensics.guard.gate.closing import close_gate
from forensics.guard.gate.probe import NAMES, has_held, start
from forensics.guard.gate.state import GateState, locked, read_state, write_state
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.policy import breaker

COMMAND = "gate note"
ABSENT = {
    "not-found": "does not exist",
    "masked": "is masked",
    "bad-setting": "has settings that systemd refuses",
    "error": "could not be loaded",
}


@dataclass(frozen=True, slots=True)
class Status:
    """A gate as it is now. is_installed: the unit's ExecStopPost= calls it; active: the unit's ActiveState."""

    unit: str
    state: str
    active: str
    is_installed: bool
    stored: GateState

    @property
    def is_closed(self) -> bool:
        return self.state == breaker.CLOSED


def status(manager: Manager, unit: str) -> Status:
    """Find out how the gate of a unit is. Raises UsageError for a unit that is not there, NoManagerError where that cannot be found out."""
    shown = _loaded(manager, unit)
    stored = read_state(manager, unit)
    is_installed = COMMAND in manager.show(unit, "ExecStopPost")["ExecStopPost"]
    if not is_installed and stored == GateState():
        raise NoManagerError(f"{unit} has no gate: `tabby-forensics generate gate --unit {unit}` writes one.")
    return Status(unit, _state_now(stored, shown), shown["ActiveState"], is_installed, stored)


def reset(manager: Manager, unit: str, reason: str = announce.RESET) -> bool:
    """Close the gate and start the unit; return whether systemd took the start. Raises ForensicsError and UsageError."""
    _loaded(manager, unit)
    with locked(manager, unit):
        close_gate(manager, unit, read_state(manager, unit), reason)
    return start(manager, unit)


def reset_unless_held(manager: Manager, unit: str) -> bool:
    """Reset for a program that has repaired the cause: a person's hold stays, and is False."""
    return read_state(manager, unit).state != breaker.HELD and reset(manager, unit)


def hold(manager: Manager, unit: str) -> None:
    """Stop the unit, and let nothing of ours start it until the gate is reset. Raises ForensicsError and UsageError."""
    _loaded(manager, unit)
    with locked(manager, unit):
        state = read_state(manager, unit)
        write_state(manager, unit, replace(state, breaker=breaker.hold(state.breaker), probe_at=0.0))
        transient.cancel(manager, unit, state.opened)
    done = manager.run("stop", "--no-block", unit)
    if done.returncode != 0:
        raise ForensicsError(f"systemd does not stop {unit}: {(done.stderr.strip() or 'no reason given').splitlines()[0]}")
    if state.is_open:
        announce.on_hold(manager, unit)


def _loaded(manager: Manager, unit: str) -> dict[str, str]:
    shown = manager.show(unit, *NAMES)
    if shown["LoadState"] != "loaded":
        raise UsageError(f"{unit} {ABSENT.get(shown['LoadState'], 'is not loaded')}.")
    return shown


def _state_now(stored: GateState, shown: dict[str, str]) -> str:
    """Return the state; nobody may have noticed yet that a unit holds, or that a person started it."""
    if stored.state in {breaker.OPEN, breaker.HALF_OPEN} and has_held(shown, stored):
        return breaker.CLOSED
    if stored.state == breaker.OPEN and shown["ActiveState"] in {"active", "activating"}:
        return breaker.HALF_OPEN
    return stored.state
