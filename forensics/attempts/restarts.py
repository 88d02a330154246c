"""Restarts: the manager's lines in, one row per scheduled restart and one per jump of the counter (restarts whose lines are lost) out."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import Says
from forensics.attempts.stop_reasons import is_said


def scheduled(lines: pl.DataFrame) -> pl.DataFrame:
    """Manager lines with `by_hand`, `refused` → row, place, spell, run, refused, lost_before: how many restarts the counter jumps over.

    N_RESTARTS grows by one a restart and falls to 0 by a client's stop, restart or reset-failed and with a boot, never by time.
    """
    turns = (
        lines.filter(is_said(Says.RESTART) | pl.col("by_hand"))
        .sort("place", "row")
        .with_columns(pl.col("by_hand").cast(pl.UInt32).cum_sum().alias("hands"))
        .filter(is_said(Says.RESTART))
    )
    counted = turns.filter(pl.col("restart_counter").is_not_null()).select("row", "place", "boot", "hands", n="restart_counter")
    same = pl.col("place") == pl.col("place").shift()
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
        .when((n <= before) | (pl.col("hands") != pl.col("hands").shift()))
        .then(since_reset)
        .otherwise(n - before - 1)
        .clip(lower_bound=0)
        .alias("lost_before"),
    )
    return (
        turns.select("row", "place", "spell", "run", "refused")
        .join(jumps, on="row", how="left")
        .with_columns(pl.col("lost_before").fill_null(0))
    )


def both_kinds(found: pl.DataFrame) -> pl.DataFrame:
    """Each scheduled restart as one row, and before it one for those it shows to be lost: run, row, count, lost, refused."""
    seen = found.select("row", "run", "refused", pl.lit(1, pl.Int64).alias("count"), pl.lit(value=False).alias("lost"))
    lost = found.filter(pl.col("lost_before") > 0).select(
        "row",
        pl.lit(None, pl.UInt32).alias("run"),
        pl.lit(value=False).alias("refused"),
        pl.col("lost_before").cast(pl.Int64).alias("count"),
        pl.lit(value=True).alias("lost"),
    )
    return pl.concat([seen, lost]).sort("row", "lost", descending=[False, True])
