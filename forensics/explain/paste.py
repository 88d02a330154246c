"""Read pasted text, however it was printed, into journal records and what the text was recognised as."""

from __future__ import annotations

from forensics.explain.as_journal import PastedJournal, as_journal
from forensics.explain.format import Format
from forensics.explain.log_formats import log_records
from forensics.explain.records import journal_records


def read_paste(content: bytes) -> PastedJournal:
    """Read the bytes of a pasted log."""
    fields = journal_records(content)
    if fields is not None:
        return PastedJournal(tuple(fields), understood=Format("journal fields", len(fields), 1.0))
    records, understood = log_records(content.decode(errors="backslashreplace"))
    return as_journal(records, understood)
