"""Note the end of a unit's run, from its ExecStopPost=: count a failure, and stop the restarts when they are enough.

Whatever goes wrong here, systemd restarts the unit as it does without a gate.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from forensics.guard.alarm import ended_after
from forensics.guard.gate import announce, restarting
from forensics.guard.gate.classify import classified
from forensics.guard.gate.closing import close_gate
from forensics.guard.gate.opening import open_gate
from forensics.guard.gate.state import GateState, locked, read_state, write_state
from forensics.guard.systemctl import Manager
from forensics.policy import breaker, restart_setting
from forensics.policy.breaker import UNKNOWN, Failure, Limits
from forensics.unit_file import seconds

LONGEST_S = 20.0
SHARE = 0.6  # of TimeoutStopSec=, after which systemd kills the gate
RESERVED_S = 1.0  # for what is to be done once the failure is named
NAMES = (
    *restarting.NAMES,
    "InvocationID",
    "Job",
    "ActiveEnterTimestampMonotonic",
    "ActiveExitTimestampMonotonic",
    "TimeoutStopUSec",
)
HELPS = {True: "yes", False: "no", None: ""}
DOWN_JOBS = {"stop", "restart", "try-restart"}


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended. lived_s: for how long the unit was active, 0 where it never was; asked: a client stops or restarts it."""

    result: str
    invocation: str
    lived_s: float
    asked: bool
    is_restarted: bool = True  # by systemd, if nothing stops that

    @property
    def is_good(self) -> bool:
        return self.result in {"", restart_setting.GOOD}


def note(manager: Manager, unit: str, limits: Limits) -> None:
    """Count the end of the run that has just ended, once, well within TimeoutStopSec=, after which systemd kills this process."""
    began, shown = time.monotonic(), manager.show(unit, *NAMES)
    within_s = min(LONGEST_S, SHARE * (seconds(shown["TimeoutStopUSec"]) or LONGEST_S))
    with ended_after(within_s), locked(manager, unit):
        state = read_state(manager, unit)
        end = _end(manager, unit, state, shown)
        if end.invocation and end.invocation == state.invocation:
            return  # another gate of the same unit has noted it
        _noted(manager, unit, replace(state, limits=limits, noted=time.monotonic(), invocation=end.invocation), end, began + within_s)


def _end(manager: Manager, unit: str, state: GateState, shown: dict[str, str]) -> End:
    lived_s = _lived_s(shown, max(state.noted, state.probed))
    asked = _is_asked(manager, unit, shown["Job"])
    return End(shown["Result"], shown["InvocationID"], lived_s, asked, restarting.is_restarted(shown))


def _lived_s(shown: dict[str, str], noted: float) -> float:
    """Return for how long the unit was active in this run; the times of an earlier run are older than its end, which was noted."""
    entered, left = (_seconds(shown[f"Active{way}TimestampMonotonic"]) for way in ("Enter", "Exit"))
    if entered <= noted:
        return 0.0
    return (left if left > entered else time.monotonic()) - entered


def _seconds(microseconds: str) -> float:
    return int(microseconds) / 1e6 if microseconds.isdigit() else 0.0


def _is_asked(manager: Manager, unit: str, job: str) -> bool:
    """Whether a client wants the unit down. A start that waits is one that just failed: of ExecStartPre=, or with Type=notify."""
    if job in {"", "0"}:
        return False
    lines = manager.run("list-jobs", "--plain", "--no-legend", "--full").stdout.splitlines()
    jobs = [words for words in map(str.split, lines) if words[1:2] == [unit]]
    return any(words[2:3] and words[2] in DOWN_JOBS for words in jobs)


def _noted(manager: Manager, unit: str, state: GateState, end: End, until: float) -> None:
    if end.result == restart_setting.SKIPPED:
        write_state(manager, unit, state)
    elif end.asked or (not end.is_restarted and not end.is_good and not state.is_open):
        write_state(manager, unit, replace(state, breaker=breaker.asked(state.breaker), good=0))
    elif end.is_good and state.state != breaker.HELD:
        _good(manager, unit, state, end, until)
    else:
        held = end.lived_s >= state.limits.held_s and state.state != breaker.HELD
        _failed(manager, unit, close_gate(manager, unit, state, announce.HELD) if held else state, end, until)


def _good(manager: Manager, unit: str, state: GateState, end: End, until: float) -> None:
    """Close after a good end; one that is restarted may follow a fatal error, which its lines show."""
    good = state.good + 1 if end.is_restarted and end.lived_s < state.limits.held_s else 0
    if good and (state.is_open or is_due(good, state.limits)):
        failure, title = classified(manager, unit, end.invocation, end.result, until - RESERVED_S - time.monotonic())
        if failure.signature:
            in_a_row = replace(state.breaker, failures=max(state.breaker.failures, good - 1))
            _counted(manager, unit, replace(state, breaker=in_a_row, good=good), failure, title)
            return
    write_state(manager, unit, replace(close_gate(manager, unit, state, announce.HELD), good=good))


def is_due(good: int, limits: Limits) -> bool:
    """Whether so many good ends in a row are worth a second of CPU time: ever more rarely, as a worker may end well for years."""
    times, rest = divmod(good, limits.any_class)
    return not rest and times & (times - 1) == 0


def _failed(manager: Manager, unit: str, state: GateState, end: End, until: float) -> None:
    failure, title = UNKNOWN, ""
    if breaker.needs_class(state.breaker, state.limits):
        failure, title = classified(manager, unit, end.invocation, end.result, until - RESERVED_S - time.monotonic())
    _counted(manager, unit, replace(state, good=0), failure, title)


def _counted(manager: Manager, unit: str, state: GateState, failure: Failure, title: str) -> None:
    """Count a failure, and open the gate where that is enough."""
    counted, opens = breaker.failed(state.breaker, state.limits, failure)
    helps = HELPS[failure.restart_helps]
    noted = replace(state, breaker=counted, title=title, helps=helps)
    if opens:
        open_gate(manager, unit, state, noted)
    else:
        write_state(manager, unit, noted)
