"""Turn records of a pasted text into the journal records that they were printed from.

Text shows neither units nor invocations. The manager's messages name units; a unit's lines between one start and the next are one
attempt. Without a message of the manager, the lines of an identifier are one attempt, assumed to have failed after its last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from zlib import crc32

from forensics.explain import systemd_text
from forensics.explain.attribution import ENDS, KERNEL, NO_UNIT, STARTS, UNNAMED, units_of
from forensics.explain.format import PLAIN, UNRECOGNISED, Format
from forensics.explain.log_formats import LogRecord
from forensics.explain.records import Fields, JournalRecord, PastedLine
from forensics.explain.status import stated_by_systemctl
from forensics.explain.supervisors import OF_SUPERVISORD, UNMISTAKABLE, statements_of
from forensics.explain.systemd_text import ManagerMessage, parse_message
from forensics.model import systemd
from forensics.sanitize.lazy_pattern import LazyPattern

__all__ = ["KERNEL", "PastedJournal", "as_journal"]

_NO_MACHINE = "0" * 32
SUPERVISED = "a supervisor's log"
STEP = 10  # µs between two lines with the same time, as between the lines of one write
_DUMPED = LazyPattern(r"Process (\d{1,10}) \(.{0,200}\) of user \d{1,10} dumped core", re.DOTALL)
_BY_CHILD = LazyPattern(r"\(.{1,64}\)\Z", re.DOTALL)  # systemd's child before it becomes the service
_SUFFIX = LazyPattern(rf"(?:{systemd_text.UNIT})\Z")
_SPAWN = LazyPattern(rf"{systemd_text.UNIT}: Fail")
# Who reports how other programs ended, in a journal of systemd's.
_SUPERVISORS = LazyPattern(
    r"supervis|init\Z|docker|containerd|conmon|podman|compose|s6|PM2|pm2|runsv|com\.apple|launchd|nomad|openrc|kubelet"
)

Stated = tuple[LogRecord, ManagerMessage | None]


@dataclass(frozen=True, slots=True)
class PastedJournal:
    """The journal records of a text. assumed: the invocations whose end the text does not show; understood: what the text is.

    as_found: the text has the fields of its records, which its writers claim.
    """

    records: tuple[JournalRecord | PastedLine, ...]
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
    host: str | None = None

    @property
    def invocation(self) -> str:
        return f"{self.name}#{self.attempt}"

    @property
    def is_open(self) -> bool:
        return self.name.endswith(".service") and not self.ended and not self.scheduled


def as_journal(records: Sequence[LogRecord], understood: Format = UNRECOGNISED) -> PastedJournal:
    """Give each record the fields that it has in a journal, and an end to each attempt that has none."""
    stated = _without_repeated(_named(list(_stated(_without_prose(records, understood)))))
    has_hosts = _has_several_hosts(records)
    records, messages = [record for record, _ in stated], [message for _, message in stated]
    units: dict[tuple[str | None, str], _UnitState] = {}
    journal: list[PastedLine] = []
    now = 0
    for record, message, unit in zip(records, messages, units_of(records, messages), strict=True):
        now = max(record.time or 0, now + STEP)
        host = record.host if has_hosts else None
        state = None
        if unit is not None:
            state = units.get((host, unit)) or units.setdefault((host, unit), _UnitState(unit))
            if message is not None or state.scheduled:
                _advance(state, message)
            state.scheduled |= message is not None and message.kind in _FINAL and not _is_systemds(record)
            state.time, state.line, state.host, state.begun = now, record.line, host, True
        journal.append(PastedLine(record.line, now, record.message, _shared_fields(record, host, state, message)))
    unfinished = [state for state in units.values() if state.is_open]
    last = max((state.time for state in units.values()), default=0)
    for state in unfinished:
        journal += _assumed_end(state, last)
    if understood.name == PLAIN and any(message is not None for message in messages):
        understood = replace(understood, name=SUPERVISED, share=1.0)
    return PastedJournal(tuple(journal), frozenset(state.invocation for state in unfinished), understood)


_FINAL = {systemd.UNIT_FAILURE_RESULT, systemd.UNIT_SUCCESS}  # after these another supervisor starts the program anew


def _has_several_hosts(records: Sequence[LogRecord]) -> bool:
    """Whether lines of several hosts alternate; one host may be renamed, or missing in some lines."""
    hosts = [record.host for record in records if record.host is not None]
    return sum(before != after for before, after in pairwise(hosts)) > len(set(hosts)) - 1 if hosts else False


def _shared_fields(record: LogRecord, host: str | None, state: _UnitState | None, message: ManagerMessage | None) -> Fields:
    """The fields of a record without its time and its text; lines of one process and attempt share them."""
    unit, attempt = (state.name, state.attempt) if state and message is None else (None, 0)
    fields = _of_process(host, record.identifier, record.pid, record.kernel, unit, attempt)
    if record.identifier is not None and record.identifier.startswith("systemd-coredump") and (dumped := _DUMPED.match(record.message)):
        fields = fields | {"MESSAGE_ID": systemd.COREDUMP, "COREDUMP_PID": dumped[1], "_UID": "0"}
    return fields | _of_manager(state, message) if state and message is not None else fields


@lru_cache(maxsize=1024)
def _of_process(host: str | None, identifier: str | None, pid: int | None, kernel: bool, unit: str | None, attempt: int) -> Fields:
    """The fields that all lines of a process have in one attempt of a unit."""
    machine = _NO_MACHINE if host is None else f"{crc32(host.encode(errors='replace')):032x}"
    fields: Fields = {
        "_BOOT_ID": machine,
        "_MACHINE_ID": machine,
        "_HOSTNAME": host or "pasted",
        "_TRANSPORT": "kernel" if kernel else "stdout",
    }
    if identifier is not None:
        fields["SYSLOG_IDENTIFIER"] = identifier
    if pid is not None:
        fields["_PID"] = str(pid)
    if unit is not None:
        fields |= {"_SYSTEMD_UNIT": unit, "_SYSTEMD_INVOCATION_ID": f"{unit}#{attempt}"}
    return fields


def _of_manager(state: _UnitState, message: ManagerMessage) -> Fields:
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
    starts = kind in STARTS
    again = starts and (state.ended or state.scheduled or (kind == systemd.UNIT_STARTING and state.started))
    opens = kind in {None, systemd.SPAWN_FAILED, systemd.UNIT_PROCESS_EXIT} and state.scheduled and not state.limited
    if (again or opens) and state.begun:
        state.attempt += 1
        state.started = state.ended = state.scheduled = state.limited = False
    state.started |= starts
    state.limited |= kind == systemd_text.START_LIMIT
    state.ended |= kind in ENDS
    state.scheduled |= kind == systemd.UNIT_RESTART_SCHEDULED


def _assumed_end(state: _UnitState, now: int) -> list[PastedLine]:
    ends = (
        ManagerMessage(systemd.UNIT_PROCESS_EXIT, state.name, None, {"EXIT_CODE": "exited", "EXIT_STATUS": "1", "COMMAND": "ExecStart"}),
        ManagerMessage(systemd.UNIT_FAILURE_RESULT, state.name, None, {"UNIT_RESULT": "exit-code"}),
    )
    record = LogRecord(state.line, "")
    at = max(now, state.time)
    return [PastedLine(0, at + (n + 1) * STEP, "", _shared_fields(record, state.host, state, end)) for n, end in enumerate(ends)]


def _without_prose(records: Sequence[LogRecord], understood: Format) -> Sequence[LogRecord]:
    """Keep what people wrote around a log away from its units: paragraphs without a prefix in a text of which most lines have one."""
    if not understood.is_understood:
        return records
    result: list[LogRecord] = []
    before, is_prose = -1, False
    for record in records:
        is_bare = record.identifier is None and record.time is None and record.unit is None and record.statement is None
        is_prose = is_bare and (is_prose or record.line > before + 1)
        before = record.line + record.message.count("\n")
        result.append(record._replace(unit=NO_UNIT) if is_prose else record)
    return result


def _is_systemds(record: LogRecord) -> bool:
    return record.identifier == "systemd" or record.unit == "init.scope" or record.statement is not None


def _stated(records: Sequence[LogRecord]) -> Iterator[Stated]:
    """Each record with what a manager or supervisor states by it, once for each statement."""
    is_systemds = any(map(_is_systemds, records))
    is_cat = any(record.identifier is None and systemd_text.states_an_end_or_restart(record.message) for record in records)
    by_supervisord = any("INFO supervisord started with pid" in record.message for record in records[:100])
    for record in records:
        message = _manager_message(record, is_cat=is_cat)
        if message is not None or record.kernel:
            yield record, message
            continue
        statements, unit = stated_by_systemctl(record.message) if record.identifier is None else ((), None)
        if not statements and (not is_systemds or _is_of_supervisor(record)):
            statements = statements_of(record.message)
        by_supervisord |= bool(statements and OF_SUPERVISORD.match(record.message))
        if not statements and by_supervisord and OF_SUPERVISORD.match(record.message):
            yield record._replace(unit=NO_UNIT), None
        elif not statements:
            yield (record._replace(unit=unit) if unit and record.unit is None else record), None
        for statement in statements:
            yield record, statement


def _is_of_supervisor(record: LogRecord) -> bool:
    return record.identifier is None or _is_supervisor(record.identifier) or UNMISTAKABLE.match(record.message) is not None


@lru_cache(maxsize=256)
def _is_supervisor(identifier: str) -> bool:
    return _SUPERVISORS.match(identifier) is not None


def _manager_message(record: LogRecord, *, is_cat: bool) -> ManagerMessage | None:
    if record.statement is not None or record.kernel:
        return record.statement
    identifier = record.identifier or ""
    if identifier == "systemd" or record.unit == "init.scope":
        return parse_message(record.message)
    if record.identifier is None and is_cat:
        is_ours = systemd_text.states_an_end_or_restart(record.message) or systemd_text.names_a_job(record.message)
        return parse_message(record.message) if is_ours else None
    by_child = identifier.startswith("(") and _BY_CHILD.match(identifier)
    if by_child or record.unit is not None or (record.message.find(": Fail", 0, 300) >= 0 and _SPAWN.match(record.message)):
        message = parse_message(record.message)
        return message if message.kind == systemd.SPAWN_FAILED or (by_child and message.unit is not None) else None
    return None


def _named(stated: list[Stated]) -> list[Stated]:
    """Fill in the unit of statements that name only its description, or nothing."""
    messages = [message for _, message in stated if message is not None]
    units = dict.fromkeys(m.unit for m in messages if m.unit is not None and m.unit.endswith(".service"))
    titles = {m.title: m.unit for m in messages if m.title and m.unit}
    titles |= _titles_of_failures(messages, titles)
    only = next(iter(units)) if len(units) == 1 else None
    known = dict.fromkeys(record.identifier for record, _ in stated if record.identifier)
    latest = only or UNNAMED
    named: list[Stated] = []
    for record, statement in stated:
        message = statement
        if message is not None and not _is_systemds(record):
            name = message.unit or record.unit or record.identifier
            message = replace(message, unit=_unit_named(name, known) if name else latest)
        elif message is not None and message.unit is None and message.title is not None:
            of_section = record.unit if record.unit and record.unit.endswith(".service") else None
            message = replace(message, unit=of_section or titles.get(message.title, only))
        if message is not None and message.unit is not None and message.kind in STARTS | ENDS and message.unit.endswith(".service"):
            latest = message.unit
        named.append((record, message))
    return named


def _titles_of_failures(messages: Sequence[ManagerMessage], known: dict[str, str]) -> dict[str, str]:
    """Descriptions of units by the line after a failure: "x.service: Failed with result …", "Failed to start The X."."""
    failure = None
    titles: dict[str, str] = {}
    for message in messages:
        if message.kind == systemd.UNIT_FAILED and message.title and message.unit is None and failure and message.title not in known:
            titles.setdefault(message.title, failure)
        failure = message.unit if message.kind == systemd.UNIT_FAILURE_RESULT else None
    return titles


def _unit_named(name: str, known: dict[str, None]) -> str:
    """The unit of a supervisor's name for a program; docker compose puts the project before it, and the number after."""
    service = name if name in known else next((id_ for id_ in known if name.endswith((f"_{id_}", f"-{id_}"))), name)
    return service if _SUFFIX.fullmatch(service) else f"{service}.service"


def _without_repeated(stated: list[Stated]) -> list[Stated]:
    """Leave out statements that only repeat, where another one shows the unit's end."""
    shown = {message.unit for _, message in stated if message is not None and not message.is_repeated and message.kind in _SHOWN}
    result: list[Stated] = []
    for record, message in stated:
        if message is None or not message.is_repeated or message.unit not in shown:
            result.append((record, message))
    return result


_SHOWN = {systemd.UNIT_PROCESS_EXIT, systemd.UNIT_FAILURE_RESULT, systemd.UNIT_SUCCESS}
