"""A timeline in, one Case per incident out: the slices of attempts, restarts and changes that the story of the incident is told from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.incidents.commands import just_looks
from forensics.incidents.gaps import useless_clocks
from forensics.incidents.material import SECOND, Material, microseconds
from forensics.incidents.segment import Timeline

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
BEFORE = 24 * 3600 * SECOND  # how far back a change is shown


@dataclass(frozen=True, slots=True)
class Case:
    """One incident's material. Times are µs. runs: its attempts in order; success: the run that ended it, or no row."""

    host: str
    manager: str
    unit: str
    kind: str
    ongoing: bool
    start: int
    end: int | None
    recovery: int | None
    data_end: int
    runs: pl.DataFrame
    success: pl.DataFrame
    falls: pl.DataFrame
    changes: pl.DataFrame  # of its host or unit, from a day before to its end, by time; with `us` and `looks`

    @property
    def until(self) -> int:
        return self.data_end if self.end is None else self.end

    @property
    def first_failure(self) -> int:
        """The start of the first failed attempt; of one that had been up for a minute or more, its end."""
        row = self.runs.row(0, named=True)
        ended = row["ended"]
        return self.start if ended is None or row["uptime_s"] < 60 else max(self.start, microseconds(ended))


def cases(line: Timeline, material: Material) -> Iterator[Case]:
    """The cases in order of the incidents' start; the runs are `cycled`. Slices only: the cost is that of the rows they hold."""
    runs = line.runs
    falls = line.falls.filter(pl.col("incident").is_not_null()).sort("incident", "at_row", maintain_order=True)
    sizes = falls.group_by("incident").len()
    loops = line.loops.join(sizes, on="incident", how="left").sort("incident").with_columns(pl.col("len").fill_null(0))
    by_host = _by_host(material.changes)
    at = 0
    for loop in loops.iter_rows(named=True):
        start, end, data_end = microseconds(loop["start"]), _us(loop["end"]), microseconds(loop["data_end"])
        changes = _near(by_host.get(loop["host"]), loop["unit"], start, data_end if end is None else end, material.changes)
        success = runs.slice(loop["last"] + 1, 0 if loop["recovery"] is None else 1)
        own = runs.slice(loop["first"], loop["last"] - loop["first"] + 1)
        yield Case(
            loop["host"], loop["manager"], loop["unit"], loop["kind"], loop["ongoing"], start, end, _us(loop["recovery"]), data_end,
            own, success, falls.slice(at, loop["len"]), changes,
        )  # fmt: skip
        at += loop["len"]


def _us(time: object) -> int | None:
    return None if time is None else microseconds(time)  # type: ignore[arg-type]


def cycled(runs: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """With cycle_s: start to the next automatic start, by the monotonic clock where that can be trusted."""
    useless = useless_clocks(entries)
    monotonic = entries["monotonic"].gather(runs["first_row"]) if runs.height else pl.Series([], dtype=pl.Int64)
    runs = runs.with_columns(monotonic.alias("monotonic"))
    following = pl.col("automatic", "boot", "started", "monotonic").shift(-1).over("who").name.prefix("next_")
    runs = runs.with_columns(following)
    trusted = (pl.col("boot") == pl.col("next_boot")) & ~pl.col("boot").is_in(useless)
    by_wall = (pl.col("next_started") - pl.col("started")).dt.total_microseconds()
    cycle = pl.when(trusted.fill_null(value=False)).then(pl.col("next_monotonic") - pl.col("monotonic")).otherwise(by_wall) / SECOND
    return runs.with_columns(pl.when(pl.col("next_automatic") & (cycle > 0)).then(cycle).alias("cycle_s"))


def _by_host(changes: pl.DataFrame) -> dict[str, pl.DataFrame]:
    frame = changes.with_columns(pl.col("time").dt.timestamp("us").alias("us"), pl.col("host").cast(pl.String)).sort("us", "row")
    summaries = frame["summary"].unique().drop_nulls().sort().to_list()
    frame = frame.with_columns(pl.col("summary").is_in([s for s in summaries if just_looks(s)]).alias("looks"))
    return {host: part for (host,), part in frame.partition_by("host", as_dict=True).items()}


def _near(changes: pl.DataFrame | None, unit: str, start: int, until: int, model: pl.DataFrame) -> pl.DataFrame:
    if changes is None:
        return model.clear().with_columns(pl.lit(0, pl.Int64).alias("us"), pl.lit(value=False).alias("looks"))
    lo, hi = np.searchsorted(changes["us"].to_numpy(), [start - BEFORE, until + SECOND])
    return changes.slice(int(lo), int(hi - lo)).filter(pl.col("unit").is_null() | (pl.col("unit") == unit))


def starts(case: Case) -> Ints:
    return np.asarray(case.runs["started"].dt.timestamp("us").to_numpy(), dtype=np.int64)


def hands(case: Case) -> Flags:
    """Per restart: an operator's action, a manual start or a long pause lies just before its attempt."""
    began = starts(case)
    acts = case.changes.filter(~pl.col("looks") & (pl.col("kind") != "login"))["us"].to_numpy()
    flag = ~case.runs["automatic"].to_numpy()
    place = np.searchsorted(np.maximum.accumulate(began), acts[acts > case.start])
    flag[place[place < len(flag)]] = True
    pause = np.diff(began, prepend=began[0]) / SECOND
    usual = np.median(pause[1:]) if len(pause) > 1 else 0.0
    flag |= pause > max(5 * usual, 60.0)
    flag[0] = False
    seen = np.cumsum(flag)
    at = seen[case.falls["run"].to_numpy().astype(np.int64) - int(case.runs["run"][0])]
    return np.asarray(np.diff(at, prepend=at[0] if len(at) else 0) > 0, dtype=np.bool_)
