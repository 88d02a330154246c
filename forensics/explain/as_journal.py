"""Records of a pasted text in, journal fields out: who is about which unit, where each run of a unit begins, and an end for what has none.

Text says neither units nor invocations. Lines of the manager name units; a unit's lines between a start and the next are one run; what
has no manager's line is one run of its identifier, which is then taken to have failed after its last line (`assumed`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from forensics.explain import systemd_text
from forensics.explain.log_formats import Record
from forensics.explain.records import TIME, Fields, Told
from forensics.explain.systemd_text import Saying, saying
from forensics.model import systemd

KERNEL = "kernel.service"  # whom a text of nothing but kernel lines is about
STEP = 10  # µs between two lines of one tick: as the lines of one write are apart
_OTHERS = re.compile(r"systemd|kernel$|sudo$|su$|sshd|CRON$|cron$|audit|dbus-|polkit|login|NetworkManager|rsyslogd|chronyd|wpa_supplicant")
_DUMPED = re.compile(r"Process (\d{1,10}) \(.*\) of user \d+ dumped core")
_BY_CHILD = re.compile(r"\(.*\)$")  # systemd's child before it becomes the service


@dataclass(frozen=True, slots=True)
class Pasted:
    """Journal fields of a text. assumed: the invocations whose end the text does not show."""

    told: tuple[Told, ...]
    assumed: frozenset[str]


@dataclass(slots=True)
class _Unit:
    """How far the story of one unit is told."""

    run: int = 0
    begun: bool = False  # a line of this run is there
    started: bool = False  # the manager said that this run starts, or has
    ended: bool = False
    scheduled: bool = False  # its restart is scheduled: the next line is another run's
    limited: bool = False
    time: int = 0
    line: int = 0
    spoke: list[str] = field(default_factory=list)


def as_journal(records: Sequence[Record]) -> Pasted:
    """The records as the journal would have them."""
    sayings = _sayings(records)
    owners = _owners(records, sayings)
    units: dict[str, _Unit] = {}
    told: list[Told] = []
    now = 0
    for record, said, unit in zip(records, sayings, owners, strict=True):
        now = max(record.time or 0, now + STEP)
        fields = _common(record, now)
        if unit is not None:
            story = units.setdefault(unit, _Unit())
            _turn(story, said)
            story.time, story.line, story.begun = now, record.line, True
            fields |= _of_unit(unit, _id(unit, story.run), said)
        told.append(Told(record.line, fields))
    open_ones = {unit: story for unit, story in units.items() if unit.endswith(".service") and not story.ended and not story.scheduled}
    last = max((story.time for story in units.values()), default=0)
    for unit, story in open_ones.items():
        told += _assumed_end(unit, story, last)
    return Pasted(tuple(told), frozenset(_id(unit, story.run) for unit, story in open_ones.items()))


def _id(unit: str, run: int) -> str:
    return f"{unit}#{run}"


def _common(record: Record, now: int) -> Fields:
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


def _of_unit(unit: str, invocation: str, said: Saying | None) -> Fields:
    if said is None:
        return {"_SYSTEMD_UNIT": unit, "_SYSTEMD_INVOCATION_ID": invocation}
    fields: Fields = {
        "_PID": "1",
        "_COMM": "systemd",
        "_SYSTEMD_UNIT": "init.scope",
        "_TRANSPORT": "journal",
        "SYSLOG_IDENTIFIER": "systemd",
    }
    ids: Fields = {"MESSAGE_ID": said.kind} if said.kind is not None and said.kind != systemd_text.START_LIMIT else {}
    return fields | {"UNIT": unit, "INVOCATION_ID": invocation} | ids | said.fields


def _turn(story: _Unit, said: Saying | None) -> None:
    """One more line of the unit: does it begin a run, does it end one."""
    kind = None if said is None else said.kind
    starts = kind in {systemd.UNIT_STARTING, systemd.UNIT_STARTED}
    again = starts and (story.ended or story.scheduled or (kind == systemd.UNIT_STARTING and story.started))
    opens = kind in {None, systemd.SPAWN_FAILED, systemd.UNIT_PROCESS_EXIT} and story.scheduled and not story.limited
    if (again or opens) and story.begun:
        story.run += 1
        story.started = story.ended = story.scheduled = story.limited = False
    story.started |= starts
    story.limited |= kind == systemd_text.START_LIMIT
    story.ended |= kind in {
        systemd.UNIT_PROCESS_EXIT,
        systemd.UNIT_FAILURE_RESULT,
        systemd.UNIT_SUCCESS,
        systemd.UNIT_STOPPED,
        systemd.UNIT_STOPPING,
        systemd.UNIT_FAILED,
    }
    story.scheduled |= kind == systemd.UNIT_RESTART_SCHEDULED


def _assumed_end(unit: str, story: _Unit, now: int) -> list[Told]:
    ends = (
        Saying(systemd.UNIT_PROCESS_EXIT, unit, None, {"EXIT_CODE": "exited", "EXIT_STATUS": "1", "COMMAND": "ExecStart"}),
        Saying(systemd.UNIT_FAILURE_RESULT, unit, None, {"UNIT_RESULT": "exit-code"}),
    )
    record = Record(story.line, "")
    at = max(now, story.time)
    return [Told(0, _common(record, at + (n + 1) * STEP) | _of_unit(unit, _id(unit, story.run), end)) for n, end in enumerate(ends)]


def _sayings(records: Sequence[Record]) -> list[Saying | None]:
    """What each of the manager's lines says, with its unit where only its description is named; null for lines of others."""
    found = [_saying(record) for record in records]
    units = dict.fromkeys(said.unit for said in found if said is not None and said.unit is not None and said.unit.endswith(".service"))
    titles = {said.title: said.unit for said in found if said is not None and said.title and said.unit}
    only = next(iter(units)) if len(units) == 1 else None
    return [
        said if said is None or said.unit is not None or said.title is None else replace(said, unit=titles.get(said.title, only))
        for said in found
    ]


def _saying(record: Record) -> Saying | None:
    if record.kernel:
        return None
    who = record.identifier or ""
    if who == "systemd" or record.unit == "init.scope":
        return saying(record.message)
    if _BY_CHILD.match(who) or record.unit is not None or re.match(rf"{systemd_text.UNIT}: Fail", record.message):
        said = saying(record.message)
        return said if said.kind == systemd.SPAWN_FAILED or (_BY_CHILD.match(who) and said.unit is not None) else None
    return None


def _owners(records: Sequence[Record], sayings: Sequence[Saying | None]) -> list[str | None]:
    """The unit that each record is about, null for what is about none."""
    units = list(dict.fromkeys(said.unit for said in sayings if said is not None and said.unit and said.unit.endswith(".service")))
    alone = not units and len({record.identifier for record in records if not record.kernel}) == 1
    if not units and all(record.kernel for record in records):
        return [KERNEL] * len(records)
    by_process: dict[tuple[str | None, int | None], str | None] = {}
    owners: list[str | None] = []
    latest: str | None = units[0] if units else None
    for record, said in zip(records, sayings, strict=True):
        if said is not None:
            latest = said.unit if said.kind in {systemd.UNIT_STARTING, systemd.UNIT_STARTED} and said.unit in units else latest
            owners.append(said.unit)
            continue
        speaker = (record.identifier, record.pid)
        if speaker not in by_process:
            by_process[speaker] = _owner(record, units, latest, alone=alone)
        owners.append(record.unit or by_process[speaker])
    return owners


def _owner(record: Record, units: Sequence[str], latest: str | None, *, alone: bool) -> str | None:
    who = record.identifier or "log"
    named = f"{who}.service"
    if record.kernel or named in units:
        return None if record.kernel else named
    if _OTHERS.match(who) and not alone:
        return None
    return latest if units else named
