"""Turn records of a pasted text into the journal records that they were printed from.

Text shows neither units nor invocations. The manager's messages name units; a unit's lines between one start and the next are one
attempt. Without a message of the manager, the lines of an identifier are one attempt, assumed to have failed after its last line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from forensics.explain import systemd_text
from forensics.explain.format import UNRECOGNISED, Format
from forensics.explain.log_formats import LogRecord
from forensics.explain.records import TIME, Fields, JournalRecord
from forensics.explain.systemd_text import ManagerMessage, parse_message
from forensics.model import systemd
from forensics.model.own_entries import IDENTIFIER, OWN_TEXTS

KERNEL = "kernel.service"  # the unit of a text of nothing but kernel lines
STEP = 10  # µs between two lines with the same time, as between the lines of one write
_OTHERS = re.compile(r"systemd|kernel$|sudo$|su$|sshd|CRON$|cron$|audit|dbus-|polkit|login|NetworkManager|rsyslogd|chronyd|wpa_supplicant")
_OWN = re.compile(OWN_TEXTS)
_DUMPED = re.compile(r"Process (\d{1,10}) \(.*\) of user \d+ dumped core")
_BY_CHILD = re.compile(r"\(.*\)$")  # systemd's child before it becomes the service
_ENDS = {
    systemd.UNIT_PROCESS_EXIT,
    systemd.UNIT_FAILURE_RESULT,
    systemd.UNIT_SUCCESS,
    systemd.UNIT_STOPPED,
    systemd.UNIT_STOPPING,
    systemd.UNIT_FAILED,
}


@dataclass(frozen=True, slots=True)
class PastedJournal:
    """The journal records of a text. assumed: the invocations whose end the text does not show; understood: what the text is.

    as_found: the text has the fields of its records, which its writers claim.
    """

    records: tuple[JournalRecord, ...]
    assumed: frozenset[str] = frozenset()
    understood: Format = UNRECOGNISED
    as_found: bool = False


@dataclass(slots=True)
class _UnitState:
    """The current attempt of a unit, at the line read last."""

    name: str
    attempt: int = 0
    begun: bool = False  # the text has a line of this attempt
    started: bool = False  # the manager logged that this attempt starts or has started
    ended: bool = False
    scheduled: bool = False  # its restart is scheduled: the next line belongs to another attempt
    limited: bool = False
    time: int = 0
    line: int = 0

    @property
    def invocation(self) -> str:
        return f"{self.name}#{self.attempt}"

    @property
    def is_open(self) -> bool:
        return self.name.endswith(".service") and not self.ended and not self.scheduled


def as_journal(records: Sequence[LogRecord], understood: Format = UNRECOGNISED) -> PastedJournal:
    """Give each record the fields that it has in a journal, and an end to each attempt that has none."""
    messages = _manager_messages(records)
    units: dict[str, _UnitState] = {}
    journal: list[JournalRecord] = []
    now = 0
    for record, message, unit in zip(records, messages, _units_of(records, messages), strict=True):
        now = max(record.time or 0, now + STEP)
        fields = _common(record, now)
        if unit is not None:
            state = units.setdefault(unit, _UnitState(unit))
            _advance(state, message)
            state.time, state.line, state.begun = now, record.line, True
            fields |= _unit_fields(state, message)
        journal.append(JournalRecord(record.line, fields))
    unfinished = [state for state in units.values() if state.is_open]
    last = max((state.time for state in units.values()), default=0)
    for state in unfinished:
        journal += _assumed_end(state, last)
    return PastedJournal(tuple(journal), frozenset(state.invocation for state in unfinished), understood)


def _common(record: LogRecord, now: int) -> Fields:
    host = record.host or "pasted"
    fields: Fields = {TIME: str(now), "__MONOTONIC_TIMESTAMP": str(now), "_BOOT_ID": "0" * 32, "_HOSTNAME": host, "_MACHINE_ID": "0" * 32}
    fields |= {"MESSAGE": record.message, "_TRANSPORT": "kernel" if record.kernel else "stdout"}
    if record.identifier is not None:
        fields["SYSLOG_IDENTIFIER"] = record.identifier
    if record.pid is not None:
        fields["_PID"] = str(record.pid)
    if (dumped := _DUMPED.match(record.message)) and (record.identifier or "").startswith("systemd-coredump"):
        fields |= {"MESSAGE_ID": systemd.COREDUMP, "COREDUMP_PID": dumped[1], "_UID": "0"}
    return fields


def _unit_fields(state: _UnitState, message: ManagerMessage | None) -> Fields:
    if message is None:
        return {"_SYSTEMD_UNIT": state.name, "_SYSTEMD_INVOCATION_ID": state.invocation}
    fields: Fields = {
        "_PID": "1",
        "_COMM": "systemd",
        "_SYSTEMD_UNIT": "init.scope",
        "_TRANSPORT": "journal",
        "SYSLOG_IDENTIFIER": "systemd",
    }
    ids: Fields = {"MESSAGE_ID": message.kind} if message.kind is not None and message.kind != systemd_text.START_LIMIT else {}
    return fields | {"UNIT": state.name, "INVOCATION_ID": state.invocation} | ids | message.fields


def _advance(state: _UnitState, message: ManagerMessage | None) -> None:
    """Update the state by one line of the unit, which may begin the next attempt or end this one."""
    kind = None if message is None else message.kind
    starts = kind in {systemd.UNIT_STARTING, systemd.UNIT_STARTED}
    again = starts and (state.ended or state.scheduled or (kind == systemd.UNIT_STARTING and state.started))
    opens = kind in {None, systemd.SPAWN_FAILED, systemd.UNIT_PROCESS_EXIT} and state.scheduled and not state.limited
    if (again or opens) and state.begun:
        state.attempt += 1
        state.started = state.ended = state.scheduled = state.limited = False
    state.started |= starts
    state.limited |= kind == systemd_text.START_LIMIT
    state.ended |= kind in _ENDS
    state.scheduled |= kind == systemd.UNIT_RESTART_SCHEDULED


def _assumed_end(state: _UnitState, now: int) -> list[JournalRecord]:
    ends = (
        ManagerMessage(systemd.UNIT_PROCESS_EXIT, state.name, None, {"EXIT_CODE": "exited", "EXIT_STATUS": "1", "COMMAND": "ExecStart"}),
        ManagerMessage(systemd.UNIT_FAILURE_RESULT, state.name, None, {"UNIT_RESULT": "exit-code"}),
    )
    record = LogRecord(state.line, "")
    at = max(now, state.time)
    return [JournalRecord(0, _common(record, at + (n + 1) * STEP) | _unit_fields(state, end)) for n, end in enumerate(ends)]


def _manager_messages(records: Sequence[LogRecord]) -> list[ManagerMessage | None]:
    """The manager's messages, null for lines of others; where only a unit's description is named, its name is filled in."""
    messages = [_manager_message(record) for record in records]
    units = dict.fromkeys(m.unit for m in messages if m is not None and m.unit is not None and m.unit.endswith(".service"))
    titles = {m.title: m.unit for m in messages if m is not None and m.title and m.unit}
    only = next(iter(units)) if len(units) == 1 else None
    return [m if m is None or m.unit is not None or m.title is None else replace(m, unit=titles.get(m.title, only)) for m in messages]


def _manager_message(record: LogRecord) -> ManagerMessage | None:
    if record.kernel:
        return None
    identifier = record.identifier or ""
    if identifier == "systemd" or record.unit == "init.scope":
        return parse_message(record.message)
    by_child = _BY_CHILD.match(identifier)
    if by_child or record.unit is not None or re.match(rf"{systemd_text.UNIT}: Fail", record.message):
        message = parse_message(record.message)
        return message if message.kind == systemd.SPAWN_FAILED or (by_child and message.unit is not None) else None
    return None


def _units_of(records: Sequence[LogRecord], messages: Sequence[ManagerMessage | None]) -> list[str | None]:
    """The unit that each record is about, null for a record about no unit."""
    units = list(dict.fromkeys(m.unit for m in messages if m is not None and m.unit and m.unit.endswith(".service")))
    alone = not units and len({record.identifier for record in records if not record.kernel}) == 1
    if not units and all(record.kernel for record in records):
        return [KERNEL] * len(records)
    by_process: dict[tuple[str | None, int | None], str | None] = {}
    units_of: list[str | None] = []
    latest: str | None = units[0] if units else None
    for record, message in zip(records, messages, strict=True):
        if message is not None:
            latest = message.unit if message.kind in {systemd.UNIT_STARTING, systemd.UNIT_STARTED} and message.unit in units else latest
            units_of.append(message.unit)
            continue
        process = (record.identifier, record.pid)
        if process not in by_process:
            by_process[process] = _unit_of_process(record, units, latest, alone=alone)
        units_of.append(record.unit or by_process[process])
    return units_of


def _unit_of_process(record: LogRecord, units: Sequence[str], latest: str | None, *, alone: bool) -> str | None:
    identifier = record.identifier or "log"
    named = f"{identifier}.service"
    if record.kernel or named in units:
        return None if record.kernel else named
    if _OTHERS.match(identifier) and not alone:
        return None
    if identifier == IDENTIFIER and _OWN.search(record.message):
        return None
    return latest if units else named
