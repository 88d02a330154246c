"""Fold the lines of a traceback into one event; every other line is an event of its own."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from forensics.events.line_kinds import letters, unprefixed
from forensics.events.stack_grammar import exceptions, stacks
from forensics.events.unwrap import joined
from forensics.model.text_memory import TextMemory

SAME_WRITE_US = 1_000  # the lines of one write(2): 1 ms apart at most (µs in the recordings)
PAUSE_US = 60_000_000  # a stack is not written over a longer pause
MOST_LINES = 2_000  # of one entry
PORTION = 400_000  # lines folded at once: their distinct texts fit the cache, so ten times the lines cost ten times the time

INNER_STACK = pl.Schema({"has_stack": pl.Boolean(), "in_root": pl.String(), "in_last": pl.String()})


def folded(lines: pl.DataFrame) -> pl.DataFrame:
    """Fold tracebacks in lines (attempt, unit_key, group, row, time, at, text) in (group, row) order.

    Returns the same columns, those of the first line, with kind, text, root, last, until, rows.
    """
    logical = joined(lines)
    if logical.is_empty():
        return _as_lines(logical)
    return pl.concat([_folded(part) for part in _portions(logical)])


def _portions(logical: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield whole groups, about PORTION lines at a time."""
    group = logical["group"]
    start = 0
    while start < len(group):
        end = group.search_sorted(group[min(start + PORTION, len(group)) - 1], side="right") if start + PORTION < len(group) else len(group)
        yield logical[start:end]
        start = end


def _folded(logical: pl.DataFrame) -> pl.DataFrame:
    logical = logical.with_row_index("line")
    kinds = _line_kinds(logical)
    spans = _stack_spans(logical, kinds)
    stack_of = _stack_of_lines(spans, logical.height)
    single = _single_lines(logical.filter(stack_of < 0), kinds.filter(stack_of < 0) == "M")
    tracebacks = _as_events(logical, spans, stack_of)
    return pl.concat([single, tracebacks.select(single.columns)]).sort("line").drop("line")


def _stack_of_lines(spans: pl.DataFrame, lines: int) -> pl.Series:
    """Number each line's stack, -1 where it is in none."""
    number = pl.int_range(1, spans.height + 1, eager=True)
    begun, ended = (pl.repeat(0, lines + 1, dtype=pl.Int64, eager=True).scatter(spans[name], number) for name in ("start", "end"))
    return (begun - ended).cum_sum().head(lines) - 1


def _as_events(logical: pl.DataFrame, spans: pl.DataFrame, stack_of: pl.Series) -> pl.DataFrame:
    """Make one event per stack, with the columns of its first line; the exception's line is the evidence, not the header."""
    members = pl.DataFrame({"stack": stack_of, "text": logical["text"], "rows": logical["rows"]}).filter(stack_of >= 0)
    # sorted: groups are slices, not hashed; joined as lists: 0.1 s for 3.5 M lines instead of 1.2 s
    by_stack = members.with_columns(pl.col("stack").set_sorted()).group_by("stack", maintain_order=True)
    whole = by_stack.agg("text", pl.col("rows").sum()).with_columns(pl.col("text").list.join("\n"))
    return logical[spans["start"]].with_columns(
        whole["text"],
        whole["rows"],
        logical["until"].gather(spans["end"] - 1),
        pl.coalesce(logical["row"].gather(spans["root"]), "row").alias("row"),
        pl.lit("traceback").alias("kind"),
        _exceptions(logical["text"].gather(spans["root"])).alias("root"),
        _exceptions(logical["text"].gather(spans["last"])).alias("last"),
    )


def _exceptions(texts: pl.Series) -> pl.Series:
    """Strip a log record's prefix, the bars of a group and what announces a cause from the lines of exceptions."""
    return (
        unprefixed(texts)
        .str.replace(r"^[\s|│]*(?:Caused by: |---> |\[cause\]: |exception (?:error|exit|throw): |\d{1,3}: )?", "")
        .str.strip_chars_end()
    )


def _as_lines(single: pl.DataFrame) -> pl.DataFrame:
    return single.with_columns(pl.lit("line").alias("kind"), pl.lit(None, pl.String).alias("root"), pl.lit(None, pl.String).alias("last"))


_LETTERED = TextMemory(lambda texts: pl.DataFrame({"text": texts, "letter": letters(texts)}))


def _line_kinds(logical: pl.DataFrame) -> pl.Series:
    """Classify lines, once per distinct text; a plain line of the same write as the line before it is `n`."""
    distinct = logical.select(pl.col("text").unique(maintain_order=True))
    lettered = _LETTERED(distinct["text"])
    of_line = logical.select("text", "group", "at").join(lettered, on="text", how="left", maintain_order="left")
    together = (pl.col("group") == pl.col("group").shift()) & ((pl.col("at") - pl.col("at").shift()).abs() <= SAME_WRITE_US)
    return of_line.select(pl.when((pl.col("letter") == "N") & together).then(pl.lit("n")).otherwise("letter")).to_series()


def _stack_spans(logical: pl.DataFrame, kinds: pl.Series) -> pl.DataFrame:
    """Find stacks: start and end (exclusive) of their lines, root and last (the lines of their first and last exception)."""
    is_border = (pl.col("group") != pl.col("group").shift()) | (pl.col("at") - pl.col("at").shift() > PAUSE_US)
    borders = logical.select(is_border.fill_null(value=False)).to_series()
    letters_of = pl.DataFrame({"kind": kinds, "border": borders})
    text = letters_of.select(pl.when("border").then("\n" + pl.col("kind")).otherwise("kind").str.join("")).item().encode()
    border = borders.arg_true().cast(pl.Int64)
    newlines = border + pl.int_range(len(border), eager=True)  # their positions in the text
    rows = []
    for start, end in stacks(text):  # 2 µs per traceback
        root, last = exceptions(text[start:end])
        rows.append((start, end, None if root is None else start + root, None if last is None else start + last))
    spans = pl.DataFrame(rows, schema=dict.fromkeys(("start", "end", "root", "last"), pl.Int64), orient="row")
    before = newlines.search_sorted(spans["start"], side="left").cast(pl.Int64)
    return spans.with_columns(pl.all() - before)


def _single_lines(single: pl.DataFrame, several: pl.Series) -> pl.DataFrame:
    """Make events of lines outside stacks; an entry of several lines can hold a whole traceback."""
    events = _as_lines(single)
    if not several.any():
        return events
    texts = events.filter(several)["text"].unique(maintain_order=True)
    with_stack = pl.DataFrame({"text": texts}).hstack(_inner_stacks(texts)).filter("has_stack")
    return (
        events.join(with_stack, on="text", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("has_stack")).then(pl.lit("traceback")).otherwise(pl.col("kind")).alias("kind"),
            pl.coalesce("root", "in_root").alias("root"),
            pl.coalesce("last", "in_last").alias("last"),
        )
        .drop(list(INNER_STACK))
    )


def _inner_stacks(texts: pl.Series) -> pl.DataFrame:
    """Find the stack in each entry: whether there is one, its first and its last exception."""
    lines = texts.str.split("\n")
    long = lines.list.len() > MOST_LINES
    if long.any():  # of an endless entry only the first and the last lines are read
        ends = pl.concat_list(pl.col("lines").list.head(MOST_LINES // 2), pl.col("lines").list.tail(MOST_LINES // 2))
        chosen = pl.when(pl.col("lines").list.len() > MOST_LINES).then(ends).otherwise("lines")
        lines = lines.alias("lines").to_frame().select(chosen).to_series()
    flat = lines.explode().alias("text")
    distinct = flat.unique(maintain_order=True)
    lettered = pl.DataFrame({"text": distinct, "letter": letters(distinct)})
    kinds = flat.to_frame().join(lettered, on="text", how="left", maintain_order="left")["letter"].str.join("").item().encode()
    found: list[tuple[bool, int | None, int | None]] = []
    start = 0
    for count in lines.list.len():  # 2 µs per entry
        own = kinds[start : start + count]
        found.append(_first_stack(own, start))
        start += count
    frame = pl.DataFrame(found, schema={"has_stack": pl.Boolean, "root": pl.Int64, "last": pl.Int64}, orient="row")
    return frame.select(
        "has_stack",
        _exceptions(flat.gather(frame["root"])).alias("in_root"),
        _exceptions(flat.gather(frame["last"])).alias("in_last"),
    ).cast(INNER_STACK)


def _first_stack(kinds: bytes, first_line: int) -> tuple[bool, int | None, int | None]:
    """Find the first stack in the lines of one entry, with the numbers of its root and last exception."""
    span = next(iter(stacks(kinds)), None)
    if span is None:
        return False, None, None
    root, last = exceptions(kinds[slice(*span)])
    begin = first_line + span[0]
    return True, None if root is None else begin + root, None if last is None else begin + last
