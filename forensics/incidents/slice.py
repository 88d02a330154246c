"""Slice a timeline into one Case per incident: its attempts, restarts and the changes around it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.changes.shell import is_read_only
from forensics.incidents.inputs import SECOND, Inputs, microseconds, quoted
from forensics.incidents.segment import Timeline
from forensics.model.values import Evidence

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
BEFORE = 24 * 3600 * SECOND  # how far back a change is shown


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A change. read_only: its commands only read."""

    us: int
    kind: str
    unit: str | None
    summary: str
    row: int
    read_only: bool
    evidence: Evidence


class GateTurn(NamedTuple):
    """A statement of a gate. about: the failure class that it opened for, or why it was closed."""

    us: int
    kind: str
    about: str | None
    failures: int | None
    row: int


@dataclass(frozen=True)
class Case:
    """One incident. Times are µs. attempts: its own, in order; success: the attempt that ended it, or no row."""

    machine: str
    host: str
    manager: str
    unit: str
    kind: str
    ongoing: bool
    start: int
    end: int | None
    recovery: int | None
    data_end: int
    down_s: float  # the sum of the gaps, of a recurring one
    last_good: int | None  # when the attempt before it ended well
    attempts: pl.DataFrame
    success: pl.DataFrame
    restarts: pl.DataFrame
    changes: list[CaseChange]  # of its machine or unit, from a day before to its end, by time
    by_hand: list[tuple[int, int]]  # (time, row) of further starts that neither restart logic, boot, timer nor socket caused
    gate: list[GateTurn]  # what a gate did to its unit, from its beginning on

    @property
    def until(self) -> int:
        return self.data_end if self.end is None else self.end

    @property
    def first_failure(self) -> int:
        """When the first failed attempt started; when it ended, if it had been up for a minute or more."""
        ended = self.attempts["ended"][0]
        return self.start if ended is None or self.attempts["uptime_s"][0] < 60 else max(self.start, microseconds(ended))

    @cached_property
    def answers(self) -> list[CaseChange]:
        """The changes after it began that may answer a failure: not the client's restarts, of which a run failed while it stopped."""
        failed = self.attempts.filter("failed_stopping").select(pl.col("started", "ended").dt.timestamp("us")).drop_nulls()
        began, ended = failed["started"].to_list(), failed["ended"].to_list()
        return [
            change
            for change in self.changes
            if change.us > self.start and not (change.kind == "unit-job" and _within(change.us, began, ended))
        ]


def cases(line: Timeline, inputs: Inputs) -> Iterator[Case]:
    """Yield the cases in order of start, as slices: the cost is that of their rows. line: with `cycled` attempts."""
    attempts = line.attempts
    restarts = line.restarts.filter(pl.col("incident").is_not_null()).sort("incident", "at_row", maintain_order=True)
    sizes = restarts.group_by("incident").len()
    sized = line.incidents.join(sizes, on="incident", how="left").sort("incident").with_columns(pl.col("len").fill_null(0))
    by_machine, gates = _by_machine(inputs), _gates(inputs.lifecycle)
    manual = attempts.filter("by_hand").select("number", pl.col("started").dt.timestamp("us"), "first_row").rows()
    at = 0
    for row in sized.iter_rows(named=True):
        until = row["data_end"] if row["end"] is None else row["end"]
        success = attempts.slice(row["last"] + 1, 0 if row["recovery"] is None else 1)
        before = attempts.slice(max(0, row["first"] - 1), min(1, row["first"]))
        own = attempts.slice(row["first"], row["last"] - row["first"] + 1)
        yield Case(
            **{
                name: row[name]
                for name in ("machine", "host", "manager", "unit", "kind", "ongoing", "start", "end", "recovery", "data_end", "down_s")
            },
            attempts=own.filter(pl.col("failed") & (pl.col("incident") == row["incident"])) if row["kind"] == "recurring" else own,
            success=success,
            last_good=_ended_well(before, own),
            restarts=restarts.slice(at, row["len"]),
            changes=_near(by_machine.get(row["machine"], []), row["unit"], row["start"], until),
            by_hand=_between(manual, row["first"] + 1, row["last"] + 1 + success.height),
            gate=[turn for turn in gates.get((row["machine"], row["manager"], row["unit"]), ()) if turn.us >= row["start"]],
        )
        at += row["len"]


def _gates(lifecycle: pl.DataFrame) -> dict[tuple[str, str, str], list[GateTurn]]:
    turns = lifecycle.filter(pl.col("kind").is_in(["gate-opened", "gate-probed", "gate-closed"])).sort("row")
    columns = turns.select("machine", "manager", "unit", pl.col("time").dt.timestamp("us"), "kind", "about", "counter", "row")
    found: dict[tuple[str, str, str], list[GateTurn]] = {}
    for machine, manager, unit, *turn in columns.iter_rows():
        found.setdefault((machine, manager, unit), []).append(GateTurn(*turn))
    return found


def _ended_well(before: pl.DataFrame, own: pl.DataFrame) -> int | None:
    """Return when the attempt before an incident's own ended, if it was one of the same unit and ended well."""
    well = before.filter((pl.col("unit_number") == own["unit_number"][0]) & (pl.col("outcome") == "clean"))
    return None if well.is_empty() or well["ended"][0] is None else microseconds(well["ended"][0])


def _within(us: int, began: list[int], ended: list[int]) -> bool:
    """Whether this is within one of the stretches, in order, or a second after it."""
    at = bisect_right(began, us)
    return any(us <= ended[i] + SECOND for i in range(max(0, at - 2), at))


def _between(manual: list[tuple[int, int, int]], first: int, stop: int) -> list[tuple[int, int]]:
    lo, hi = (bisect_left(manual, number, key=lambda start: start[0]) for number in (first, stop))
    return [(us, row) for _, us, row in manual[lo:hi]]


def cycled(attempts: pl.DataFrame, entries: pl.DataFrame, useless: list[str]) -> pl.DataFrame:
    """Add cycle_s (start to next restart, or a job's next start, by the monotonic clock where it can be trusted) and by_hand."""
    monotonic = entries["monotonic"].gather(attempts["first_row"]) if attempts.height else pl.Series([], dtype=pl.Int64)
    attempts = attempts.with_columns(monotonic.alias("monotonic"))
    following = pl.col("automatic", "boot", "started", "monotonic").shift(-1).over("unit_number").name.prefix("next_")
    attempts = attempts.with_columns(following)
    trusted = (pl.col("boot") == pl.col("next_boot")) & ~pl.col("boot").is_in(useless)
    by_wall = (pl.col("next_started") - pl.col("started")).dt.total_microseconds()
    cycle = pl.when(trusted.fill_null(value=False)).then(pl.col("next_monotonic") - pl.col("monotonic")).otherwise(by_wall) / SECOND
    is_job = pl.col("is_job") | (pl.col("outcome") == "clean").any().over("unit_number")
    restarted = pl.col("next_automatic") & ~pl.col("is_before_try")
    attempts = attempts.with_columns(pl.when((restarted | is_job) & (cycle > 0)).then(cycle).alias("cycle_s"))
    same_boot = (pl.col("boot") == pl.col("boot").shift(1).over("unit_number")).fill_null(value=False)
    restarted_it = pl.col("failed_stopping").shift(1).over("unit_number").fill_null(value=False)  # the failure came of that restart
    by_a_client = ~pl.col("automatic") & ~restarted_it & ~pl.col("unit").is_in(_activated(entries))
    return attempts.with_columns((by_a_client & same_boot & ~is_job).alias("by_hand"))


def _activated(entries: pl.DataFrame) -> list[str]:
    """List services that a timer, socket or path of the same name starts."""
    units = entries["unit"].unique().cast(pl.String).drop_nulls().sort()
    return units.filter(units.str.contains(r"\.(?:timer|socket|path)$")).str.replace(r"\.\w+$", ".service").to_list()


def _by_machine(inputs: Inputs) -> dict[str | None, list[CaseChange]]:
    """Group changes by machine, by time: there are few, so they are taken out of the frame once for all cases."""
    frame = inputs.changes.with_columns(pl.col("time").dt.timestamp("us").alias("us")).sort("us", "row")
    lines = quoted(inputs.entries, frame["row"].to_list())
    read_only = {summary: is_read_only(summary) for summary in frame["summary"].unique()}
    changes: dict[str | None, list[CaseChange]] = {}
    for (us, machine, kind, unit, summary, row), line in zip(
        frame.select("us", "machine", "kind", "unit", "summary", "row").rows(), lines, strict=True
    ):
        changes.setdefault(machine, []).append(CaseChange(us, kind, unit, summary, row, read_only[summary], line))
    return changes


def _near(changes: list[CaseChange], unit: str, start: int, until: int) -> list[CaseChange]:
    lo, hi = (bisect_left(changes, us, key=lambda change: change.us) for us in (start - BEFORE, until + SECOND))
    return [change for change in changes[lo:hi] if change.unit is None or change.unit == unit]


def starts(case: Case) -> Ints:
    return np.asarray(case.attempts["started"].dt.timestamp("us").to_numpy(), dtype=np.int64)


def positions(case: Case) -> Ints:
    """Return, per restart, the position of its attempt among the case's own."""
    return np.searchsorted(case.attempts["number"].to_numpy(), case.restarts["number"].to_numpy()).astype(np.int64)


def manual_before(case: Case) -> Flags:
    """Mark the restarts before whose attempt comes an operator's action, a manual start or a long pause."""
    began = starts(case)
    active = (change.us for change in case.changes if change.us > case.start and not change.read_only and change.kind != "login")
    acts = np.array(list(active), dtype=np.int64)
    flag = ~case.attempts["automatic"].to_numpy()
    following = np.searchsorted(np.maximum.accumulate(began), acts)
    flag[following[following < len(flag)]] = True
    pause = np.diff(began, prepend=began[0]) / SECOND
    usual = np.median(pause[1:]) if len(pause) > 1 else 0.0
    flag |= pause > max(5 * usual, 60.0)
    flag[0] = False
    acted = np.cumsum(flag)
    at = acted[positions(case)]
    return np.asarray(np.diff(at, prepend=at[0] if len(at) else 0) > 0, dtype=np.bool_)
