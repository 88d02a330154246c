"""List scheduled restarts, and those that only a jump of the restart counter shows."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, is_kind


def scheduled(lines: pl.DataFrame) -> pl.DataFrame:
    """Manager lines with `requested`, `refused` → row, unit_key, unit_boot, candidate, refused, lost_before: how many restarts
    the counter jumps over.

    N_RESTARTS grows by one per restart and falls to 0 by a client's stop, restart or reset-failed and with a boot, never by time.
    """
    turns = (
        lines.filter(is_kind(ManagerMessage.RESTART) | pl.col("requested"))
        .sort("unit_key", "row")
        .with_columns(pl.col("requested").cast(pl.UInt32).cum_sum().alias("requests"))
        .filter(is_kind(ManagerMessage.RESTART))
    )
    counted = turns.filter(pl.col("restart_counter").is_not_null()).select("row", "unit_key", "boot", "requests", n="restart_counter")
    same = pl.col("unit_key") == pl.col("unit_key").shift()
    n, before = pl.col("n"), pl.col("n").shift()
    since_reset = n - 1
    jumps = counted.select(
        "row",
        pl.when(~same | same.is_null())
        .then(0)
        .when(pl.col("boot") != pl.col("boot").shift())
        .then(since_reset)
        .when(n == before + 1)
        .then(0)
        .when((n <= before) | (pl.col("requests") != pl.col("requests").shift()))
        .then(since_reset)
        .otherwise(n - before - 1)
        .clip(lower_bound=0)
        .alias("lost_before"),
    )
    return (
        turns.select("row", "unit_key", "unit_boot", "candidate", "refused")
        .join(jumps, on="row", how="left")
        .with_columns(pl.col("lost_before").fill_null(0))
    )


def with_lost(scheduled_restarts: pl.DataFrame) -> pl.DataFrame:
    """Each scheduled restart as one row, and before it one for those it shows to be lost: candidate, row, count, lost, refused."""
    logged = scheduled_restarts.select("row", "candidate", "refused", pl.lit(1, pl.Int64).alias("count"), pl.lit(value=False).alias("lost"))
    lost = scheduled_restarts.filter(pl.col("lost_before") > 0).select(
        "row",
        pl.lit(None, pl.UInt32).alias("candidate"),
        pl.lit(value=False).alias("refused"),
        pl.col("lost_before").cast(pl.Int64).alias("count"),
        pl.lit(value=True).alias("lost"),
    )
    return pl.concat([logged, lost]).sort("row", "lost", descending=[False, True])
