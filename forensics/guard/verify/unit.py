"""Wait until a unit is active, and see whether the same process stays for the settling time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from forensics.guard.listeners import cgroup_of, is_inside
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.guard.verify.checks import FAILED, OK, UNKNOWN, Check, Outcome
from forensics.policy.limits import LOOP_RESTARTS
from forensics.wording import duration, plural

FIRST_POLL_S, POLL_S, GLANCE_S = 0.2, 5.0, 0.25  # a glance costs one stat() of /proc/PID, a poll one systemctl
WAITING = ("activating", "reloading", "refreshing", "deactivating", "maintenance")
SHOWN = {"LoadState": "loaded", "ActiveState": "active", "SubState": "sub", "Result": "result", "Job": "job", "Type": "kind",
         "MainPID": "pid", "NRestarts": "restarts", "InvocationID": "invocation", "ControlGroup": "group", "TriggeredBy": "triggers",
         "ExecStart": "command"}  # fmt: skip
_UNUSABLE = {
    "masked": "is masked: it cannot be started",
    "error": "has files that systemd cannot read",
    "bad-setting": "has a setting that systemd refuses",
}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class State:
    """A unit at one time, in systemd's words; a property that this version does not have is "" ."""

    loaded: str
    active: str
    sub: str
    result: str
    job: str
    kind: str
    pid: str
    restarts: str
    invocation: str
    group: str
    triggers: str
    command: str

    @property
    def main_pid(self) -> int | None:
        return int(self.pid) if self.pid.isdecimal() and self.pid != "0" else None

    @property
    def restart_count(self) -> int:
        return int(self.restarts) if self.restarts.isdecimal() else 0

    @property
    def sockets(self) -> tuple[str, ...]:
        """The socket units that start it."""
        return tuple(unit for unit in self.triggers.split() if unit.endswith(".socket"))

    @property
    def waits(self) -> bool:
        """Whether it may still become active: it changes, or a job for it waits."""
        return self.active in WAITING or (self.active == "inactive" and self.job not in {"", "0"})


def state_of(manager: Manager, unit: str) -> State:
    """Ask for the state of a unit. Raises NoManagerError."""
    shown = manager.show(unit, *SHOWN)
    return State(**{name: shown[key] for key, name in SHOWN.items()})


def awaited(manager: Manager, unit: str, until: float) -> State:
    """Wait until the unit is active, has failed, or loops; at most until a time of time.monotonic(). Raises NoManagerError."""
    first = now = state_of(manager, unit)
    pause = FIRST_POLL_S
    while now.waits and not _waits_for_us(now) and not _loops(first, now) and time.monotonic() < until:
        time.sleep(min(pause, max(until - time.monotonic(), 0)))
        pause = min(pause * 1.5, POLL_S)
        now = state_of(manager, unit)
    return now


def unit_check(unit: str, now: State) -> Check:
    """Judge whether a unit is active."""
    outcome, evidence = _judged(unit, now)
    return Check("unit", outcome, evidence)


def held_check(manager: Manager, unit: str, before: State, settle_s: float, progress: Progress | None) -> Check:
    """Watch the unit for the settling time, and end early when it changes."""
    start = time.monotonic()
    looked, changed, is_visible = start, "", not _is_gone(before)
    while not changed and (passed := time.monotonic() - start) < settle_s:
        time.sleep(min(GLANCE_S, settle_s - passed))
        if progress is not None:
            progress(int(passed), max(int(settle_s), 1))
        if time.monotonic() - looked >= POLL_S or (is_visible and _is_gone(before)):
            changed, looked = _difference(manager, unit, before), time.monotonic()
    if progress is not None:
        progress(1, 1)
    try:
        changed = changed or difference(before, state_of(manager, unit))
    except NoManagerError as error:
        return Check("held", UNKNOWN, str(error).rstrip("."))
    lasted = duration(round(min(time.monotonic() - start, settle_s), 1))
    if changed:
        return Check("held", FAILED, f"{changed}, {lasted} into {duration(settle_s)} of settling")
    who = f"the same process (pid {before.pid})" if before.main_pid else "the same invocation"
    return Check("held", OK, f"{who} for {lasted}")


def difference(before: State, now: State) -> str:
    """Say how the unit is no longer what it was; "" where it is."""
    if now.active not in {"active", "reloading", "refreshing"}:
        more = now.restart_count - before.restart_count
        after = f", after {plural(more, 'restart')}" if more > 0 else ""
        return f"it is {now.active} ({now.sub}) now, with the result {now.result or 'unknown'}{after}"
    if now.restart_count > before.restart_count:
        return f"systemd restarted it: {plural(now.restart_count - before.restart_count, 'restart')} since"
    if now.invocation != before.invocation:
        return "it was started anew, not by its Restart="
    if now.pid != before.pid:
        return f"its main process changed from pid {before.pid} to pid {now.pid}"
    return ""


def _waits_for_us(now: State) -> bool:
    """Whether this process is part of the unit's own start (ExecStartPost=), which cannot end before it does."""
    return now.waits and is_inside(cgroup_of(os.getpid()), now.group)


def _loops(first: State, now: State) -> bool:
    return now.restart_count - first.restart_count >= LOOP_RESTARTS


def _judged(unit: str, now: State) -> tuple[Outcome, str]:
    described, counted = f"{unit} is {now.active} ({now.sub})", plural(now.restart_count, "restart")
    if now.active == "active":
        return OK, f"{described}{f', pid {now.pid}' if now.main_pid else ''}, {counted}"
    if now.loaded == "not-found":
        return UNKNOWN, f"there is no unit {unit} here"
    if now.loaded in _UNUSABLE:
        return FAILED, f"{unit} {_UNUSABLE[now.loaded]}"
    if now.active == "inactive" and (reason := _rests(now)):
        return UNKNOWN, f"{described}: {reason}"
    if _waits_for_us(now):
        return UNKNOWN, f"{described}: it waits for this check, which runs inside it; run it in a unit of its own"
    return FAILED, f"{described}{' still' if now.waits else ''}, after {counted}, with the result {now.result or 'unknown'}"


def _rests(now: State) -> str:
    """Say why an inactive unit may be as it should; "" where it may not."""
    if now.sockets:
        return f"{', '.join(now.sockets)} starts it when somebody asks; name the port with --port"
    if now.kind == "oneshot" and now.result == "success" and now.invocation:
        return "a oneshot unit that has ended well has no process to verify"
    return ""


def _is_gone(before: State) -> bool:
    """Whether the main process has ended, or is not ours to see."""
    return before.main_pid is not None and not Path(f"/proc/{before.main_pid}").exists()


def _difference(manager: Manager, unit: str, before: State) -> str:
    """Compare with the unit's state now; a manager that does not answer while it reloads is asked again later."""
    try:
        return difference(before, state_of(manager, unit))
    except NoManagerError:
        return ""
