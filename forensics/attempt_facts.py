"""Gather the facts of each attempt that policy decides by, the same for history and for the stream."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from forensics.model.frames import exit_id
from forensics.model.moments import Moment
from forensics.model.values import UnitKey
from forensics.policy.unit_state import Attempt

CLOCKS = ("start_clock", "stated_clock", "ready_clock", "end_clock")
TIMES = pl.col("started", "stated", "ready", "ended").dt.timestamp("us")  # as `attempt_of` takes them


def with_facts(
    attempts: pl.DataFrame, lifecycle: pl.DataFrame, labels: pl.DataFrame, entries: pl.DataFrame, useless_clocks: Collection[str] = ()
) -> pl.DataFrame:
    """Add to ATTEMPTS signature, proof, secondary, failed_by_itself, announced, `stated` (the manager's start line) and boot clocks.

    useless_clocks: boots whose monotonic clock cannot be trusted.
    """
    of_labels = labels.select("attempt", "signature", pl.col("failed").alias("by_label"), pl.col("row").alias("proof"), "secondary")
    own_end = pl.col("outcome").is_in(["failed", "clean"])
    clock = entries["monotonic"]
    joined = attempts.join(of_labels.unique("attempt", keep="first", maintain_order=True), on="attempt", how="left", maintain_order="left")
    return (
        joined.join(_starts(lifecycle), on="attempt", how="left", maintain_order="left")
        .with_columns(
            pl.coalesce("signature", exit_id(pl.col("result"), pl.col("exit_code"), pl.col("exit_status"))).alias("signature"),
            (own_end & pl.coalesce("by_label", pl.col("outcome") == "failed")).alias("failed_by_itself"),
            pl.col("announced").fill_null(value=False),
            pl.col("uptime_s").fill_null(0.0),
            clock.gather(joined["first_row"]).alias("start_clock"),
            clock.gather(joined["last_row"]).alias("end_clock"),
        )
        .with_columns(pl.when(~pl.col("boot").is_in(list(useless_clocks))).then(pl.col(name)).alias(name) for name in CLOCKS)
    )


def _starts(lifecycle: pl.DataFrame) -> pl.DataFrame:
    """Find the start lines of each attempt: attempt, announced (as in policy), stated, stated_clock, ready_clock."""
    starts = lifecycle.filter(pl.col("kind").is_in(["starting", "started"]) & pl.col("attempt").is_not_null())
    is_ready = pl.col("kind") == "started"
    return starts.group_by("attempt").agg(
        (~is_ready).any().alias("announced"),
        pl.col("time").first().alias("stated"),
        pl.col("monotonic").first().alias("stated_clock"),
        pl.col("monotonic").filter(is_ready).first().alias("ready_clock"),
    )


def attempt_of(row: Mapping[str, Any]) -> Attempt:
    """Convert one row of `with_facts`, with its TIMES as µs since 1970, for policy."""
    boot = row["boot"] or ""
    started = Moment(row["started"], row["start_clock"], boot)
    lived_us = int(row["uptime_s"] * 1e6)
    ended = Moment(row["ended"], row["end_clock"], boot) if row["ended"] is not None else _later(started, lived_us)
    return Attempt(
        started=started,
        ended=ended,
        lived_s=row["uptime_s"],
        outcome=row["outcome"],
        failed=row["failed_by_itself"],
        signature=row["signature"],
        stated=None if row["stated"] is None else Moment(row["stated"], row["stated_clock"], boot),
        announced=row["announced"],
        failed_stopping=row["failed_stopping"],
        ready=None if row["ready"] is None else Moment(row["ready"], row["ready_clock"], boot),
    )


def unit_of(row: Mapping[str, Any]) -> UnitKey:
    """Return the unit of one row of ATTEMPTS."""
    return UnitKey(row["machine"] or "", row["manager"] or "", row["unit"])


def _later(moment: Moment, us: int) -> Moment:
    """Return the moment so many µs later."""
    return Moment(moment.time + us, None if moment.clock is None else moment.clock + us, moment.boot)
