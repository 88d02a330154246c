"""Measure whether restarting helped: how many of a class's failures were followed by an attempt that held."""

from __future__ import annotations

import polars as pl

from forensics.policy.limits import HELD_S

UNDECIDED = ("running", "cut", "stopped")  # such an attempt, when it did not hold, shows neither


def restart_helped(attempts: pl.DataFrame) -> pl.DataFrame:
    """Count per incident (null: none) and signature the restarts with a known outcome (`of`) and those that held (`held`).

    attempts: all of a Timeline, with its columns and `held`, whether policy takes an attempt for healthy. A failure counts when the
    manager restarted the unit after it, and the attempt that came of this has shown whether it holds.
    """
    held = pl.col("held").fill_null(value=False) | (pl.col("uptime_s") >= HELD_S).fill_null(value=False)
    known = held | ~pl.col("outcome").cast(pl.String).is_in(UNDECIDED)
    following = attempts.sort("number").with_columns(
        held.shift(-1).over("unit_number").alias("next_held"),
        (known & pl.col("automatic")).shift(-1).over("unit_number").fill_null(value=False).alias("next_known"),
    )
    counted = following.filter(pl.col("failed") & pl.col("restarted") & pl.col("next_known"))
    counts = counted.group_by("incident", "signature").agg(
        pl.len().cast(pl.Int64).alias("of"), pl.col("next_held").sum().cast(pl.Int64).alias("held")
    )
    return counts.sort("incident", "signature", nulls_last=True)
