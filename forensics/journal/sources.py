"""The functions that the store ingests with, as one thing to hand to it: `Store.open(path, forensics.journal.sources)`."""

from __future__ import annotations

from forensics.journal.directory import journal_files
from forensics.journal.reader import header, load
from forensics.journal.stream import read_stream

__all__ = ["header", "journal_files", "load", "read_stream"]
