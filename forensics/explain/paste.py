"""Read pasted text, however it was printed, into journal records and what the text was recognised as."""

from __future__ import annotations

from forensics.explain.as_journal import PastedJournal, as_journal
from forensics.explain.copied import log_lines
from forensics.explain.decode import decoded
from forensics.explain.format import PLAIN, Format
from forensics.explain.log_formats import is_newest_first, parse_lines
from forensics.explain.records import journal_records


def read_paste(content: bytes) -> PastedJournal:
    """Read the bytes of a pasted log."""
    fields = journal_records(content)
    if fields is not None:
        return PastedJournal(tuple(fields), understood=Format("journal fields", len(fields), 1.0), as_found=True)
    lines = log_lines(decoded(content))
    records, name, known = parse_lines(lines)
    records = records[::-1] if is_newest_first(records) else records
    return as_journal(records, Format(name or PLAIN, len(lines), known / max(1, len(lines))))
