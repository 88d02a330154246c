"""Check that nobody else listens where the unit will."""

from __future__ import annotations

import errno
import re
import socket
import time
from pathlib import Path

from forensics.guard.listeners import Holder, holders
from forensics.guard.preflight.checks import OK, Outcome, Port, failed, unknown
from forensics.guard.preflight.unit import Unit

GRACE_S, STEP_S = 2.0, 0.25  # a process that is about to end
WILDCARDS = {"0.0.0.0", "::"}  # noqa: S104 - compared, not bound
LONGEST_NAME, _UNUSUAL = 40, re.compile(r"[^\w.+:-]", re.ASCII)
TABLE = Path("/proc/self/net/tcp")


def check_port(check: Port, unit: Unit) -> Outcome:
    """Check a port; one that is taken is looked at again for a moment."""
    if not TABLE.exists() and not check.address:
        return unknown("/proc/net/tcp is hidden from this unit, and the checks name no address to try")
    until = time.monotonic() + GRACE_S
    while True:
        outcome = _check_once(check, unit)
        if outcome.status != "failed" or time.monotonic() >= until:
            return outcome
        time.sleep(STEP_S)


def _check_once(check: Port, unit: Unit) -> Outcome:
    found = [holder for holder in holders(check.port).found if _may_conflict(check.address, holder.address)]
    if TABLE.exists() and not found:
        return OK
    address = check.address or ("127.0.0.1" if any(each.address in WILDCARDS for each in found) else found[0].address)
    taken = is_taken(address, check.port)
    if taken is False:
        return OK
    if taken is None and not any(each.address in {address, "0.0.0.0"} for each in found):  # noqa: S104 - compared
        return unknown(f"whether {address} port {check.port} can be taken could not be tried")
    return _judged(check, unit, found)


def _judged(check: Port, unit: Unit, found: list[Holder]) -> Outcome:
    """Judge a port that is taken by those who hold it: a socket unit or the running unit itself may."""
    if any(each.pid == 1 or each.unit == "init.scope" for each in found):
        return OK  # socket activation: the manager hands it over
    if unit.is_active and not unit.inside and any(each.unit == unit.name for each in found):
        return OK
    unseen = not found or any(each.pid is None for each in found)
    if unseen and not unit.properties:
        return unknown(f"port {check.port} is taken, and whether by this unit's socket unit is not known: {unit.silent.rstrip('.')}")
    if unseen and ".socket" in unit.properties.get("TriggeredBy", ""):
        return OK
    return failed(f"[Errno 98] address already in use: port {check.port} is held by {_described(found)}")


def is_taken(address: str, port: int) -> bool | None:
    """Try to take an address and port for a moment, without listening; None where this user or host cannot."""
    try:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what ended lately does not count
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            tried.bind((address, port))
    except OSError as error:
        return True if error.errno == errno.EADDRINUSE else None
    return False


def _may_conflict(wanted: str, held: str) -> bool:
    if wanted in {"", *WILDCARDS}:
        return wanted != "" or held in WILDCARDS or held.startswith("127.") or held == "::1"
    return held in {*WILDCARDS, wanted, f"::ffff:{wanted}"}


def _described(found: list[Holder]) -> str:
    if not found or found[0].pid is None:
        return "a process that this user cannot see"
    names = [f"process {each.pid} ({_name(each)}){f' of {each.unit}' if each.unit else ''}" for each in found if each.pid is not None]
    return " and ".join(dict.fromkeys(names))


def _name(holder: Holder) -> str:
    """Name the holder's program only: its arguments may be secret, and their text would get into the unit's log."""
    return _UNUSUAL.sub("?", holder.command.split(" ")[0].rpartition("/")[2])[:LONGEST_NAME]
