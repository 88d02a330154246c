"""Join hard-wrapped lines, and headings with their messages, into logical lines.

rich wraps at the width of its console (80 columns under systemd) and the pieces become entries of their own, without time and level.
A piece belongs to the line before it when its first word would not have fitted there. Samba and .NET write level and place on one line and
the message indented on the next.
"""

from __future__ import annotations

import polars as pl

from forensics.events.line_kinds import HEADER

HEADING = (
    r"^\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?, +\d+(?:, [^\]]*)?\] \S+\.c:\d+\(\w+\)$"
    r"|^(?:\x1b\[[\d;]*m)*(?:fail|crit|warn|info|dbug|trce)(?:\x1b\[[\d;]*m)*: [\w.`+]+\[\d+\]$"
)
BOX = r"^[╭│╰]"  # rich's boxes are drawn to the console's width, never wrapped
CONSOLE = 80  # rich's width without a terminal
WIDEST = 1000
AT_ONCE_US = 100_000
PROVEN_BY = 3  # a width other than 80 must have stopped this many lines of the unit


def pieces(lines: pl.DataFrame) -> pl.Series:
    """Mark the lines that continue the one before. lines: text, group, unit_key, at (µs), in (group, row) order."""
    measured = lines.select(
        "group",
        "unit_key",
        "at",
        pl.col("text").str.contains(HEADER).alias("header"),
        pl.col("text").str.len_chars().cast(pl.Int64).alias("length"),
        pl.col("text").str.contains(BOX).alias("box"),
        pl.col("text").str.find(" ", literal=True).fill_null(pl.col("text").str.len_bytes()).cast(pl.Int64).alias("word"),
    )
    if not measured["header"].any():
        return pl.repeat(value=False, n=lines.height, eager=True)
    follows = _is_at_once() & ~pl.col("header") & ~pl.col("box") & (pl.col("word") > 0)
    measured = measured.with_columns(follows=follows.fill_null(value=False))
    length, before, width = pl.col("length"), pl.col("length").shift(), pl.col("width")
    fits = (before + 1 + pl.col("word") <= width) | (before > width) | (length > width)
    broken = pl.col("follows") & ~fits.fill_null(value=True)
    # a piece must follow a header through pieces only
    anchor = pl.when(pl.col("header") | ~pl.col("broken")).then("header").forward_fill()
    return measured.with_columns(_widths(measured)).with_columns(broken=broken).select(pl.col("broken") & anchor).to_series()


def _is_at_once() -> pl.Expr:
    """Whether a line was written right after the one before it, by the same process."""
    return (pl.col("group") == pl.col("group").shift()) & (pl.col("at") - pl.col("at").shift() <= AT_ONCE_US)


def messages(lines: pl.DataFrame) -> pl.Series:
    """Mark the indented lines whose heading is the line before."""
    marked = lines.select("group", "at", heading=pl.col("text").str.contains(HEADING), indented=pl.col("text").str.contains(r"^\s+\S"))
    return marked.select((pl.col("heading").shift() & pl.col("indented") & _is_at_once()).fill_null(value=False)).to_series()


def _widths(measured: pl.DataFrame) -> pl.Series:
    """Find the console's width for each line: 80, or for a unit whose records are longer their common greatest length."""
    records = measured.filter(pl.col("header")).select("unit_key", "length")
    followed = measured.filter(pl.col("header") & pl.col("follows").shift(-1, fill_value=False))
    widest = records.group_by("unit_key").agg(pl.col("length").max().alias("widest"))
    near = (
        followed.join(widest, on="unit_key")
        .filter(pl.col("length") > pl.col("widest") - 12)
        .group_by("unit_key")
        .agg((pl.len() >= PROVEN_BY).alias("proven"))
    )
    widths = (
        widest.join(near, on="unit_key", how="left")
        .with_columns(
            pl.when(pl.col("widest") <= CONSOLE)
            .then(CONSOLE)
            .when(pl.col("proven").fill_null(value=False) & (pl.col("widest") <= WIDEST))
            .then(pl.col("widest"))
            .otherwise(0)
            .alias("width")
        )
        .select("unit_key", "width")
    )
    return measured.select("unit_key").join(widths, on="unit_key", how="left", maintain_order="left")["width"].fill_null(0).cast(pl.Int64)


def joined(lines: pl.DataFrame) -> pl.DataFrame:
    """Join lines: the columns of the first piece, `row` of the message, `text` of all pieces, `until` of the last, `rows`: how many."""
    headed = messages(lines)
    more = pieces(lines) | headed
    whole = lines.with_columns(pl.lit(1, pl.UInt32).alias("rows"), pl.col("time").alias("until"))
    if not more.any():
        return whole
    number = (~more).cast(pl.Int64).cum_sum().alias("line")
    wrapped = more | more.shift(-1, fill_value=False)
    # a word longer than the console fills a whole line and goes on without a space
    spaced = pl.col("text").str.strip_chars_end() + pl.when(pl.col("text").str.contains(r"^\S{79,}$")).then(pl.lit("")).otherwise(
        pl.lit(" ")
    )
    last = pl.col("line") != pl.col("line").shift(-1)
    parts = (
        whole.with_columns(number, headed=headed)
        .filter(wrapped)
        .with_columns(text=pl.when("headed").then(pl.col("text").str.strip_chars_start()).otherwise("text"))
        .with_columns(pl.when(last.fill_null(value=True)).then(pl.col("text")).otherwise(spaced).alias("text"))
        .with_columns(pl.col("line").set_sorted())  # groups are slices, not hashed
        .group_by("line", maintain_order=True)
        .agg(
            pl.all().exclude("line", "row", "text", "rows", "until", "headed").first(),
            pl.coalesce(pl.col("row").filter("headed").first(), pl.col("row").first()).alias("row"),
            pl.col("text").str.join(""),
            pl.col("rows").sum(),
            pl.col("until").last(),
        )
    )
    rest = whole.with_columns(number).filter(~wrapped)
    return pl.concat([rest, parts.select(rest.columns)]).sort("line").drop("line")
