"""Make the tables of the Markdown report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forensics import wording

MOST_ROWS = 60


def table(heads: Sequence[str], rows: Sequence[Iterable[str]]) -> str:
    """Write a table; a heading that ends with ":" is aligned right. Cells are Markdown already."""
    rule = ["---:" if head.endswith(":") else "---" for head in heads]
    lines = [[head.removesuffix(":") for head in heads], rule, *rows[:MOST_ROWS]]
    text = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    return text + (f"\n\n… and {wording.plural(len(rows) - MOST_ROWS, 'more row')}." if len(rows) > MOST_ROWS else "")
