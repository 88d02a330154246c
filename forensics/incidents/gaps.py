"""Find what is known to be missing from the entries, and where their clock cannot be trusted."""

from __future__ import annotations

import polars as pl

from forensics.boots import machine_or_host
from forensics.model import systemd
from forensics.model.frames import UTC_TIME

JUMP_S = 10.0  # wall and monotonic clock of two neighbouring entries disagree by more: one of them jumped
SET_S = 1.0  # enough next to a line by which systemd reports that the clock was set
USELESS = 0.01  # share of such neighbours from which a boot's monotonic clock means nothing (a replayed or synthetic journal)
HOLE = 100  # missing sequence numbers in a row that are worth reporting
SCATTERED = 0.01  # share of entries before which numbers are missing, from which the input must have been filtered

SCHEMA = pl.Schema(
    {
        "machine": pl.String(),
        "unit": pl.String(),
        "start": UTC_TIME,
        "end": UTC_TIME,
        "reason": pl.String(),
        "loss": pl.Boolean(),
        "number": pl.Int64(),
    }
)


def _steps(entries: pl.DataFrame) -> pl.LazyFrame:
    """Find neighbouring entries of a boot whose clocks disagree: machine, boot, start, end, jump_s."""
    wall = pl.col("time").diff().dt.total_microseconds()
    same = (pl.col("boot").to_physical() == pl.col("boot").to_physical().shift(1)).fill_null(value=False)
    reported = pl.col("message_id") == systemd.TIME_CHANGE
    steps = entries.lazy().select(
        "machine",
        "host",
        "boot",
        pl.col("time").alias("end"),
        pl.col("time").shift(1).alias("start"),
        ((wall - pl.col("monotonic").diff()) / 1e6).alias("jump_s"),
        same.alias("same"),
        (reported | reported.shift(1)).fill_null(value=False).alias("reported"),
    )
    far = pl.col("jump_s").abs()
    return steps.filter(pl.col("same") & ((far > JUMP_S) | (pl.col("reported") & (far > SET_S)))).select(
        machine_or_host(), "boot", "start", "end", "jump_s"
    )


def useless_clocks(entries: pl.DataFrame) -> list[str]:
    """List the boots whose monotonic clock disagrees with the wall clock more than now and then."""
    jumps = _steps(entries).filter(pl.col("jump_s").abs() > JUMP_S).group_by("boot").len(name="jumps")
    boots = entries.lazy().group_by("boot").len(name="n").join(jumps, on="boot")
    return (
        boots.filter(pl.col("jumps") > pl.max_horizontal(pl.col("n") * USELESS, pl.lit(3)))
        .select(pl.col("boot").cast(pl.String))
        .collect()["boot"]
        .sort()
        .to_list()
    )


def clock_jumps(entries: pl.DataFrame) -> pl.DataFrame:
    """Find where the wall clock was set, or the host slept: SCHEMA."""
    useless = useless_clocks(entries)
    steps = _steps(entries).filter(~pl.col("boot").cast(pl.String).is_in(useless)).collect()
    reason = pl.format(
        "the wall clock moved {} s against the monotonic clock: it was set, or the host slept", pl.col("jump_s").round().cast(pl.Int64)
    )
    jumps = steps.select(
        "machine",
        pl.min_horizontal("start", "end").alias("start"),
        pl.max_horizontal("start", "end").alias("end"),
        reason.alias("reason"),
    )
    return _whole(jumps.with_columns(pl.lit(value=False).alias("loss"), pl.lit(0, pl.Int64).alias("number")))


def holes(entries: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Find stretches whose sequence numbers are missing: (SCHEMA, whether the input was filtered, so that holes mean nothing)."""
    numbered = entries.select("seqnum_id", "seqnum", "time", "machine", "host").drop_nulls(["seqnum_id", "seqnum"])
    numbered = numbered.with_columns(pl.col("seqnum_id").to_physical().alias("source"))
    if not _in_order(numbered):
        numbered = numbered.sort("source", "seqnum")
    step = pl.col("seqnum").diff()
    stepped = numbered.lazy().with_columns(
        step.alias("step"), pl.col("time").shift(1).alias("start"), (pl.col("source") == pl.col("source").shift(1)).alias("same")
    )
    missing = stepped.filter(pl.col("same") & (pl.col("step") > 1)).collect()
    if missing.height > max(numbered.height * SCATTERED, 20):
        return pl.DataFrame(schema=SCHEMA), True
    big = missing.filter(pl.col("step") > HOLE).with_columns((pl.col("step") - 1).alias("number"))
    reason = pl.format("{} entries missing (sequence numbers)", "number")
    stretches = big.select(
        machine_or_host(),
        pl.min_horizontal("start", "time").alias("start"),
        pl.max_horizontal("start", "time").alias("end"),
        reason.alias("reason"),
        "number",
    )
    return _whole(stretches.with_columns(pl.lit(value=True).alias("loss"))), False


def _in_order(numbered: pl.DataFrame) -> bool:
    """Whether each source's entries are together and in order of their numbers."""
    same = pl.col("source") == pl.col("source").shift(1)
    order = (
        numbered.lazy()
        .select(
            (same & (pl.col("seqnum").diff() < 0)).any().alias("back"),
            (~same).sum().alias("parts"),
            pl.col("source").n_unique().alias("sources"),
        )
        .collect()
    )
    back, parts, sources = order.row(0)
    return not back and parts + 1 <= sources


def _whole(stretches: pl.DataFrame) -> pl.DataFrame:
    """Complete to SCHEMA, about no unit in particular."""
    return stretches.with_columns(pl.lit(None, pl.String).alias("unit")).select(list(SCHEMA)).cast(SCHEMA)


def losses(entries: pl.DataFrame) -> pl.DataFrame:
    """Find lines that journald reports it dropped or could not take, each at the time of the report: SCHEMA."""
    reported = entries.lazy().filter(pl.col("message_id").is_in([systemd.JOURNAL_DROPPED, systemd.JOURNAL_MISSED]))
    number = pl.coalesce("dropped", pl.col("message").str.extract(r"(\d+)").cast(pl.Int64, strict=False), pl.lit(1))
    lines = reported.select(
        machine_or_host(),
        pl.col("time").alias("start"),
        pl.col("time").alias("end"),
        pl.col("unit").cast(pl.String),
        number.alias("number"),
    ).collect()
    reason = pl.format("journald dropped {} lines", "number")
    return lines.with_columns(reason.alias("reason"), pl.lit(value=True).alias("loss")).select(list(SCHEMA)).cast(SCHEMA)
