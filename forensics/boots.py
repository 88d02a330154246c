"""Name the machines and the boots that entries come from, and when each boot ended."""

from __future__ import annotations

import polars as pl


def machine_or_host() -> pl.Expr:
    """Select `machine` as text: the machine id, or the host name where none is recorded."""
    return pl.coalesce(pl.col("machine").cast(pl.String), pl.col("host").cast(pl.String)).alias("machine")


def boot_ends(entries: pl.DataFrame) -> pl.DataFrame:
    """Find when each boot ended: machine, boot, boot_end, boot_end_clock (µs), last_boot (of the machine), data_end (of the machine)."""
    ends = entries.group_by("machine", "host", "boot").agg(
        pl.col("time").max().alias("boot_end"), pl.col("time").min().alias("begin"), pl.col("monotonic").max().alias("boot_end_clock")
    )
    ends = (
        ends.with_columns(machine_or_host(), pl.col("boot").cast(pl.String))
        .group_by("machine", "boot")
        .agg(pl.col("boot_end", "boot_end_clock").max(), pl.col("begin").min())
        .sort("machine", "begin", "boot", nulls_last=True)
    )
    return ends.with_columns(
        (pl.col("begin") == pl.col("begin").max().over("machine")).alias("last_boot"),
        pl.col("boot_end").max().over("machine").alias("data_end"),
    ).drop("begin")
