"""Start what a user declared against a failure class: once for a cause, recorded before it runs.

`start_declared` is what the gate calls when it opens: standard library only, at most a file and one call of systemd-run.
"""

from __future__ import annotations

import os

from forensics.errors import ForensicsError
from forensics.guard.journal_entry import write_entry
from forensics.guard.own_calls import own_call
from forensics.guard.remedy.declared import read_remedies, remedies_file, remedy_for
from forensics.guard.systemctl import Manager, called
from forensics.model.own_entries import REMEDY_ENDED

REFUSED = "refused"  # TABBY_OUTCOME= of a remedy that was declared and not started
WITHIN_S = 5.0
PREFIX = "tabby-remedy-"  # of the transient units that run remedies


def start_declared(manager: Manager, unit: str, signature: str) -> bool:
    """Start `remedy run` beside the caller where a remedy is declared for a class of a unit; never fail, never wait for it."""
    try:
        return _started(manager, unit, signature)
    except (ForensicsError, OSError, RuntimeError, ValueError) as error:
        text = f"No remedy is started for {unit}: {' '.join(str(error).split())}"
        write_entry(REMEDY_ENDED, unit, text, priority=3, is_users=manager.is_users, TABBY_SIGNATURE=signature, TABBY_OUTCOME=REFUSED)
        return False


def _started(manager: Manager, unit: str, signature: str) -> bool:
    file = remedies_file(manager)
    if not file.exists() or remedy_for(read_remedies(file), unit, signature) is None:
        return False
    done = called(command(manager, unit, signature), WITHIN_S)
    if done.returncode != 0:
        raise ForensicsError(done.stderr or "systemd-run failed.")
    return True


def command(manager: Manager, unit: str, signature: str) -> list[str]:
    """Return the call of systemd-run that runs a remedy in a unit of its own."""
    name = f"{PREFIX}{unit.removesuffix('.service')[:200]}-{os.urandom(4).hex()}"
    about = (f"--description=Remedy of {unit}", "--property=SuccessExitStatus=3 4")  # that it did not help is no failure of this unit
    return own_call(manager, name, about, ("remedy", "run", *manager.options, "--", unit, signature), waits=False)
