"""Lines of services in, events out: wrapped lines joined, the lines of a stack folded into one event, every other line an event."""

from __future__ import annotations

import numpy as np
import polars as pl

from forensics.attempts.shapes import letters, unprefixed
from forensics.attempts.stacks import spans, told
from forensics.attempts.wrapping import joined

SAME_WRITE_US = 1_000  # the lines of one write(2): 1 ms apart at most (µs in the recordings)
PAUSE_US = 60_000_000  # a stack is not written over a longer pause

Shapes = np.ndarray[tuple[int], np.dtype[np.uint8]]


def folded(lines: pl.DataFrame) -> pl.DataFrame:
    """lines: attempt, place, group, row, time, at, text in (group, row) order → the same columns (of the first line) with
    kind, text, root, last, until, rows.
    """
    logical = joined(lines).with_row_index("line")
    if logical.is_empty():
        return _as_lines(logical)
    shapes = _shapes(logical)
    stack_of, roots, lasts = _stacks(logical, shapes)
    single = logical.filter(pl.Series(stack_of < 0))
    members = logical.with_columns(pl.Series("stack", stack_of)).filter(pl.col("stack") >= 0)
    stacks = members.group_by("stack", maintain_order=True).agg(
        pl.all().exclude("text", "rows", "until").first(),
        pl.col("text").str.join("\n"),
        pl.col("rows").sum(),
        pl.col("until").last(),
    )
    own = unprefixed(logical["text"].gather(np.concatenate([roots[roots >= 0], lasts[lasts >= 0]]))).str.replace(
        r"^[\s|]*(?:Caused by: )?", ""
    )
    said = own.str.strip_chars_end()
    root = pl.Series("root", [None] * len(roots), dtype=pl.String).scatter(np.flatnonzero(roots >= 0), said[: int((roots >= 0).sum())])
    last = pl.Series("last", [None] * len(lasts), dtype=pl.String).scatter(np.flatnonzero(lasts >= 0), said[int((roots >= 0).sum()) :])
    # the line that says why is the evidence, not the header
    deciding = logical["row"].gather(pl.Series(np.maximum(roots, 0)))
    row = pl.when(pl.Series(roots >= 0)).then(deciding).otherwise(pl.col("row")).alias("row")
    stacks = stacks.with_columns(row, pl.lit("traceback").alias("kind"), root, last).drop("stack")
    several = shapes[stack_of < 0] == ord("M")
    return pl.concat([_of_several(single, several), stacks.select(_as_lines(single.clear()).columns)]).sort("line").drop("line")


def _as_lines(single: pl.DataFrame) -> pl.DataFrame:
    return single.with_columns(pl.lit("line").alias("kind"), pl.lit(None, pl.String).alias("root"), pl.lit(None, pl.String).alias("last"))


def _shapes(logical: pl.DataFrame) -> Shapes:
    """One letter a line, found once a distinct text; a plain line of the same write as the line before it is `n`."""
    distinct = logical.select(pl.col("text").unique(maintain_order=True))
    shape = distinct.with_columns(letters(distinct["text"]).alias("shape"))
    of_line = logical.select("text").join(shape, on="text", how="left", maintain_order="left")["shape"]
    codes = np.frombuffer(of_line.str.join("").item().encode(), dtype=np.uint8).copy()
    at, group = logical["at"].to_numpy(), logical["group"].to_numpy()
    together = np.zeros(len(codes), dtype=bool)
    together[1:] = (group[1:] == group[:-1]) & (np.abs(at[1:] - at[:-1]) <= SAME_WRITE_US)
    codes[(codes == ord("N")) & together] = ord("n")
    return codes


def _stacks(logical: pl.DataFrame, shapes: Shapes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For every line the number of its stack (-1: none); for every stack the lines of its first and last exception (-1: none)."""
    at, group = logical["at"].to_numpy(), logical["group"].to_numpy()
    border = np.flatnonzero((group[1:] != group[:-1]) | (at[1:] - at[:-1] > PAUSE_US)) + 1
    spaced = np.insert(shapes, border, ord("\n"))
    line_at = np.arange(len(shapes)) + np.searchsorted(border, np.arange(len(shapes)), side="right")
    back = np.full(len(spaced) + 1, -1, dtype=np.int64)
    back[line_at] = np.arange(len(shapes))
    text = spaced.tobytes()
    stack_of = np.full(len(shapes), -1, dtype=np.int64)
    roots, lasts = [], []
    for number, (start, end) in enumerate(spans(text)):  # 2 µs a traceback
        first = back[start]
        stack_of[first : first + end - start] = number
        root, last = told(text[start:end])
        roots.append(-1 if root is None else first + root)
        lasts.append(-1 if last is None else first + last)
    return stack_of, np.array(roots, dtype=np.int64), np.array(lasts, dtype=np.int64)


def _of_several(single: pl.DataFrame, several: np.ndarray) -> pl.DataFrame:
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
    shape = letters(inner).str.join("").item().encode()
    own = unprefixed(inner).str.replace(r"^[\s|]*(?:Caused by: )?", "").str.strip_chars_end()
    for start, end in spans(shape):
        root, last = told(shape[start:end])
        return True, None if root is None else own[start + root], None if last is None else own[start + last]
    return False, None, None
