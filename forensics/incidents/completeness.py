"""Judge what the data lacks."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forensics.incidents.gaps import clock_jumps, holes, losses
from forensics.model.values import Completeness, Damage, Gap


def judge_completeness(entries: pl.DataFrame, damage: Sequence[Damage]) -> Completeness:
    """Complete means: nothing dropped by journald, no missing sequence numbers, nothing unreadable. A clock jump loses nothing."""
    missing, _ = holes(entries)
    dropped = int(losses(entries)["number"].sum())
    incomplete = pl.concat([missing, clock_jumps(entries)]).sort("start", "end", "reason")
    gaps = tuple(Gap(start, end, reason) for start, end, reason in incomplete.select("start", "end", "reason").iter_rows())
    complete = not dropped and missing.height == 0 and not damage
    return Completeness(entries.height, complete, dropped, gaps, tuple(damage))


def data_notes(entries: pl.DataFrame) -> tuple[str, ...]:
    """Write the notes that a reader needs about the data besides gaps."""
    filtered = (
        "Sequence numbers are missing throughout: the input was filtered, so lost entries cannot be distinguished from filtered ones."
    )
    return (filtered,) if holes(entries)[1] else ()
