"""Check that the clock is set by a time server and was not stepped lately."""

from __future__ import annotations

import ctypes
import ctypes.util
from contextlib import suppress

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, journal_entries
from forensics.model.systemd import TIME_CHANGE
from forensics.wording import plural

DAYS = 7
FEW = 3  # a boot without a battery-backed clock steps it once
STATUS_AT, STRUCT_SIZE, UNSYNCHRONISED = 40, 256, 0x40  # adjtimex(2): timex.status, STA_UNSYNC
MARK = "run/systemd/timesync/synchronized"
MEANS = "Times in reports and of alerts may be wrong, and cannot be compared with those of other hosts."
REMEDY = "Enable a time service, such as `timedatectl set-ntp true`."


def check(host: Host) -> Finding:
    steps = journal_entries(host, TIME_CHANGE, host.now - DAYS * 86_400)
    synchronised = True if host.at(MARK).exists() else _kernel_is_synchronised() if host.is_here else None
    if steps is not None and len(steps) > FEW:
        found = f"the clock was stepped {plural(len(steps), 'time')} in {DAYS} days"
        return Finding(PROBLEM, found, f"{MEANS} Steps are taken out of lengths, but not out of times.", REMEDY)
    if synchronised is None:
        return Finding(UNKNOWN, "whether the clock is synchronised cannot be seen", MEANS, REMEDY)
    if not synchronised:
        return Finding(PROBLEM, "the clock is not synchronised", MEANS, REMEDY)
    stepped = f", and was stepped {plural(len(steps), 'time')} in {DAYS} days" if steps else ""
    return Finding(OK, f"the clock is synchronised{stepped}")


def _kernel_is_synchronised() -> bool | None:
    """Ask the kernel, as timedatectl does; null where it does not answer."""
    buffer = ctypes.create_string_buffer(STRUCT_SIZE)  # modes = 0: nothing is changed
    with suppress(OSError, AttributeError):
        if ctypes.CDLL(None).adjtimex(buffer) >= 0:
            return not int.from_bytes(buffer.raw[STATUS_AT : STATUS_AT + 4], "little") & UNSYNCHRONISED
    return None
