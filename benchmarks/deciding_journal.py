"""The journal of a failure that was pasted as text: the unit fails the same way several times, as in a restart loop."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics.explain.as_journal import KERNEL, PastedJournal
from forensics.explain.attribution import ENDS, STARTS
from forensics.explain.paste import read_paste
from forensics.explain.records import TIME, Fields, JournalRecord
from forensics.model import systemd

ATTEMPTS = 4  # of each that the text shows
BEGIN = 1_764_000_000_000_000  # µs, 24 November 2025
MOST_BETWEEN = 3_600_000_000  # µs between two lines, whatever the text shows
BETWEEN_ATTEMPTS = 12_000_000  # µs
BOOT, MACHINE = "0b1d2c3e4f5061728394a5b6c7d8e9f0", "5f1c6e0d8a7b4c2e9d3f0a1b2c3d4e5f"
RESTARTS = {systemd.UNIT_RESTART_SCHEDULED}
FAILS = {systemd.UNIT_FAILURE_RESULT, systemd.UNIT_PROCESS_EXIT}
OF_SYSTEMD: Fields = {
    "_PID": "1",
    "_UID": "0",
    "_COMM": "systemd",
    "_TRANSPORT": "journal",
    "SYSLOG_IDENTIFIER": "systemd",
    "PRIORITY": "6",
}
CLOCK = re.compile(r"(\b\d\d:\d\d:)([0-5]\d)\b")
COUNTER = re.compile(r"(?<=restart counter is at )\d{1,10}")
INVOCATIONS = ("INVOCATION_ID", "_SYSTEMD_INVOCATION_ID")
OWN_TIMES = (TIME, "__MONOTONIC_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "__CURSOR", "_SOURCE_MONOTONIC_TIMESTAMP")


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the text. after: µs since the entry before it."""

    fields: Fields
    after: int
    is_shown: bool = True  # the text has it

    @property
    def kind(self) -> str:
        return str(self.fields.get("MESSAGE_ID") or "")

    @property
    def is_of_service(self) -> bool:
        return self.unit.endswith(".service")

    @property
    def is_limit(self) -> bool:
        return "Start request repeated too quickly" in str(self.fields.get("MESSAGE"))

    @property
    def is_own(self) -> bool:
        """Whether the service wrote it."""
        return "UNIT" not in self.fields and self.is_of_service

    @property
    def unit(self) -> str:
        return str(self.fields.get("UNIT") or self.fields.get("_SYSTEMD_UNIT") or "")

    @property
    def invocation(self) -> str:
        return next((str(self.fields[name]) for name in INVOCATIONS if self.fields.get(name)), "")


def journal_of(text: str, *, fails: bool = True) -> bytes | None:
    """Export text of a journal in which a pasted text happens several times; null for a text without a service.

    fails: of a text that shows no end, the attempts fail; else they go on.
    """
    lines = _whole(list(_lines(read_paste(text.encode()), fails=fails)))
    if not any(line.is_of_service for line in lines):
        return None
    return b"".join(map(_export, _timed(lines)))


def _timed(lines: Sequence[Line]) -> Iterator[Fields]:
    """The fields of each entry: the clock goes on, and so does each unit's counter of restarts."""
    now = BEGIN
    restarts: Counter[str] = Counter()
    for number in range(ATTEMPTS):
        for line in _once(lines, number):
            now += line.after
            times = {TIME: str(now), "__MONOTONIC_TIMESTAMP": str(now - BEGIN + 9_000_000), "_BOOT_ID": BOOT, "_MACHINE_ID": MACHINE}
            yield {**times, **line.fields, **_counted(line, restarts)}
        now += BETWEEN_ATTEMPTS


def _counted(line: Line, restarts: Counter[str]) -> Fields:
    if line.kind != systemd.UNIT_RESTART_SCHEDULED:
        return {}
    restarts[line.unit] += 1
    counter = str(restarts[line.unit])
    return {"N_RESTARTS": counter, "MESSAGE": COUNTER.sub(counter, str(line.fields.get("MESSAGE") or ""))}


def _lines(pasted: PastedJournal, *, fails: bool) -> Iterator[Line]:
    before = None
    for record in pasted.records:
        of_kernel = KERNEL in {record.fields.get("UNIT"), record.fields.get("_SYSTEMD_UNIT")}
        if record.line == 0 and (not fails or of_kernel):  # an end that the text does not show
            continue
        at = _time(record)
        after = 10 if before is None or at is None else min(max(at - before, 10), MOST_BETWEEN)
        before = at if at is not None else before
        yield Line(_of_a_journal(record.fields, of_kernel=of_kernel), after, is_shown=record.line > 0)


def _time(record: JournalRecord) -> int | None:
    value = record.fields.get(TIME)
    return int(str(value)) if value is not None and str(value).isdigit() else None


def _of_a_journal(fields: Fields, *, of_kernel: bool) -> Fields:
    """The fields that journald adds to what a text shows; the kernel is no unit in a journal."""
    left_out = {*OWN_TIMES, "_BOOT_ID", "_MACHINE_ID", *(("_SYSTEMD_UNIT", *INVOCATIONS) if of_kernel else ())}
    kept = {name: value for name, value in fields.items() if name not in left_out}
    defaults: Fields = {"PRIORITY": "6", "_UID": "0", "SYSLOG_FACILITY": "3"}
    if kept.get("_PID") == "1":
        defaults["_COMM"] = "systemd"
    return {**defaults, **kept}


def _whole(lines: Sequence[Line]) -> list[Line]:
    """Leave out attempts of which the text is cut to the beginning or the end, where it shows another one of the unit better."""
    attempts: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        if line.is_of_service:
            attempts.setdefault((line.unit, line.invocation), []).append(line)
    most: Counter[str] = Counter()
    for (unit, _), of_attempt in attempts.items():
        most[unit] = max(most[unit], _shown_of(of_attempt))
    cut = {key for key, of_attempt in attempts.items() if _is_cut(of_attempt) and _shown_of(of_attempt) < most[key[0]]}
    return [line for line in lines if (line.unit, line.invocation) not in cut]


def _shown_of(attempt: Sequence[Line]) -> int:
    """How much a text shows of an attempt: its own lines, then those of systemd."""
    own = sum(line.is_own for line in attempt)
    return 1000 * own + sum(line.is_shown for line in attempt)


def _is_cut(attempt: Sequence[Line]) -> bool:
    return not all(any(line.is_shown and line.kind in kinds for line in attempt) for kinds in (STARTS, ENDS))


def _once(lines: Sequence[Line], number: int) -> Iterator[Line]:
    """One time: with a start where the text shows none, and a scheduled restart at the end of a service that failed."""
    begun = {line.invocation for line in lines if line.kind in STARTS}
    for line in lines:
        if line.is_of_service and line.invocation not in begun:
            begun.add(line.invocation)
            yield _by_systemd(line, number, systemd.UNIT_STARTED, f"Started {line.unit}.", {"JOB_TYPE": "start", "JOB_RESULT": "done"})
        yield Line({**line.fields, **_renamed(line.fields, number), **_varied(line, number)}, line.after)
    limited = {line.unit for line in lines if line.is_limit}
    for unit, line in {line.unit: line for line in lines if line.is_of_service and line.kind in FAILS | RESTARTS}.items():
        if line.kind in FAILS and unit not in limited:  # nothing restarts it yet
            message = f"{unit}: Scheduled restart job, restart counter is at 0."
            yield _by_systemd(line, number, systemd.UNIT_RESTART_SCHEDULED, message, {})


def _varied(line: Line, number: int) -> Fields:
    """What differs from time to time: process ids, and times within lines. The last time is as in the text."""
    back = ATTEMPTS - 1 - number
    message, pid = str(line.fields.get("MESSAGE") or ""), str(line.fields.get("_PID") or "")
    message = CLOCK.sub(lambda found: f"{found[1]}{(int(found[2]) - back) % 60:02}", message)
    if len(pid) < 3 or not line.is_own:
        return {"MESSAGE": message}
    other = str(int(pid) - 7 * back)
    return {"MESSAGE": re.sub(rf"(?<![\d.:]){pid}(?![\d.:])", other, message), "_PID": other}


def _by_systemd(line: Line, number: int, kind: str, message: str, more: Fields) -> Line:
    of_host: Fields = {"_HOSTNAME": line.fields.get("_HOSTNAME") or "pasted", "_SYSTEMD_UNIT": "init.scope"}
    ids: Fields = {"UNIT": line.unit, "INVOCATION_ID": _invocation(line.invocation, number), "MESSAGE_ID": kind, "MESSAGE": message}
    return Line({**OF_SYSTEMD, **of_host, **ids, **more}, 1000)


def _renamed(fields: Fields, number: int) -> Fields:
    return {name: _invocation(str(fields[name]), number) for name in INVOCATIONS if fields.get(name)}


def _invocation(name: str, number: int) -> str:
    return hashlib.md5(f"{name} {number}".encode(), usedforsecurity=False).hexdigest()


def _export(fields: Fields) -> bytes:
    rows = [_field(name, str(value)) for name, value in fields.items() if value is not None]
    return b"".join(rows) + b"\n"


def _field(name: str, value: str) -> bytes:
    data = value.encode(errors="backslashreplace")
    if b"\n" in data or any(byte < 32 for byte in data):
        return name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
    return b"%s=%s\n" % (name.encode(), data)
