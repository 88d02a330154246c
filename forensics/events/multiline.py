"""Fold the lines of a traceback into one event; every other line is an event of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from forensics.events.line_kinds import letters, unprefixed
from forensics.events.stack_grammar import exceptions, stacks
from forensics.events.unwrap import joined

SAME_WRITE_US = 1_000  # the lines of one write(2): 1 ms apart at most (µs in the recordings)
PAUSE_US = 60_000_000  # a stack is not written over a longer pause
PORTION = 400_000  # lines folded at once: their distinct texts fit the cache, so ten times the lines cost ten times the time

Kinds = NDArray[np.uint8]
Numbers = NDArray[np.int64]


def folded(lines: pl.DataFrame) -> pl.DataFrame:
    """lines: attempt, unit_key, group, row, time, at, text in (group, row) order → the same columns (of the first line) with
    kind, text, root, last, until, rows.
    """
    logical = joined(lines)
    if logical.is_empty():
        return _as_lines(logical)
    return pl.concat([_folded(part) for part in _portions(logical)])


def _portions(logical: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Whole groups, about PORTION lines at a time."""
    group = logical["group"].to_numpy()
    start = 0
    while start < len(group):
        end = int(np.searchsorted(group, group[min(start + PORTION, len(group)) - 1], side="right"))
        yield logical[start:end]
        start = end


def _folded(logical: pl.DataFrame) -> pl.DataFrame:
    logical = logical.with_row_index("line")
    kinds = _line_kinds(logical)
    found = _stacks(logical, kinds)
    stack_of = _members(found, logical.height)
    single = _of_several(logical.filter(pl.Series(stack_of < 0)), kinds[stack_of < 0] == ord("M"))
    tracebacks = _as_events(logical, found, stack_of)
    return pl.concat([single, tracebacks.select(single.columns)]).sort("line").drop("line")


def _members(found: pl.DataFrame, lines: int) -> Numbers:
    """For every line the number of its stack, -1 where it is in none."""
    steps = np.zeros(lines + 1, dtype=np.int64)
    number = np.arange(found.height)
    np.add.at(steps, found["start"].to_numpy(), number + 1)
    np.add.at(steps, found["end"].to_numpy(), -number - 1)
    return np.cumsum(steps)[:-1] - 1


def _as_events(logical: pl.DataFrame, found: pl.DataFrame, stack_of: Numbers) -> pl.DataFrame:
    """Stacks with the columns of their first line. The line of the exception is the evidence, not the header."""
    inside = pl.Series(stack_of >= 0)
    members = pl.DataFrame({"stack": stack_of, "text": logical["text"], "rows": logical["rows"]}).filter(inside)
    # sorted: groups are slices, not hashed; joined as lists: 0.1 s for 3.5 M lines instead of 1.2 s
    by_stack = members.with_columns(pl.col("stack").set_sorted()).group_by("stack", maintain_order=True)
    whole = by_stack.agg("text", pl.col("rows").sum()).with_columns(pl.col("text").list.join("\n"))
    return logical[found["start"]].with_columns(
        whole["text"],
        whole["rows"],
        logical["until"].gather(found["end"] - 1),
        pl.coalesce(logical["row"].gather(found["root"]), "row").alias("row"),
        pl.lit("traceback").alias("kind"),
        _exceptions(logical["text"].gather(found["root"])).alias("root"),
        _exceptions(logical["text"].gather(found["last"])).alias("last"),
    )


def _exceptions(texts: pl.Series) -> pl.Series:
    """The lines of exceptions without a log record's prefix, the bars of a group and `Caused by:`."""
    return unprefixed(texts).str.replace(r"^[\s|]*(?:Caused by: )?", "").str.strip_chars_end()


def _as_lines(single: pl.DataFrame) -> pl.DataFrame:
    return single.with_columns(pl.lit("line").alias("kind"), pl.lit(None, pl.String).alias("root"), pl.lit(None, pl.String).alias("last"))


def _line_kinds(logical: pl.DataFrame) -> Kinds:
    """One letter per line, found once per distinct text; a plain line of the same write as the line before it is `n`."""
    distinct = logical.select(pl.col("text").unique(maintain_order=True))
    lettered = distinct.with_columns(letters(distinct["text"]).alias("letter"))
    of_line = logical.select("text").join(lettered, on="text", how="left", maintain_order="left")["letter"]
    codes = np.frombuffer(of_line.str.join("").item().encode(), dtype=np.uint8).copy()
    at, group = logical["at"].to_numpy(), logical["group"].to_numpy()
    together = np.zeros(len(codes), dtype=bool)
    together[1:] = (group[1:] == group[:-1]) & (np.abs(at[1:] - at[:-1]) <= SAME_WRITE_US)
    codes[(codes == ord("N")) & together] = ord("n")
    return codes


def _stacks(logical: pl.DataFrame, kinds: Kinds) -> pl.DataFrame:
    """Stacks: start and end (exclusive) of their lines, the lines of their first and last exception (null: none)."""
    at, group = logical["at"].to_numpy(), logical["group"].to_numpy()
    border = np.flatnonzero((group[1:] != group[:-1]) | (at[1:] - at[:-1] > PAUSE_US)) + 1
    text = np.insert(kinds, border, ord("\n")).tobytes()
    spaced = border + np.arange(len(border))  # where the newlines are
    rows = []
    for start, end in stacks(text):  # 2 µs per traceback
        root, last = exceptions(text[start:end])
        rows.append((start, end, None if root is None else start + root, None if last is None else start + last))
    found = pl.DataFrame(rows, schema=dict.fromkeys(("start", "end", "root", "last"), pl.Int64), orient="row")
    before = pl.Series(np.searchsorted(spaced, found["start"].to_numpy()), dtype=pl.Int64)
    return found.with_columns(pl.all() - before)


def _of_several(single: pl.DataFrame, several: NDArray[np.bool_]) -> pl.DataFrame:
    """Lines that are no part of a stack; an entry of several lines can hold a whole traceback."""
    events = _as_lines(single)
    if not several.any():
        return events
    texts = events.filter(pl.Series(several))["text"].unique(maintain_order=True)
    found = pl.DataFrame([_within(text) for text in texts], schema=["found", "in_root", "in_last"], orient="row", infer_schema_length=None)
    known = pl.DataFrame({"text": texts}).hstack(found.cast({"in_root": pl.String, "in_last": pl.String})).filter("found")
    return (
        events.join(known, on="text", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("found")).then(pl.lit("traceback")).otherwise(pl.col("kind")).alias("kind"),
            pl.coalesce("root", "in_root").alias("root"),
            pl.coalesce("last", "in_last").alias("last"),
        )
        .drop("found", "in_root", "in_last")
    )


def _within(text: str) -> tuple[bool, str | None, str | None]:
    """The stack inside one entry: whether there is one, its first and its last exception."""
    inner = pl.Series("text", text.split("\n"))
    kinds = letters(inner).str.join("").item().encode()
    own = _exceptions(inner)
    for start, end in stacks(kinds):
        root, last = exceptions(kinds[start:end])
        return True, None if root is None else own[start + root], None if last is None else own[start + last]
    return False, None, None
