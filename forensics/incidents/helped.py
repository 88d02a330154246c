"""Measure whether restarting helped: whether the attempt that the manager started after a failure held."""

from __future__ import annotations

import polars as pl

UNDECIDED = ("running", "cut")  # such an attempt, when it did not hold, shows neither; one stopped before it was healthy shows no help


def with_helped(attempts: pl.DataFrame) -> pl.DataFrame:
    """Add `restart_helped` to all attempts of a Timeline: null where no restart followed, or its attempt has not shown whether it holds."""
    held = pl.col("held").fill_null(value=False)
    known = held | ~pl.col("outcome").cast(pl.String).is_in(UNDECIDED)
    following = pl.when(known & pl.col("automatic")).then(held).shift(-1).over("unit_number", order_by="number")
    return attempts.with_columns(pl.when(pl.col("failed") & pl.col("restarted")).then(following).alias("restart_helped"))
