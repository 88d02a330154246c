"""Sum up what an incident cost: CPU time, journal, and how much of the host's history its entries displaced."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from forensics.incidents.inputs import SECOND
from forensics.model.values import Cost


@dataclass(frozen=True, slots=True)
class Logged:
    """What a machine logged: bytes, and over how many seconds."""

    bytes: int
    seconds: float


def logged_by_machine(entries: pl.DataFrame) -> dict[str, Logged]:
    """Sum up the bytes that each machine logged; a machine without an id goes by its host's name, as in ATTEMPTS."""
    machine = pl.coalesce(pl.col("machine").cast(pl.String), pl.col("host").cast(pl.String)).alias("machine")
    time = pl.col("time").dt.timestamp("us")
    # the names are made from a row per pair of them, not per entry
    pairs = entries.group_by("machine", "host").agg(pl.col("bytes").sum(), time.min().alias("first"), time.max().alias("last"))
    sums = pairs.with_columns(machine).group_by("machine").agg(pl.col("bytes").sum(), pl.col("first").min(), pl.col("last").max())
    return {str(name): Logged(int(size), (last - first) / SECOND) for name, size, first, last in sums.iter_rows()}


def cost(attempts: pl.DataFrame, machine: str, logged: Mapping[str, Logged]) -> Cost:
    """Make the Cost of an incident from its attempts and from what its machine logged."""
    cpu = attempts["cpu_ns"].drop_nulls()
    size = int(attempts["bytes"].sum())
    share, displaced_s = _displaced(size, logged.get(machine, Logged(0, 0.0)))
    cpu_s = int(cpu.sum()) / 1e9 if len(cpu) else None
    return Cost(cpu_s, size, int(attempts["entries"].cast(pl.Int64).sum()), share, displaced_s)


def _displaced(size: int, logged: Logged) -> tuple[float | None, float | None]:
    """Return the share of the machine's bytes, and how long its other entries take to fill as many."""
    if not 0 < size <= logged.bytes:
        return None, None
    others = logged.bytes - size
    return size / logged.bytes, size / (others / logged.seconds) if others and logged.seconds > 0 else None
