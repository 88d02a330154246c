"""Run a declared remedy: recorded, started once, waited for, followed by a reset of the gate, and by whether the unit then holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.errors import ForensicsError
from forensics.guard.journal_entry import write_entry
from forensics.guard.remedy import REFUSED
from forensics.guard.remedy.declared import Remedy
from forensics.guard.remedy.ledger import (
    DONE,
    FAILED,
    TIMED_OUT,
    Cause,
    LedgerError,
    Start,
    ledger_directory,
    locked,
    read_cause,
    refusal,
    write_cause,
)
from forensics.guard.remedy.once_held import held_since
from forensics.guard.remedy.once_started import start_and_wait
from forensics.guard.remedy.progress import in_progress
from forensics.guard.remedy.soundness import problems
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.model.own_entries import REMEDY_ENDED, REMEDY_STARTED

POLL_S = 1.0
SLACK_S = 3600.0  # how much longer than `held` a unit may take to start
_AS_PRIORITY = {DONE: 5, FAILED: 3, TIMED_OUT: 3, REFUSED: 3}


@dataclass(frozen=True, slots=True)
class Case:
    """A class of a unit, and the remedy that is declared for it. environment: asks what the unit is made of now."""

    manager: Manager
    unit: str
    signature: str
    remedy: Remedy
    environment: Callable[[], str]

    @property
    def directory(self) -> Path:
        return ledger_directory(self.manager)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a remedy ended: done, failed, timed-out or refused, and the sentence that was logged."""

    outcome: str
    text: str


def run_once(case: Case) -> Ended:
    """Start a remedy unless it ran already for this cause, and wait for its end; a done one resets the gate.

    Raises NoManagerError when systemd does not answer before anything was done.
    """
    try:
        with in_progress(case.manager, case.unit):
            refused = _begin(case)
            if refused is not None:
                return refused
            ended = _act(case)
    except LedgerError as error:
        return _log(case, REFUSED, str(error))
    except NoManagerError as error:
        _log(case, REFUSED, f"{error} No remedy is started for {case.unit}")
        raise
    except OSError as error:
        return _log(case, REFUSED, f"'{error.filename}': {error.strerror}: no remedy is started")
    if ended.outcome == DONE and (trouble := reset_gate(case.manager, case.unit)):
        return _log(case, REFUSED, trouble)
    return ended


def follow(case: Case, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Wait until the unit has held or not after its remedy, and record it."""
    has_held = _holds(case, sleep)
    if has_held:
        _update(case, held=True, settled=_environment(case))
    return has_held


def _begin(case: Case) -> Ended | None:
    """Record the start that comes next; return why there is none."""
    wrong = "; ".join(problems(case.manager, case.remedy, case.unit))
    if wrong:
        return _log(case, REFUSED, f"{wrong}: the remedy of {case.unit} is not started")
    with locked(case.directory):
        cause, before, now = read_cause(case.directory, case.unit, case.signature), case.environment(), time.time()
        last = cause.starts[-1].at if cause.starts else now
        refused = refusal(cause, before, now, held_since=bool(cause.starts) and held_since(case.manager, case.unit, last))
        if refused:
            return _log(case, REFUSED, f"{case.unit}: {refused}")
        write_cause(case.directory, replace(cause, starts=(*cause.starts, Start(case.remedy.start, now, before))))
    return None


def _act(case: Case) -> Ended:
    """Start the remedy and record how it ended."""
    text = f"{case.remedy.start} is started for {case.unit}: {case.signature}; it is not started again for this cause."
    write_entry(REMEDY_STARTED, case.unit, text, priority=_AS_PRIORITY[DONE], is_users=case.manager.is_users, **_fields(case))
    outcome, detail = start_and_wait(case.manager, case.remedy.start, case.remedy.within_s)
    with suppress(LedgerError):  # that it was started is on disk
        _update(case, outcome=outcome, after=_environment(case))
    return _log(case, outcome, f"{case.remedy.start}, the remedy of {case.unit} for {case.signature}, {detail}")


def reset_gate(manager: Manager, unit: str) -> str:
    """Close the gate and start the unit; return what kept it from starting, "" for nothing."""
    from forensics.guard.gate import reset  # noqa: PLC0415 - the gate imports this package

    try:
        return "" if reset(manager, unit) else f"{unit} is not started: a person holds its gate, or systemd refused"
    except (ForensicsError, OSError) as error:
        return f"{unit} is not started: {error}"


def _holds(case: Case, sleep: Callable[[float], None]) -> bool:
    deadline = time.monotonic() + case.remedy.held_s + SLACK_S
    while time.monotonic() < deadline:
        with suppress(NoManagerError):
            found = case.manager.show(case.unit, "ActiveState", "ActiveEnterTimestampMonotonic")
            entered = int(found["ActiveEnterTimestampMonotonic"] or 0) / 1e6
            if found["ActiveState"] == "active" and time.clock_gettime(time.CLOCK_MONOTONIC) - entered >= case.remedy.held_s:
                return True
            if found["ActiveState"] in ("failed", "inactive"):
                return False
        sleep(min(POLL_S * 5, case.remedy.held_s / 4))
    return False


def _environment(case: Case) -> str:
    try:
        return case.environment()
    except (NoManagerError, OSError):
        return ""


def _update(case: Case, **changed: str | bool) -> None:
    """Change the record of the last start. Raises LedgerError."""
    with locked(case.directory):
        cause = read_cause(case.directory, case.unit, case.signature)
        if cause.starts:  # none where a person forgot them meanwhile
            last = replace(cause.starts[-1], **changed)  # type: ignore[arg-type]
            write_cause(case.directory, Cause(cause.unit, cause.signature, (*cause.starts[:-1], last)))


def _log(case: Case, outcome: str, text: str) -> Ended:
    fields = {**_fields(case), "TABBY_OUTCOME": outcome}
    text = f"{text.rstrip('.')}."
    write_entry(REMEDY_ENDED, case.unit, text, priority=_AS_PRIORITY[outcome], is_users=case.manager.is_users, **fields)
    return Ended(outcome, text)


def _fields(case: Case) -> dict[str, str]:
    return {"TABBY_SIGNATURE": case.signature, "TABBY_REMEDY": case.remedy.start}
