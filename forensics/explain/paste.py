"""Read pasted text, however it was printed, into journal records and what the text was recognised as."""

from __future__ import annotations

from forensics.explain.as_journal import PastedJournal, as_journal
from forensics.explain.copied import log_lines
from forensics.explain.decode import decoded
from forensics.explain.format import PLAIN, Format
from forensics.explain.kubernetes import NAME as KUBECTL
from forensics.explain.kubernetes import without_descriptions
from forensics.explain.log_formats import is_newest_first, parse_lines
from forensics.explain.records import journal_records
from forensics.explain.status import NAME as STATUS
from forensics.explain.status import with_status, without_status


def read_paste(content: bytes) -> PastedJournal:
    """Read the bytes of a pasted log."""
    fields = journal_records(content)
    if fields is not None:
        return PastedJournal(tuple(fields), understood=Format("journal fields", len(fields), 1.0), as_found=True)
    lines = log_lines(decoded(content))
    rest, sections = without_status(lines)
    rest, described = without_descriptions(rest)
    records, name, known = parse_lines(rest)
    records = with_status(records, sections) if sections or not is_newest_first(records) else records[::-1]
    records = sorted([*records, *described], key=lambda record: record.line) if described else records
    name = STATUS if sections else KUBECTL if described and name is None else name
    return as_journal(records, Format(name or PLAIN, len(lines), (known + len(lines) - len(rest)) / max(1, len(lines))))
