"""Try a unit whose gate is open: once after the cooldown, or when its environment changed; then see whether it holds."""

from __future__ import annotations

import time
from dataclasses import replace

from forensics.guard.environment import fingerprint
from forensics.guard.gate import announce, transient
from forensics.guard.gate.closing import close_gate
from forensics.guard.gate.opening import AGAIN_S, open_gate
from forensics.guard.gate.state import GateState, locked, read_state, write_state
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.policy import breaker

DEBOUNCE_S = 2.0  # without a change, before a change counts: an installation writes for a while
PATIENCE = 20  # of the cooldown that failed tries added, the part to wait for after a change: two units may change each other's files
LONGEST_CHANGE_S = 120.0
REPAIRING_S = 60.0  # a unit that a remedy is repairing is tried later: it would start half repaired
NAMES = ("LoadState", "ActiveState", "InvocationID", "Job", "ActiveEnterTimestampMonotonic", "NeedDaemonReload")
UP = {"active", "reloading", "refreshing"}


def probe(manager: Manager, unit: str, number: int, reason: str = announce.COOLDOWN) -> None:
    """Start the unit once, if its gate is still open as it was, and nobody has touched the unit."""
    with locked(manager, unit):
        state = read_state(manager, unit)
        if state.state != breaker.OPEN or state.opened != number:
            return
        if _is_being_repaired(manager, unit):
            transient.call_later(manager, unit, transient.PROBE, number, REPAIRING_S)
            return
        shown = manager.show(unit, *NAMES)
        if shown["ActiveState"] == state.resting and shown["InvocationID"] in {"", state.invocation} and shown["LoadState"] == "loaded":
            _start(manager, unit, state, reason)
        elif shown["ActiveState"] == "inactive" and shown["LoadState"] == "loaded":
            close_gate(manager, unit, state, announce.RESET)  # reset-failed, or a start and a stop by hand
        else:
            _settle_later(manager, unit, _half_open(manager, unit, state))  # a start by hand, or another job


def _is_being_repaired(manager: Manager, unit: str) -> bool:
    from forensics.guard.remedy.progress import is_in_progress  # noqa: PLC0415 - `note` needs nothing of it

    return is_in_progress(manager, unit)


def changed(manager: Manager, unit: str, number: int) -> None:
    """Wait until what changed is complete, and try the unit if it is another environment than the one in which it failed."""
    deadline = time.monotonic() + LONGEST_CHANGE_S
    before, now = "", fingerprint(manager, unit)
    while (before != now or manager.show(unit, *NAMES)["NeedDaemonReload"] == "yes") and time.monotonic() < deadline:
        time.sleep(DEBOUNCE_S)
        before, now = now, fingerprint(manager, unit)
    state = read_state(manager, unit)
    if now != state.environment and state.environment:
        time.sleep(patience_s(state, time.monotonic()))
        probe(manager, unit, number, announce.ENVIRONMENT)


def patience_s(state: GateState, now: float) -> float:
    """Return how long a change must wait: not at all after the first opening, ever longer after tries that failed."""
    return max(0.0, state.noted + (state.cooldown_s - state.limits.cooldown_s) / PATIENCE - now)


def settle(manager: Manager, unit: str, number: int) -> None:
    """Close the gate once the unit has held; while it is still starting wait, and where no start came of the try open it again."""
    with locked(manager, unit):
        state = read_state(manager, unit)
        if state.state != breaker.HALF_OPEN or state.opened != number:
            return
        shown = manager.show(unit, *NAMES)
        if has_held(shown, state):
            close_gate(manager, unit, state, announce.HELD)
        elif shown["ActiveState"] == "inactive" != state.resting:
            close_gate(manager, unit, state, announce.RESET)
        elif shown["ActiveState"] in {"failed", "inactive"}:
            open_gate(manager, unit, state, replace(state, breaker=breaker.failed(state.breaker, state.limits)[0]))
        else:
            _settle_later(manager, unit, state)


def has_held(shown: dict[str, str], state: GateState) -> bool:
    """Whether the unit is up, and has been for as long as it must. shown: ActiveState and ActiveEnterTimestampMonotonic."""
    entered = shown["ActiveEnterTimestampMonotonic"]
    return shown["ActiveState"] in UP and entered.isdigit() and time.monotonic() - int(entered) / 1e6 >= state.limits.held_s


def _half_open(manager: Manager, unit: str, state: GateState) -> GateState:
    half_open = replace(state, breaker=breaker.probed(state.breaker), probed=time.monotonic())
    write_state(manager, unit, half_open)
    transient.cancel(manager, unit, state.opened)
    return half_open


def _start(manager: Manager, unit: str, state: GateState, reason: str) -> None:
    """Start the unit; what looks after it is arranged before, so that a try that is lost here is made again."""
    half_open = _half_open(manager, unit, state)
    if not _settle_later(manager, unit, half_open):
        write_state(manager, unit, state)
        return
    announce.probed(manager, unit, state, reason)
    start(manager, unit)


def start(manager: Manager, unit: str) -> bool:
    """Start a unit, also one whose start limit is reached; False where systemd refuses."""
    try:
        manager.run("reset-failed", unit)
        return manager.run("start", "--no-block", unit).returncode == 0
    except NoManagerError:
        return False


def _settle_later(manager: Manager, unit: str, state: GateState) -> bool:
    """Ask again when the unit can have held: after a while longer where it is still starting."""
    entered = manager.show(unit, *NAMES)
    since = int(entered["ActiveEnterTimestampMonotonic"] or 0) / 1e6 if entered["ActiveState"] in UP else time.monotonic()
    left = state.limits.held_s - (time.monotonic() - since)
    return transient.call_later(manager, unit, transient.SETTLE, state.opened, max(left, 0) + min(AGAIN_S, 0.1 + state.limits.held_s / 10))
