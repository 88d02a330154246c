"""List scheduled restarts, and those that only a jump of the restart counter shows."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, is_kind


def scheduled(lines: pl.DataFrame) -> pl.DataFrame:
    """List scheduled restarts: row, unit_key, unit_boot, candidate, refused, lost_before (how many the counter jumps over).

    N_RESTARTS grows by one per restart and falls to 0 by a client's stop, restart or reset-failed and with a boot, never by time.
    lines: the manager's, with `requested`, `by_gate` and `refused`.
    """
    turns = (
        lines.filter(is_kind(ManagerMessage.RESTART) | pl.col("requested") | pl.col("by_gate"))
        .sort("unit_key", "row")
        .with_columns((pl.col("requested") | pl.col("by_gate")).cast(pl.UInt32).cum_sum().alias("requests"))
        .filter(is_kind(ManagerMessage.RESTART))
    )
    counted = turns.filter(pl.col("restart_counter").is_not_null()).select("row", "unit_key", "boot", "requests", "restart_counter")
    return (
        turns.select("row", "unit_key", "unit_boot", "candidate", "refused")
        .join(_jumps(counted), on="row", how="left")
        .with_columns(pl.col("lost_before").fill_null(0))
    )


def lost_restarts(before: int | None, counter: int, *, may_be_reset: bool = False) -> int:
    """Count the restarts without a line before one with this counter.

    before: the last counter, 0 in a new boot, null when unknown. may_be_reset: after a client's job, which resets it in most versions.
    """
    if before is None or counter == before + 1:
        return 0
    is_reset = may_be_reset or counter <= before
    return max(0, counter - 1 if is_reset else counter - before - 1)


def _jumps(counted: pl.DataFrame) -> pl.DataFrame:
    """Count lost_restarts before each restart of which the counter is not the next one: row, lost_before."""
    same_unit, before = (pl.col("unit_key").eq_missing(pl.col("unit_key").shift()), pl.col("restart_counter").shift())
    before = pl.when(pl.col("boot").eq_missing(pl.col("boot").shift())).then(before).otherwise(0)
    may_be_reset = pl.col("requests") != pl.col("requests").shift()
    jumped = counted.select("row", before.alias("before"), "restart_counter", may_be_reset, same_unit.alias("same")).filter(
        "same", pl.col("restart_counter") != pl.col("before") + 1
    )
    lost = [lost_restarts(before, counter, may_be_reset=reset) for _, before, counter, reset, _ in jumped.iter_rows()]
    return jumped.select("row", pl.Series("lost_before", lost, dtype=pl.Int64))


def with_lost(scheduled_restarts: pl.DataFrame) -> pl.DataFrame:
    """Add before each scheduled restart a row for those it shows to be lost: candidate, row, count, lost, refused."""
    logged = scheduled_restarts.select("row", "candidate", "refused", pl.lit(1, pl.Int64).alias("count"), pl.lit(value=False).alias("lost"))
    lost = scheduled_restarts.filter(pl.col("lost_before") > 0).select(
        "row",
        pl.lit(None, pl.UInt32).alias("candidate"),
        pl.lit(value=False).alias("refused"),
        pl.col("lost_before").cast(pl.Int64).alias("count"),
        pl.lit(value=True).alias("lost"),
    )
    return pl.concat([logged, lost]).sort("row", "lost", descending=[False, True])
