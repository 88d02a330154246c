"""Name the machines and the boots that entries come from, and when each boot ended."""

from __future__ import annotations

import polars as pl


def machine_or_host() -> pl.Expr:
    """Select `machine` as text: the machine id, or the host name where none is recorded."""
    return pl.coalesce(pl.col("machine").cast(pl.String), pl.col("host").cast(pl.String)).alias("machine")


def boot_ends(entries: pl.DataFrame) -> pl.DataFrame:
    """Find when each boot ended: machine, boot, boot_end, boot_end_clock (µs), last_boot (of the machine), data_end (of the machine).

    Canonical order decides what is last, not the wall clock: without a clock that runs while a machine is off, all boots begin alike.
    """
    last = [pl.col("time").last().alias("boot_end"), pl.col("monotonic").max().alias("boot_end_clock"), pl.col("row").last()]
    ends = entries.lazy().with_row_index("row").group_by("machine", "host", "boot").agg(last)
    ends = (
        ends.with_columns(machine_or_host(), pl.col("boot").cast(pl.String))
        .sort("row")
        .group_by("machine", "boot", maintain_order=True)
        .agg(pl.col("boot_end").last(), pl.col("boot_end_clock").max(), pl.col("row").last())
        .sort("machine", "row", nulls_last=True)
    )
    is_last = pl.col("row") == pl.col("row").max().over("machine")
    ends = ends.with_columns(is_last.alias("last_boot"), pl.col("boot_end").last().over("machine").alias("data_end"))
    return ends.drop("row").collect()


def host_names(entries: pl.DataFrame) -> tuple[str, ...]:
    """List the machines' names, sorted; of a machine that changed its name the last one."""
    named = entries.lazy().select("machine", "host").with_row_index("row").filter(pl.col("host").is_not_null())
    last = named.group_by("machine", "host").agg(pl.col("row").last()).with_columns(pl.col("host").cast(pl.String)).collect()
    machine = pl.coalesce(pl.col("machine").cast(pl.String), "host")
    return tuple(last.sort("row").group_by(machine, maintain_order=True).agg(pl.col("host").last())["host"].unique().sort())


def machine_ids(entries: pl.DataFrame) -> tuple[str, ...]:
    """List the machines' ids, sorted."""
    return tuple(entries["machine"].drop_nulls().unique().cast(pl.String).sort())
