"""Open a gate: remember it, arrange the next try, and only then stop the restarts and say so."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from forensics.guard.environment import fingerprint, watched_paths
from forensics.guard.gate import announce, transient
from forensics.guard.gate.state import GateState, write_state
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.policy import breaker

NO_TIMER = "the next try could not be arranged, so restarts were not stopped"
NO_STOP = "systemd did not take the stop, so restarts go on"
AGAIN_S = 10.0  # a start that never came is tried again so much later than the unit could have held


def open_gate(manager: Manager, unit: str, before: GateState, state: GateState) -> None:
    """Stop the restarts of a unit whose breaker has opened; nothing is stopped that nothing would start again."""
    is_held = state.state == breaker.HELD
    if not is_held:
        now = time.time()
        state = replace(
            state, since=before.since if before.is_open else now, probe_at=now + state.cooldown_s, environment=_environment(manager, unit)
        )  # fmt: skip
    write_state(manager, unit, state)
    transient.cancel(manager, unit, before.opened)
    if not is_held and not transient.call_later(manager, unit, transient.PROBE, state.opened, state.cooldown_s):
        _give_up(manager, unit, before, state, NO_TIMER)
        return
    if not is_held:
        transient.call_at_changes(manager, unit, state.opened, _watched(manager, unit))
    if not stop(manager, unit):
        transient.cancel(manager, unit, state.opened)
        _give_up(manager, unit, before, state, NO_STOP)
        return
    if not is_held:
        announce.opened(manager, unit, state)
        _remedy(manager, unit, state.signature)


def stop(manager: Manager, unit: str) -> bool:
    """Cancel the restart that systemd is about to schedule; units that require this one stay."""
    try:
        return manager.run("stop", "--no-block", "--job-mode=ignore-dependencies", unit).returncode == 0
    except NoManagerError:
        return False


def _give_up(manager: Manager, unit: str, before: GateState, state: GateState, trouble: str) -> None:
    """Go on counting as before this failure."""
    write_state(manager, unit, replace(before, noted=state.noted, invocation=state.invocation, limits=state.limits, trouble=trouble))


def _environment(manager: Manager, unit: str) -> str:
    try:
        return fingerprint(manager, unit)
    except (NoManagerError, OSError):
        return ""


def _watched(manager: Manager, unit: str) -> list[Path]:
    try:
        return watched_paths(manager, unit)
    except (NoManagerError, OSError):
        return []


def _remedy(manager: Manager, unit: str, signature: str) -> None:
    """Start what the user declared for this class."""
    try:
        from forensics.guard.remedy import start_declared  # noqa: PLC0415 - only an opening needs it

        start_declared(manager, unit, signature)
    except Exception:  # noqa: BLE001, S110 - the gate is open, whatever becomes of a remedy
        pass
