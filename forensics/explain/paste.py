"""Read pasted text, however it was printed, into journal records and what the text was recognised as."""

from __future__ import annotations

from collections.abc import Sequence

from forensics.explain.as_journal import PastedJournal, as_journal
from forensics.explain.clock import Clock
from forensics.explain.copied import log_lines
from forensics.explain.decode import decoded
from forensics.explain.format import PLAIN, Format
from forensics.explain.kubernetes import NAME as KUBECTL
from forensics.explain.kubernetes import may_describe, without_descriptions
from forensics.explain.log_formats import LogRecord, is_newest_first, parse_lines, without_times
from forensics.explain.records import TIME, JournalRecord, journal_records, without_marks
from forensics.explain.status import NAME as STATUS
from forensics.explain.status import with_status, without_status

FIELDS = "fields of the journal"
_OF_UNITS = {"UNIT", "USER_UNIT", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "COREDUMP_UNIT", "OBJECT_SYSTEMD_UNIT"}


def read_paste(content: bytes) -> PastedJournal:
    """Read the bytes of a pasted log."""
    fields = journal_records(content) or journal_records(without_marks(content))
    if fields:
        understood = Format(FIELDS, len(fields), 1.0)
        if any(_OF_UNITS & record.fields.keys() for record in fields):
            return PastedJournal(tuple(fields), understood=understood, as_found=True)
        return _read_messages(fields, understood)
    return _read_text(decoded(content))


def as_lines(pasted: PastedJournal) -> PastedJournal:
    """Read fields as the lines that journalctl prints of them: their attempts get an end where the text has none."""
    return as_journal([_as_line(JournalRecord(record.line, record.fields)) for record in pasted.records], pasted.understood)


def _read_messages(fields: Sequence[JournalRecord], understood: Format) -> PastedJournal:
    """Read fields that name no unit; those without anything but messages are as good as plain text."""
    lines = [_as_line(record) for record in fields]
    if any(line.time is not None or line.identifier for line in lines):
        return as_journal(lines, understood)
    numbers = [line.line for line in lines for _ in line.message.split("\n")]
    records, _, _ = parse_lines(log_lines("\n".join(line.message for line in lines)), Clock(), {})
    return as_journal([record._replace(line=numbers[record.line - 1]) for record in records], Format(PLAIN, len(fields), 1.0))


def _read_text(text: str) -> PastedJournal:
    lines = log_lines(text)
    clock = Clock()
    timed, times, runtime = without_times(lines, clock)
    rest, sections = without_status(timed) if "Loaded: " in text or "Active: " in text else (timed, [])
    rest, described = without_descriptions(rest) if may_describe(text) else (rest, [])
    records, name, known = parse_lines(rest, clock, times)
    records = with_status(records, sections) if sections or not is_newest_first(records) else records[::-1]
    records = sorted([*records, *described], key=lambda record: record.line) if described else records
    name = STATUS if sections else KUBECTL if described and name is None else name or runtime or PLAIN
    share = 1.0 if runtime else (known + len(lines) - len(rest)) / max(1, len(lines))
    return as_journal(records, Format(name, len(lines), share))


def _as_line(record: JournalRecord) -> LogRecord:
    """The line that `journalctl -o short` prints of a record. Only the manager's process is systemd, whatever another one claims."""
    time, pid, identifier, host = (
        _text(record, names) for names in ((TIME,), ("_PID", "SYSLOG_PID"), ("SYSLOG_IDENTIFIER", "_COMM"), ("_HOSTNAME",))
    )
    of_unit = _text(record, ("_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT"))
    if identifier == "systemd" and pid != "1" and of_unit is not None:
        identifier = _text(record, ("_COMM",))
    return LogRecord(
        line=record.line,
        message=_text(record, ("MESSAGE",)) or "",
        time=int(time) if time and time.isdigit() and len(time) < 18 else None,
        host=host,
        identifier=identifier,
        pid=int(pid) if pid and pid.isdigit() and len(pid) < 11 else None,
        unit=of_unit if of_unit is not None and of_unit.endswith(".service") else None,
        kernel=_text(record, ("_TRANSPORT",)) == "kernel",
    )


def _text(record: JournalRecord, names: Sequence[str]) -> str | None:
    """The first of the fields that a record has; `-o json` shows repeated fields, and bytes, as arrays."""
    for name in names:
        value = record.fields.get(name)
        if isinstance(value, list) and value:
            is_bytes = all(isinstance(byte, int) and 0 <= byte < 256 for byte in value)
            value = bytes(value).decode(errors="backslashreplace") if is_bytes else value[0]
        if isinstance(value, str):
            return value
    return None
