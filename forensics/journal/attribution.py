"""Decide which unit, invocation and manager an entry is attributed to.

A service's own entries are attributed to the service; those of the service manager, journald and systemd-coredump to the unit
they name. Any program may write UNIT= and the like through the native protocol (only fields with a leading underscore are
journald's own), so a claim counts only from a trusted writer; `journalctl -u` has such conditions too (src/shared/logs-show.c,
add_matches_for_unit: `_PID=1` for UNIT=, `_UID=0` for OBJECT_SYSTEMD_UNIT=). A process whose cgroup is not known is not trusted:
any program that exits at once is one. The exceptions are root's: a child of the manager that could not execute a program, the
kernel's core dump handler, and this program; what the latter states as another user is about that user's units only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forensics.journal.dictionary import TEXT, Codes, Rows, Vocabulary, from_codes, vocabulary
from forensics.model import systemd
from forensics.model.own_entries import OWN_ENTRIES
from forensics.model.trusted import COREDUMP_SERVICE, FORKED_CHILD, MANAGER_PROGRAM

UNIT_FIELDS = (
    "_SYSTEMD_UNIT",
    "_SYSTEMD_USER_UNIT",
    "UNIT",
    "USER_UNIT",
    "OBJECT_SYSTEMD_UNIT",
    "OBJECT_SYSTEMD_USER_UNIT",
    "COREDUMP_UNIT",
    "COREDUMP_USER_UNIT",
)
INVOCATION_FIELDS = ("_SYSTEMD_INVOCATION_ID", "INVOCATION_ID", "USER_INVOCATION_ID", "OBJECT_SYSTEMD_INVOCATION_ID")
UID_FIELDS = ("_UID", "_SYSTEMD_OWNER_UID", "OBJECT_UID", "OBJECT_SYSTEMD_OWNER_UID", "COREDUMP_UID", "COREDUMP_OWNER_UID")
PROCESS_FIELDS = ("_PID", "_COMM", "_EXE", "_TRANSPORT", "MESSAGE_ID")
FIELDS = (*UNIT_FIELDS, *INVOCATION_FIELDS, *UID_FIELDS, *PROCESS_FIELDS)
Marks = npt.NDArray[np.bool_]
Process = Mapping[str, Vocabulary]  # each of PROCESS_FIELDS
SYSTEM, NO_UID = 0, 1  # codes of `manager`; the users' managers follow


@dataclass(slots=True)
class _Attribution:
    """Codes per entry; later claims, which are more specific, overwrite earlier ones."""

    unit: Codes
    invocation: Codes
    manager: Codes

    def claim(self, rows: Rows, unit: Codes, invocation: Codes | None, manager: Codes | int) -> None:
        self.unit[rows] = unit[rows]
        self.invocation[rows] = -1 if invocation is None else invocation[rows]
        self.manager[rows] = manager


def attribute_entries(
    fields: Mapping[str, pa.DictionaryArray], n: int
) -> tuple[pa.DictionaryArray, pa.DictionaryArray, pa.DictionaryArray]:
    """Return the columns unit, invocation and manager of n entries."""
    units, invocations, uids = (vocabulary(fields, names, n) for names in (UNIT_FIELDS, INVOCATION_FIELDS, UID_FIELDS))
    process = {name: vocabulary(fields, [name], n) for name in PROCESS_FIELDS}
    own = units.codes["_SYSTEMD_UNIT"]
    manager = np.where(own >= 0, np.int32(SYSTEM), np.int32(-1))
    result = _Attribution(own.copy(), invocations.codes["_SYSTEMD_INVOCATION_ID"].copy(), manager)
    result.invocation[own < 0] = -1
    _user_units(result, units, invocations, uids)
    _object_units(result, units, invocations, uids, process)
    _own_entries_of_users(result, units, invocations, uids, process)
    _system_manager(result, units, invocations, uids, process)
    _user_managers(result, units, invocations, uids, process)
    _coredumps(result, units, uids, process)
    names = pa.array(["system", "user:?", *(f"user:{uid}" for uid in uids.values.to_pylist())], TEXT)
    return from_codes(result.unit, units.values), from_codes(result.invocation, invocations.values), from_codes(result.manager, names)


def _user_units(result: _Attribution, units: Vocabulary, invocations: Vocabulary, uids: Vocabulary) -> None:
    """Attribute a user service's own entries; their `_SYSTEMD_UNIT` is the user's manager, user@1000.service."""
    rows = np.flatnonzero(units.codes["_SYSTEMD_USER_UNIT"] >= 0)
    manager = _user_manager(uids, rows, "_SYSTEMD_OWNER_UID", "_UID")
    result.claim(rows, units.codes["_SYSTEMD_USER_UNIT"], invocations.codes["_SYSTEMD_INVOCATION_ID"], manager)


def _object_units(result: _Attribution, units: Vocabulary, invocations: Vocabulary, uids: Vocabulary, process: Process) -> None:
    """Attribute what journald ("Suppressed 125 messages from …") and root daemons log about a unit; journald adds OBJECT_SYSTEMD_*."""
    writer = units.codes["_SYSTEMD_UNIT"]
    trusted = (
        (writer == units.find("systemd-journald.service"))
        | ((uids.codes["_UID"] == uids.find("0")) & ((writer >= 0) | _is_ours(process)))
        | process["_TRANSPORT"].equals("_TRANSPORT", "driver")
    )
    # of a process in the unit itself the invocation is known
    rows = np.flatnonzero((units.codes["OBJECT_SYSTEMD_UNIT"] >= 0) & trusted & (units.codes["OBJECT_SYSTEMD_UNIT"] != writer))
    result.claim(rows, units.codes["OBJECT_SYSTEMD_UNIT"], invocations.codes["OBJECT_SYSTEMD_INVOCATION_ID"], SYSTEM)
    rows = np.flatnonzero((units.codes["OBJECT_SYSTEMD_USER_UNIT"] >= 0) & trusted)
    manager = _user_manager(uids, rows, "OBJECT_SYSTEMD_OWNER_UID", "OBJECT_UID")
    result.claim(rows, units.codes["OBJECT_SYSTEMD_USER_UNIT"], invocations.codes["OBJECT_SYSTEMD_INVOCATION_ID"], manager)


def _own_entries_of_users(result: _Attribution, units: Vocabulary, invocations: Vocabulary, uids: Vocabulary, process: Process) -> None:
    """Attribute what this program states as some user about a unit of that user's manager: `gate probe` runs in a unit of its own."""
    claimed, own = units.codes["OBJECT_SYSTEMD_USER_UNIT"], units.codes["_SYSTEMD_USER_UNIT"]
    if not (claimed >= 0).any():
        return
    is_users = (uids.codes["_UID"] >= 0) & (uids.codes["OBJECT_UID"] < 0)
    rows = np.flatnonzero((claimed >= 0) & (claimed != own) & is_users & _is_ours(process))
    result.claim(rows, claimed, invocations.codes["OBJECT_SYSTEMD_INVOCATION_ID"], _user_manager(uids, rows, "_UID"))


def _is_ours(process: Process) -> Marks:
    return process["MESSAGE_ID"].has("MESSAGE_ID", f"^(?:{'|'.join(OWN_ENTRIES)})$")


def _system_manager(result: _Attribution, units: Vocabulary, invocations: Vocabulary, uids: Vocabulary, process: Process) -> None:
    """Attribute the entries of PID 1, and of its forked children before they execute a service's program.

    Such a child is in init.scope or in the unit's cgroup already; only root's counts where journald came too late to find it.
    """
    claimed, writer = units.codes["UNIT"], units.codes["_SYSTEMD_UNIT"]
    rows = np.flatnonzero(claimed >= 0)
    if not len(rows):
        return
    unplaced = (writer < 0) & (uids.codes["_UID"] == uids.find("0")) & process["MESSAGE_ID"].equals("MESSAGE_ID", systemd.SPAWN_FAILED)
    child = _is_forked_child(process, (writer == claimed) | unplaced, unplaced)
    trusted = process["_PID"].equals("_PID", "1") | (writer == units.find("init.scope")) | child
    result.claim(rows[trusted[rows]], claimed, invocations.codes["INVOCATION_ID"], SYSTEM)


def _user_managers(result: _Attribution, units: Vocabulary, invocations: Vocabulary, uids: Vocabulary, process: Process) -> None:
    """Attribute the entries of users' managers and their forked children; a writer outside of any user unit is not trusted."""
    claimed, writer = units.codes["USER_UNIT"], units.codes["_SYSTEMD_USER_UNIT"]
    rows = np.flatnonzero(claimed >= 0)
    if not len(rows):
        return
    trusted = (writer == units.find("init.scope")) | _is_forked_child(process, writer == claimed)
    rows = rows[trusted[rows]]
    result.claim(rows, claimed, invocations.codes["USER_INVOCATION_ID"], _user_manager(uids, rows, "_SYSTEMD_OWNER_UID", "_UID"))


def _is_forked_child(process: Process, possible: Marks, nameless: Marks | None = None) -> Marks:
    """Whether a process has not executed a service's program yet: by its name, and by its program where journald came in time to read it.

    nameless: which processes may have no recorded name either.
    """
    named = process["_COMM"].has("_COMM", FORKED_CHILD)
    if nameless is not None:
        named |= nameless & (process["_COMM"].codes["_COMM"] < 0)
    unexecuted = (process["_EXE"].codes["_EXE"] < 0) | process["_EXE"].has("_EXE", f"^(?:{MANAGER_PROGRAM})$")
    return np.asarray(possible & named & unexecuted, np.bool_)


def _coredumps(result: _Attribution, units: Vocabulary, uids: Vocabulary, process: Process) -> None:
    """Attribute systemd-coredump's entries to the unit that crashed; they carry no invocation of it.

    It writes them in its own unit as its own system user, which journalctl's condition `_UID=0` leaves out, or as the kernel started it:
    root's, in no unit.
    """
    genuine = process["MESSAGE_ID"].equals("MESSAGE_ID", systemd.COREDUMP)
    if not genuine.any():
        return
    unplaced = (units.codes["_SYSTEMD_UNIT"] < 0) & (uids.codes["_UID"] == uids.find("0"))
    genuine &= unplaced | units.has("_SYSTEMD_UNIT", f"^{COREDUMP_SERVICE}$")
    rows = np.flatnonzero(genuine & (units.codes["COREDUMP_UNIT"] >= 0))
    result.claim(rows, units.codes["COREDUMP_UNIT"], None, SYSTEM)
    # for a crash inside a user's manager COREDUMP_UNIT is that manager, user@1000.service
    rows = np.flatnonzero(genuine & (units.codes["COREDUMP_USER_UNIT"] >= 0))
    manager = _user_manager(uids, rows, "COREDUMP_OWNER_UID", "COREDUMP_UID", "_SYSTEMD_OWNER_UID")
    result.claim(rows, units.codes["COREDUMP_USER_UNIT"], None, manager)


def _user_manager(uids: Vocabulary, rows: Rows, *names: str) -> Codes:
    """Codes of `manager` for users' units, from the first of the named fields that a row has."""
    uid = uids.codes[names[0]][rows]
    for name in names[1:]:
        uid = np.where(uid >= 0, uid, uids.codes[name][rows])
    return (uid + NO_UID + 1).astype(np.int32)
