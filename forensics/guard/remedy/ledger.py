"""Remember on disk which remedy was started for which cause, so that none is started twice for one, whatever is killed.

A cause is a class of a unit in an environment (environment.py). A remedy may change that environment itself, as a rebuilt virtual
environment does, and the first start after it may once more (compiled files in site-packages). A changed environment is therefore a new
cause only once the unit has held since the last remedy, and only if it is none of those that were recorded before the remedy, after it and
when the unit had held. A clock, an environment that changes by itself or a lost record cannot bring a second start within a day.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from forensics.errors import ForensicsError
from forensics.files import NotReadableError, open_private, read_bounded, sync_directory, write_atomically
from forensics.guard.directories import state_directory
from forensics.guard.systemctl import Manager

AGAIN_S = 86_400.0
LONGEST_FILE = 1 << 20
MOST_KEPT = 50  # of a cause; the oldest are forgotten
DONE, FAILED, TIMED_OUT = "done", "failed", "timed-out"  # TABBY_OUTCOME= of a remedy that was started


class LedgerError(ForensicsError):
    """The ledger cannot be read or written: no remedy is started."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a remedy. at: seconds since 1970; outcome: "" while its end is not recorded; held: whether the unit held afterwards.

    before, after, settled: the environment before it, after it, and when the unit had held; "" where not known.
    """

    remedy: str
    at: float
    before: str
    after: str = ""
    settled: str = ""
    outcome: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """What was started for a class of a unit, the oldest first."""

    unit: str
    signature: str
    starts: tuple[Start, ...] = field(default=())


def ledger_directory(manager: Manager) -> Path:
    return state_directory(manager) / "remedies"


def file_of(directory: Path, unit: str, signature: str) -> Path:
    key = f"{unit}\0{signature}".encode(errors="replace")
    return directory / f"{hashlib.sha256(key).hexdigest()[:32]}.json"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other processes from deciding at the same time. Raises LedgerError."""
    try:
        _make(directory)
        with open_private(directory / ".lock", "ab") as lock:  # whoever can open it could lock it for ever
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise LedgerError(f"'{directory}' cannot be written ({error.strerror}): no remedy is started.") from None


def _make(directory: Path) -> None:
    """Make a directory, and those above it, so that they survive a power failure."""
    if directory.is_dir():
        return
    _make(directory.parent)
    directory.mkdir(mode=0o755, exist_ok=True)
    sync_directory(directory.parent)


def read_cause(directory: Path, unit: str, signature: str) -> Cause:
    """Return what is recorded about a class of a unit. Raises LedgerError for a damaged record."""
    file = file_of(directory, unit, signature)
    if not os.path.lexists(file):
        return Cause(unit, signature)
    cause = _read(file)
    if (cause.unit, cause.signature) != (unit, signature):
        raise LedgerError(_damaged(file))
    return cause


def read_causes(directory: Path) -> tuple[list[Cause], list[str]]:
    """Return all records, and a sentence about each that is damaged."""
    causes, damaged = [], []
    for file in sorted(directory.glob("*.json")):
        try:
            causes.append(_read(file))
        except LedgerError as error:
            damaged.append(str(error))
    return sorted(causes, key=lambda cause: (cause.unit, cause.signature)), damaged


def write_cause(directory: Path, cause: Cause) -> None:
    """Record a cause so that it survives a power failure. Raises LedgerError."""
    record = asdict(replace(cause, starts=cause.starts[-MOST_KEPT:]))
    text = json.dumps({"sum": _sum(record), "record": record}, indent=1)
    file = file_of(directory, cause.unit, cause.signature)
    try:
        write_atomically(file, text + "\n", mode=0o644)
    except OSError as error:
        raise LedgerError(f"'{file}' cannot be written ({error.strerror}): no remedy is started.") from None


def forget_cause(directory: Path, unit: str, signature: str) -> bool:
    """Remove what is recorded about a class of a unit, damaged or not; whether there was a record. Raises LedgerError."""
    file = file_of(directory, unit, signature)
    if not os.path.lexists(file):
        return False
    with locked(directory):
        file.unlink(missing_ok=True)
        sync_directory(directory)
    return True


def refusal(cause: Cause, environment: str, now: float, *, held_since: bool) -> str:
    """Explain why a remedy must not be started for a cause; "" where it may. held_since: whether the unit held after the last start."""
    if not cause.starts:
        return ""
    last = cause.starts[-1]
    if not (last.held or held_since):
        return f"{last.remedy} ran already for {cause.signature} and did not help{_ended(last)}: a person is needed"
    if any(environment in (start.before, start.after, start.settled) for start in cause.starts):
        return f"{last.remedy} ran already for {cause.signature} in this environment, and it came back: a person is needed"
    if now - last.at < AGAIN_S:
        return f"{last.remedy} ran less than a day ago for {cause.signature}: a person is needed"
    return ""


def _ended(start: Start) -> str:
    if start.outcome == DONE:
        return ""
    return " (it failed)" if start.outcome == FAILED else " (its end is not recorded)" if not start.outcome else " (it took too long)"


def _read(file: Path) -> Cause:
    """Read a record. Raises LedgerError unless it is as it was written."""
    try:
        content: Any = json.loads(read_bounded(file, LONGEST_FILE))
        record = content["record"]
        if content["sum"] != _sum(record):
            raise LedgerError(_damaged(file))
        return Cause(record["unit"], record["signature"], tuple(Start(**start) for start in record["starts"]))
    except (NotReadableError, ValueError, TypeError, KeyError, RecursionError):
        raise LedgerError(_damaged(file)) from None


def _sum(record: object) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _damaged(file: Path) -> str:
    return f"The record '{file}' is damaged: no remedy is started until a person has looked and removed it."
