"""Gather the facts of each attempt that policy decides by, the same for history and for the stream."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import polars as pl

from forensics.model.frames import exit_id
from forensics.model.moments import Moment
from forensics.model.values import UnitKey
from forensics.policy.unit_state import Attempt

CLOCKS = ("start_clock", "stated_clock", "ready_clock", "end_clock")


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


def attempts_of(facts: pl.DataFrame) -> list[Attempt]:
    """Convert the rows of `with_facts` for policy; by columns, which takes half the time of row by row."""
    lived = pl.duration(microseconds=(pl.col("uptime_s") * 1e6).cast(pl.Int64))
    no_end = pl.col("ended").is_null()
    facts = facts.with_columns(
        pl.coalesce("ended", pl.col("started") + lived),
        pl.when(no_end).then(pl.col("start_clock") + lived.dt.total_microseconds()).otherwise("end_clock").alias("end_clock"),
    )
    return list(
        map(
            Attempt,
            moments(facts, "started", "start_clock"),
            moments(facts, "ended", "end_clock"),
            *(facts[name].to_list() for name in ("uptime_s", "outcome", "failed_by_itself", "signature")),
            optional_moments(facts, "stated", "stated_clock"),
            facts["announced"].to_list(),
            optional_moments(facts, "ready", "ready_clock"),
            facts["failed_stopping"].to_list(),
        )
    )


def moments(rows: pl.DataFrame, time: str, clock: str) -> Iterator[Moment]:
    """Yield for each row the moment of two of its columns, a time that is never null and a clock (µs), in its `boot`."""
    return map(Moment, *_moment_columns(rows, time, clock))


def optional_moments(rows: pl.DataFrame, time: str, clock: str) -> Iterator[Moment | None]:
    """Yield what `moments` does, and null where the time is."""
    columns = zip(*_moment_columns(rows, time, clock), strict=True)
    return (None if at is None else Moment(at, since_boot, boot) for at, since_boot, boot in columns)


def _moment_columns(rows: pl.DataFrame, time: str, clock: str) -> tuple[list[Any], list[Any], list[Any]]:
    return rows[time].dt.timestamp("us").to_list(), rows[clock].to_list(), rows["boot"].fill_null("").to_list()


def unit_of(row: Mapping[str, Any]) -> UnitKey:
    """Return the unit of one row of ATTEMPTS."""
    return UnitKey(row["machine"] or "", row["manager"] or "", row["unit"])
