"""Find what replay must know of each machine: its boots, when it was off or asleep, its systemd, and what was reloaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from forensics.boots import machine_or_host
from forensics.changes.rules import MANAGER
from forensics.clocks import read_clocks

VERSION = r"^systemd v?(\d{3})\b.* running in "  # PID 1's first line
OFF_S = 1.0  # a shorter gap between two boots loses no scrape


@dataclass(frozen=True, slots=True)
class Machine:
    """Times are seconds since 1970. off: spans in which it was off or asleep. reloads: rows of ENTRIES. version: null when not recorded."""

    boots: tuple[str, ...]
    begins: tuple[float, ...]  # of the boots
    until: float
    off: tuple[tuple[float, float], ...]
    reloads: tuple[int, ...]  # daemon-reload and daemon-reexec
    version: int | None
    useless_clocks: frozenset[str]  # boots whose monotonic clock cannot be trusted


def machines(entries: pl.DataFrame) -> dict[str, Machine]:
    """Describe every machine of ENTRIES in canonical order."""
    clocks = read_clocks(entries)
    slept = clocks.steps.filter("slept").select("machine", pl.col("start", "end").dt.timestamp("us") / 1e6)
    stated = _stated(entries)
    reloads = stated.filter(pl.col("message").str.contains(MANAGER))
    versions = dict(stated.drop_nulls("version").group_by("machine").agg(pl.col("version").last()).iter_rows())
    found: dict[str, Machine] = {}
    for (name,), boots in _boots(entries).group_by("machine", maintain_order=True):
        spans = boots.select("boot", "begin", "end").rows()
        of_machine = pl.col("machine").eq_missing(pl.lit(name))
        asleep = slept.filter(of_machine).select("start", "end").rows()
        found[str(name or "")] = Machine(
            boots=tuple(boot or "" for boot, _, _ in spans),
            begins=tuple(begin for _, begin, _ in spans),
            until=spans[-1][2],
            off=tuple(sorted([*_between(spans), *asleep])),
            reloads=tuple(reloads.filter(of_machine)["row"].sort()),
            version=versions.get(name),
            useless_clocks=frozenset(clocks.useless),
        )
    return found


def _boots(entries: pl.DataFrame) -> pl.DataFrame:
    """List boots in order: machine, boot, begin, end (s). A boot's entries follow one another, as a machine's boots do."""
    codes = (pl.col(name).to_physical() for name in ("machine", "host", "boot"))
    differs = entries.select(pl.any_horizontal(code.ne_missing(code.shift()) for code in codes)).to_series().to_numpy(writable=True)
    differs[:1] = True
    firsts = np.flatnonzero(differs)
    lasts = np.append(firsts[1:], entries.height) - 1
    seconds = pl.col("time").dt.timestamp("us") / 1e6
    spans = entries[firsts].select(machine_or_host(), pl.col("boot").cast(pl.String), seconds.alias("begin"))
    spans = spans.with_columns(entries[lasts].select(seconds.alias("end")).to_series())
    return spans.group_by("machine", "boot", maintain_order=True).agg(pl.col("begin").first(), pl.col("end").last())


def _between(boots: Sequence[tuple[str, float, float]]) -> list[tuple[float, float]]:
    return [(end, begin) for (_, _, end), (_, begin, _) in pairwise(boots) if begin - end > OFF_S]


def _stated(entries: pl.DataFrame) -> pl.DataFrame:
    """Find what PID 1 says about itself, in the order of the journal: machine, row, message, version.

    Its first line is written before journald runs, and comes by way of the kernel.
    """
    by_manager = (pl.col("identifier") == "systemd") & ((pl.col("pid") == 1) | (pl.col("transport") == "kernel"))
    begins = pl.any_horizontal(pl.col("message").str.starts_with(word) for word in ("systemd ", "Reload", "Reexec"))
    lines = entries.lazy().with_row_index("row").filter(by_manager.fill_null(value=False)).filter(begins.fill_null(value=False))
    version = pl.col("message").str.extract(VERSION).cast(pl.Int64, strict=False).alias("version")
    return lines.select(machine_or_host(), "row", "message", version).collect()
