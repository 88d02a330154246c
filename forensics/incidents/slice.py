"""A timeline in, one Case per incident out: the slices of attempts, restarts and changes that the story of the incident is told from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.changes.shell import just_looks
from forensics.incidents.gaps import useless_clocks
from forensics.incidents.inputs import SECOND, Material, microseconds, quoted
from forensics.incidents.segment import Timeline
from forensics.model.values import Evidence

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
BEFORE = 24 * 3600 * SECOND  # how far back a change is shown


@dataclass(frozen=True, slots=True)
class Seen:
    """A change. looks: it only looked at something."""

    us: int
    kind: str
    unit: str | None
    summary: str
    row: int
    looks: bool
    evidence: Evidence


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
    changes: list[Seen]  # of its host or unit, from a day before to its end, by time
    by_hand: list[tuple[int, int]]  # (time, row) of starts behind the first that neither restart logic, boot, timer nor socket made

    @property
    def until(self) -> int:
        return self.data_end if self.end is None else self.end

    @property
    def first_failure(self) -> int:
        """The start of the first failed attempt; of one that had been up for a minute or more, its end."""
        ended = self.runs["ended"][0]
        return self.start if ended is None or self.runs["uptime_s"][0] < 60 else max(self.start, microseconds(ended))


def cases(line: Timeline, material: Material) -> Iterator[Case]:
    """The cases in order of the incidents' start; the runs are `cycled`. Slices only: the cost is that of the rows they hold."""
    runs = line.runs
    falls = line.falls.filter(pl.col("incident").is_not_null()).sort("incident", "at_row", maintain_order=True)
    sizes = falls.group_by("incident").len()
    loops = line.loops.join(sizes, on="incident", how="left").sort("incident").with_columns(pl.col("len").fill_null(0))
    by_host = _by_host(material)
    manual = runs.filter("by_hand").select("run", pl.col("started").dt.timestamp("us"), "first_row").rows()
    at = 0
    for loop in loops.iter_rows(named=True):
        start, end, data_end = microseconds(loop["start"]), _us(loop["end"]), microseconds(loop["data_end"])
        changes = _near(by_host.get(loop["host"], []), loop["unit"], start, data_end if end is None else end)
        success = runs.slice(loop["last"] + 1, 0 if loop["recovery"] is None else 1)
        own = runs.slice(loop["first"], loop["last"] - loop["first"] + 1)
        yield Case(
            loop["host"], loop["manager"], loop["unit"], loop["kind"], loop["ongoing"], start, end, _us(loop["recovery"]), data_end,
            own, success, falls.slice(at, loop["len"]), changes, _between(manual, loop["first"] + 1, loop["last"] + 1 + success.height),
        )  # fmt: skip
        at += loop["len"]


def _between(manual: list[tuple[int, int, int]], first: int, stop: int) -> list[tuple[int, int]]:
    lo, hi = (bisect_left(manual, run, key=lambda start: start[0]) for run in (first, stop))
    return [(us, row) for _, us, row in manual[lo:hi]]


def _us(time: object) -> int | None:
    return None if time is None else microseconds(time)  # type: ignore[arg-type]


def cycled(runs: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """With cycle_s (start to the next automatic start, by the monotonic clock where that can be trusted) and by_hand."""
    useless = useless_clocks(entries)
    monotonic = entries["monotonic"].gather(runs["first_row"]) if runs.height else pl.Series([], dtype=pl.Int64)
    runs = runs.with_columns(monotonic.alias("monotonic"))
    following = pl.col("automatic", "boot", "started", "monotonic").shift(-1).over("who").name.prefix("next_")
    runs = runs.with_columns(following)
    trusted = (pl.col("boot") == pl.col("next_boot")) & ~pl.col("boot").is_in(useless)
    by_wall = (pl.col("next_started") - pl.col("started")).dt.total_microseconds()
    cycle = pl.when(trusted.fill_null(value=False)).then(pl.col("next_monotonic") - pl.col("monotonic")).otherwise(by_wall) / SECOND
    runs = runs.with_columns(pl.when(pl.col("next_automatic") & (cycle > 0)).then(cycle).alias("cycle_s"))
    same_boot = (pl.col("boot") == pl.col("boot").shift(1).over("who")).fill_null(value=False)
    return runs.with_columns((~pl.col("automatic") & same_boot & ~pl.col("unit").is_in(_activated(entries))).alias("by_hand"))


def _activated(entries: pl.DataFrame) -> list[str]:
    """Services that a timer, socket or path of the same name starts."""
    units = entries["unit"].unique().cast(pl.String).drop_nulls().sort()
    return units.filter(units.str.contains(r"\.(?:timer|socket|path)$")).str.replace(r"\.\w+$", ".service").to_list()


def _by_host(material: Material) -> dict[str | None, list[Seen]]:
    """Changes by host, in order of time: there are few, so they are taken out of the frame once for all cases."""
    frame = material.changes.with_columns(pl.col("time").dt.timestamp("us").alias("us")).sort("us", "row")
    lines = quoted(material.entries, frame["row"].to_list())
    looks = {summary: just_looks(summary) for summary in frame["summary"].unique()}
    found: dict[str | None, list[Seen]] = {}
    for (us, host, kind, unit, summary, row), line in zip(
        frame.select("us", "host", "kind", "unit", "summary", "row").rows(), lines, strict=True
    ):
        found.setdefault(host, []).append(Seen(us, kind, unit, summary, row, looks[summary], line))
    return found


def _near(changes: list[Seen], unit: str, start: int, until: int) -> list[Seen]:
    lo, hi = (bisect_left(changes, us, key=lambda seen: seen.us) for us in (start - BEFORE, until + SECOND))
    return [seen for seen in changes[lo:hi] if seen.unit is None or seen.unit == unit]


def starts(case: Case) -> Ints:
    return np.asarray(case.runs["started"].dt.timestamp("us").to_numpy(), dtype=np.int64)


def hands(case: Case) -> Flags:
    """Per restart: an operator's action, a manual start or a long pause lies just before its attempt."""
    began = starts(case)
    acts = np.array([seen.us for seen in case.changes if seen.us > case.start and not seen.looks and seen.kind != "login"], dtype=np.int64)
    flag = ~case.runs["automatic"].to_numpy()
    place = np.searchsorted(np.maximum.accumulate(began), acts)
    flag[place[place < len(flag)]] = True
    pause = np.diff(began, prepend=began[0]) / SECOND
    usual = np.median(pause[1:]) if len(pause) > 1 else 0.0
    flag |= pause > max(5 * usual, 60.0)
    flag[0] = False
    seen = np.cumsum(flag)
    at = seen[case.falls["run"].to_numpy().astype(np.int64) - int(case.runs["run"][0])]
    return np.asarray(np.diff(at, prepend=at[0] if len(at) else 0) > 0, dtype=np.bool_)
