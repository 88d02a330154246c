"""Decide which unit each line of a text is about: by its own name, its process, the name of its program, or what it stands between.

Nothing is thrown away: a program that belongs to no unit of the text is a unit of its own, unless it only accompanies services.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from forensics.explain.log_formats import LogRecord
from forensics.explain.systemd_text import ManagerMessage
from forensics.model import systemd
from forensics.model.own_entries import IDENTIFIER, OWN_TEXTS
from forensics.sanitize.lazy_pattern import LazyPattern

KERNEL = "kernel.service"  # the unit of a text of nothing but kernel lines
UNNAMED = "log.service"  # the unit of lines without any name
NO_UNIT = ""  # of a record that is known to be about no unit
STARTS = {systemd.UNIT_STARTING, systemd.UNIT_STARTED}
ENDS = {
    systemd.UNIT_PROCESS_EXIT,
    systemd.UNIT_FAILURE_RESULT,
    systemd.UNIT_SUCCESS,
    systemd.UNIT_STOPPED,
    systemd.UNIT_STOPPING,
    systemd.UNIT_FAILED,
}
MOST_SPANS = 16  # that are looked at for one process

Process = tuple[str | None, str | None, int | None]  # host, identifier, process id

# Programs whose lines stand between those of services in every journal; a unit of that name has them all the same.
_COMPANIONS = LazyPattern(
    r"systemd(?:\Z|-[a-z]{1,20}d\Z|-(?:coredump|fsck|sysctl|tmpfiles|modules-load|sysusers|sleep|shutdown|cryptsetup))|kernel\Z|sudo\Z|su\Z|sshd|CRON\Z|crond?\Z|anacron|audit|dbus|polkit|login|gdm|gnome|NetworkManager|rsyslogd|chronyd"
    r"|wpa_supplicant|dhclient|avahi|snapd|packagekitd|unattended-upgr|postfix|rtkit|ntpd|pkexec|doas|useradd|groupadd|kscreen|pulseaudio"
)
_OWN = LazyPattern(OWN_TEXTS)
_SEPARATOR = LazyPattern(r"[-_.]")
_VERSION = LazyPattern(r"[\d.]{1,20}")
_INSTANCE = LazyPattern(r"@.*|\.service\Z", re.DOTALL)
# Programs that are called otherwise than their units, on Debian, Fedora, Arch, SUSE and NixOS.
_ALIASES: dict[str, tuple[str, ...]] = {
    "bind": ("named",),
    "mariadb": ("mysqld", "mariadbd", "mysqld_safe"),
    "mysql": ("mysqld", "mariadbd", "mysqld_safe"),
    "postgresql": ("postgres", "pg_ctl", "pg_ctlcluster"),
    "apache": ("httpd", "apachectl"),
    "httpd": ("apachectl",),
    "samba": ("smbd", "nmbd"),
    "rabbitmq-server": ("rabbitmq", "beam.smp", "erl"),
    "openldap": ("slapd",),
    "redis": ("redis-server",),
    "isc-dhcp-server": ("dhcpd",),
    "ntpsec": ("ntpd",),
    "postfix": ("master",),
    "influxdb": ("influxd",),
    "mongodb": ("mongod",),
}


@dataclass(frozen=True, slots=True)
class _Span:
    """The records of one attempt of a unit as the manager's messages show them. start is -1 where its start is not shown."""

    start: int
    end: int
    unit: str
    is_over: bool


def units_of(records: Sequence[LogRecord], messages: Sequence[ManagerMessage | None]) -> list[str | None]:
    """The unit that each record is about, null for a record about no unit."""
    units = tuple(dict.fromkeys(m.unit for m in messages if m is not None and m.unit and m.unit.endswith(".service")))
    if not units and records and all(record.kernel for record in records):
        return [KERNEL] * len(records)
    of_record = [_process(record) for record in records]
    processes = _processes(records, of_record, messages)
    spans = _spans(messages)
    starts = [span.start for span in spans]
    alone = not units and len({record.identifier for record in records if not record.kernel}) == 1
    forked = {r.pid: m.unit for r, m in zip(records, messages, strict=True) if m is not None and m.unit and r.pid is not None and r.pid > 1}
    names = ProgramNames(units)
    of_process = {
        process: forked.get(process[2] or 0) or _unit_of_process(process, first, last, units, names, spans, starts, alone=alone)
        for process, (first, last) in processes.items()
    }
    supervisors = {_process(r) for r, m in zip(records, messages, strict=True) if m is not None and _is_of_supervisor(r)}
    plain = _units_of_plain_lines(records, messages, units, has_plain=bool(supervisors))
    units_of: list[str | None] = []
    for record, process, message, of_plain in zip(records, of_record, messages, plain, strict=True):
        if message is not None:
            units_of.append(message.unit)
        elif record.kernel or (record.identifier == IDENTIFIER and _OWN.search(record.message)):
            units_of.append(None)
        elif record.unit is not None:
            units_of.append(record.unit or None)
        else:
            is_plain = record.identifier is None or process in supervisors
            units_of.append(of_plain if is_plain else of_process[process])
    return units_of


def _is_of_supervisor(record: LogRecord) -> bool:
    """Whether a record that states something is a supervisor's in a journal of systemd's: its process also prints its programs' lines."""
    return (
        record.statement is None and (record.pid or 0) > 1 and record.identifier not in {None, "systemd"} and record.identifier[:1] != "("
    )


def _process(record: LogRecord) -> Process:
    return record.host, record.identifier, record.pid


def _processes(
    records: Sequence[LogRecord], of_record: Sequence[Process], messages: Sequence[ManagerMessage | None]
) -> dict[Process, tuple[int, int]]:
    """The first and last record of each process. of_record: the process of each record."""
    first: dict[Process, int] = {}
    last: dict[Process, int] = {}
    for index, (record, process, message) in enumerate(zip(records, of_record, messages, strict=True)):
        if message is None and record.identifier is not None and not record.kernel:
            first.setdefault(process, index)
            last[process] = index
    return {process: (index, last[process]) for process, index in first.items()}


def _spans(messages: Sequence[ManagerMessage | None]) -> list[_Span]:
    """The attempts that the manager's messages show, by their starts."""
    spans: list[_Span] = []
    current: dict[str, tuple[int, int, bool]] = {}
    for index, message in enumerate(messages):
        if message is None or message.unit is None or not message.unit.endswith(".service"):
            continue
        start, end, is_over = current.get(message.unit, (-1, -1, False))
        starts = message.kind in STARTS
        if starts and (is_over or (start >= 0 and message.kind == systemd.UNIT_STARTING)):
            spans.append(_Span(start, end, message.unit, is_over))
            start, is_over = index, False
        elif starts and message.unit not in current:
            start = index
        current[message.unit] = (start, index, is_over or message.kind in ENDS)
    spans += [_Span(start, end, unit, is_over) for unit, (start, end, is_over) in current.items()]
    return sorted(spans, key=lambda span: span.start)


def _unit_of_process(
    process: Process,
    first: int,
    last: int,
    units: Sequence[str],
    names: ProgramNames,
    spans: Sequence[_Span],
    starts: Sequence[int],
    *,
    alone: bool,
) -> str | None:
    identifier = process[1] or "log"
    named = f"{identifier}.service"
    until = bisect_right(starts, first)
    near = spans[max(0, until - MOST_SPANS) : until][::-1]
    related = names.units_of(identifier)
    if related:
        return named if named in related else next((span.unit for span in near if span.unit in related), related[0])
    if is_companion(identifier):
        return named if alone else None
    containing = [span for span in near if not span.is_over or span.end >= last]
    if containing:
        return min(containing, key=lambda span: (not span.is_over, span.end - last if span.is_over else -span.start)).unit
    return units[0] if len(units) == 1 else named


def is_companion(identifier: str) -> bool:
    """Whether a program's lines stand between those of services in every journal."""
    return bool(_COMPANIONS.match(identifier))


class ProgramNames:
    """Finds the units that a program is of by its name: sshd of ssh.service, CRON of cron.service, php-fpm8.1 of php8.1-fpm.service."""

    def __init__(self, units: Sequence[str]) -> None:
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        for unit in units:
            stem = _stem(_INSTANCE.sub("", unit))
            if stem:
                self._by_stem.setdefault(stem, []).append(unit)
                for name in {stem, f"{stem}d", stem.removesuffix("d"), _sorted(stem), *_beginnings(stem), *_ALIASES.get(stem, ())}:
                    self._by_name.setdefault(name, []).append(unit)

    def units_of(self, identifier: str) -> list[str]:
        """The units, those that are named most alike first."""
        stem = _stem(identifier.rpartition("/")[2])
        found = [*self._by_name.get(stem, ()), *self._by_name.get(_sorted(stem), ())] if stem else []
        parts = [part for part in _SEPARATOR.split(stem)[:8] if len(part) > 3]
        return found + [unit for name in (*_beginnings(stem), *parts) for unit in self._by_stem.get(name, ())]


def _stem(name: str) -> str:
    return _VERSION.sub("", name.lower()).strip("-_() ")


def _sorted(stem: str) -> str:
    return " ".join(sorted(stem.split("-"))) if "-" in stem else stem


def _beginnings(stem: str) -> list[str]:
    """What stands before each separator: dbus of dbus-daemon."""
    return [stem[: separator.start()] for separator in _SEPARATOR.finditer(stem) if separator.start() > 2][:8]


def _units_of_plain_lines(
    records: Sequence[LogRecord], messages: Sequence[ManagerMessage | None], units: Sequence[str], *, has_plain: bool
) -> list[str | None]:
    """The unit of each place for a line without a name: the one that ends next, if it had started by then, else the latest to start."""
    if not has_plain and all(record.identifier is not None for record in records):
        return [None] * len(records)
    first_named = next((index for index, record in enumerate(records) if record.identifier is not None), 0)
    ending: list[str | None] = [None] * len(records)
    ends_next: str | None = None
    for index in range(len(records) - 1, -1, -1):
        message = messages[index]
        if message is not None and message.unit is not None and message.unit.endswith(".service"):
            if message.kind in ENDS:
                ends_next = message.unit
            elif message.kind in STARTS and message.unit == ends_next:
                ends_next = None
        ending[index] = ends_next
    latest = units[0] if units else UNNAMED
    result: list[str | None] = []
    for index, message in enumerate(messages):
        if message is not None and message.unit is not None and message.kind in STARTS and message.unit.endswith(".service"):
            latest = message.unit
        result.append(None if units and index < first_named else ending[index] or latest)
    return result
