"""Limit the length of one text before any expression sees it; needs no polars."""

from __future__ import annotations

# Longer than any line of journald's own (LineMax is 48 KB): the start and the end are kept, where tracebacks have their causes.
LONGEST, START, END = 65_536, 49_152, 16_384  # characters
OMITTED = "\n    …\n"  # indented, so that it does not end a traceback


def bounded_text(text: str) -> str:
    """Cut one text as `bounds.bounded` does."""
    return text if len(text) <= LONGEST else text[:START] + OMITTED + text[-END:]
