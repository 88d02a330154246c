"""Mark a unit as being repaired for as long as the process that sees to it lives."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forensics.files import open_private
from forensics.guard.remedy.ledger import LedgerError
from forensics.guard.systemctl import Manager


@contextmanager
def in_progress(manager: Manager, unit: str) -> Iterator[None]:
    """Mark a unit as being repaired, until this process ends in whatever way. Raises LedgerError where it is already."""
    with open_private(_lock_of(manager, unit), "ab") as file:  # whoever can open it could lock it for ever
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerError(f"A remedy of {unit} is running already.") from None
        yield


def is_in_progress(manager: Manager, unit: str) -> bool:
    """Whether a remedy of a unit is running: a start of the unit would meet it half repaired."""
    try:
        with in_progress(manager, unit):
            return False
    except LedgerError:
        return True
    except OSError:
        return False


def _lock_of(manager: Manager, unit: str) -> Path:
    directory = manager.runtime_directory / "remedy"
    directory.mkdir(parents=True, exist_ok=True)
    return directory / f"{unit}.lock"
