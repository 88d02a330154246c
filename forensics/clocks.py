"""Find where a machine's wall clock was set and where it slept, and measure the time that it was awake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from forensics.boots import machine_or_host
from forensics.model import systemd
from forensics.model.frames import UTC_TIME
from forensics.model.moments import Moment
from forensics.speakers import may_report_clocks

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

JUMP_S = 10.0  # wall and monotonic clock of two neighbouring entries disagree by more: one of them jumped
SET_S = 1.0  # enough next to a line by which systemd reports that the clock was set
USELESS = 0.01  # share of such neighbours from which a boot's monotonic clock means nothing (a replayed or synthetic journal)
USELESS_AT_LEAST = 3
NEAR_ROWS, NEAR_US = 50, 30_000_000  # around a step: where a line can explain it
LONGEST_SLEEP_S = 90 * 86400.0  # that is believed without a line about it; longer: the host began with its epoch
# kernel/power/{suspend,hibernate}.c; systemd's sleep.c before and since 246; elogind
RESUMED = (
    r"^PM: (?:suspend|hibernation:? (?:hibernation )?)\s?exit|^PM: resume from |[Ww]aking up from system sleep state"
    r"|^System (?:resumed|returned from sleep)"
)
# timesyncd, chronyd, ntpd, ntpdate, openntpd, timedated, the manager; date(1) and hwclock(8) through sudo
SET = (
    r"^Initial (?:clock )?synchronization to time server|^Synchronized to time server|^System clock (?:was stepped|wrong) by"
    r"|time reset [-+]|^step time server|^set local clock to|^Changed local time to|^(?:System )?[Tt]ime has been changed"
    r"|COMMAND=\S*(?:date (?:-s|--set)|hwclock)"
)
STEPS = pl.Schema(
    {
        "machine": pl.String(),
        "boot": pl.String(),
        "row": pl.Int64(),  # of the first entry after it
        "start": UTC_TIME,
        "end": UTC_TIME,
        "jump_us": pl.Int64(),  # by how much the wall clock went ahead of the monotonic one
        "slept": pl.Boolean(),  # else the wall clock was set
    }
)


class Stretch(NamedTuple):
    """Entries of one boot between which the wall clock was not set. shift: µs by which steps and sleep moved it until then."""

    boot: str
    first: int
    last: int
    first_clock: int | None
    last_clock: int | None
    shift: int
    slept_us: int  # of sleep until then


Edge = tuple[str | None, str | None, int, int | None]  # machine, boot, time, clock


@dataclass(frozen=True, slots=True)
class AwakeTime:
    """How long machines were awake between two moments; boots are in order, and a machine that is off counts as awake."""

    stretches: Mapping[str, list[Stretch]]

    def seconds(self, machine: str, earlier: Moment, later: Moment) -> float:
        """Measure the seconds between two moments without sleep and steps of the wall clock."""
        stretches = self.stretches.get(machine, [])
        if not any(stretch.shift for stretch in stretches):
            return (later.time - earlier.time) / 1e6
        positions = product(_positions(stretches, *earlier), _positions(stretches, *later))
        return min((end - start for start, end in positions if end >= start), default=0) / 1e6

    def bounds(self, machine: str) -> tuple[Moment, Moment] | None:
        """Return the moments of a machine's first and last entry; null where its wall clock never moved by itself."""
        stretches = self.stretches.get(machine, [])
        if not any(stretch.shift for stretch in stretches):
            return None
        first, last = stretches[0], stretches[-1]
        return Moment(first.first, first.first_clock, first.boot), Moment(last.last, last.last_clock, last.boot)

    def slept_s(self, machine: str, earlier: int, later: int) -> float:
        """Measure the seconds of sleep between two times, in µs since 1970."""
        pairs = pairwise(self.stretches.get(machine, []))
        return sum(after.slept_us - before.slept_us for before, after in pairs if before.last >= earlier and after.first <= later) / 1e6


class Clocks(NamedTuple):
    """useless: boots whose monotonic clock cannot be trusted. steps: STEPS of the others."""

    useless: list[str]
    steps: pl.DataFrame


def read_clocks(entries: pl.DataFrame) -> Clocks:
    """Compare the wall clock with the monotonic clock over ENTRIES in canonical order."""
    jumps = _jumps(entries)
    useless = useless_clocks(entries, jumps)
    jumps = jumps.filter(~pl.col("boot").is_in(useless))
    return Clocks(useless, jumps.with_columns(_slept(entries, jumps)).select(list(STEPS)).cast(STEPS))


def steps(entries: pl.DataFrame) -> pl.DataFrame:
    """Find where neighbouring entries of a boot show that its wall clock was set, or that the host slept: STEPS."""
    return read_clocks(entries).steps


def useless_clocks(entries: pl.DataFrame, jumps: pl.DataFrame | None = None) -> list[str]:
    """List the boots whose monotonic clock disagrees with the wall clock more than now and then."""
    jumps = _jumps(entries) if jumps is None else jumps
    far = jumps.filter(pl.col("jump_us").abs() > JUMP_S * 1e6).group_by("boot").len(name="jumps")
    if far.is_empty():
        return []
    sizes = entries.lazy().group_by(pl.col("boot").cast(pl.String)).len(name="n").collect()
    most = pl.max_horizontal(pl.col("n") * USELESS, pl.lit(USELESS_AT_LEAST))
    return far.join(sizes, on="boot").filter(pl.col("jumps") > most)["boot"].sort().to_list()


def awake_time(entries: pl.DataFrame, clock_steps: pl.DataFrame | None = None) -> AwakeTime:
    """Prepare to measure awake time over ENTRIES in canonical order. clock_steps: their STEPS, where they are known already."""
    if entries.is_empty():
        return AwakeTime({})
    clock_steps = steps(entries) if clock_steps is None else clock_steps
    step_at = {row: (jump, slept) for row, jump, slept in clock_steps.select("row", "jump_us", "slept").iter_rows()}
    stretches: dict[str, list[Stretch]] = {}
    for row, (machine, boot, start, start_clock), (_, _, end, end_clock) in _bounds(entries, clock_steps):
        of_machine = stretches.setdefault(machine or "", [])
        before = of_machine[-1] if of_machine else Stretch("", start, start, None, None, 0, 0)
        # between two boots there is only the wall clock, and it cannot have run backwards
        jump, slept = step_at.get(row, (min(0, start - before.last), False))
        slept_us = before.slept_us + (jump if slept else 0)
        of_machine.append(Stretch(boot or "", start, end, start_clock, end_clock, before.shift + jump, slept_us))
    return AwakeTime(stretches)


def _bounds(entries: pl.DataFrame, clock_steps: pl.DataFrame) -> Iterator[tuple[int, Edge, Edge]]:
    """Yield the first row of each stretch, with machine, boot, time and clock of its first and its last entry."""
    import numpy as np  # noqa: PLC0415 - explaining a short text needs no other function of this module than `useless_clocks`

    first = np.union1d(np.flatnonzero(_begins(entries).to_numpy()), clock_steps["row"].to_numpy())
    last = np.append(first[1:], entries.height) - 1
    columns = (machine_or_host(), pl.col("boot").cast(pl.String), pl.col("time").dt.timestamp("us"), "monotonic")
    edges = (entries[rows].select(columns).iter_rows() for rows in (first, last))
    yield from zip(first.tolist(), *edges, strict=True)


def _begins(entries: pl.DataFrame) -> pl.Series:
    """Mark the first entry of each machine and boot."""
    names = ("machine", "boot") if not entries["machine"].null_count() else ("machine", "host", "boot")
    codes = (pl.col(name).to_physical() for name in names)
    differs = pl.any_horizontal(code.ne_missing(code.shift()) for code in codes)
    return entries.select(differs | (pl.int_range(pl.len()) == 0)).to_series()


def _jumps(entries: pl.DataFrame) -> pl.DataFrame:
    """Find neighbouring entries of a boot whose clocks disagree: machine, boot, row, start, end, jump_us."""
    wall = pl.col("time").diff().dt.total_microseconds()
    same = (pl.col("boot").to_physical() == pl.col("boot").to_physical().shift(1)).fill_null(value=False)
    reported = (pl.col("message_id") == systemd.TIME_CHANGE) & (pl.col("pid") == 1).fill_null(value=True)
    neighbours = entries.lazy().select(
        "machine",
        "host",
        "boot",
        pl.int_range(pl.len(), dtype=pl.Int64).alias("row"),
        pl.col("time").alias("end"),
        pl.col("time").shift(1).alias("start"),
        (wall - pl.col("monotonic").diff()).alias("jump_us"),
        same.alias("same"),
        (reported | reported.shift(1)).fill_null(value=False).alias("reported"),
    )
    far = pl.col("jump_us").abs()
    jumped = (far > JUMP_S * 1e6) | (pl.col("reported") & (far > SET_S * 1e6))
    columns = (machine_or_host(), pl.col("boot").cast(pl.String), "row", "start", "end", "jump_us")
    return neighbours.filter(pl.col("same") & jumped).select(columns).collect()


def _slept(entries: pl.DataFrame, jumps: pl.DataFrame) -> pl.Series:
    """Decide for each jump whether the host slept: a line shows it, or none shows that the clock was set.

    systemd logs TIME_CHANGE after a sleep as well, so that a line about the resume outranks it.
    """
    lines = _lines_about_clocks(entries, jumps["row"].to_numpy())
    slept = []
    for boot, row, jump in jumps.select("boot", "row", "jump_us").iter_rows():
        clock = entries["monotonic"][row]
        near = lines.filter((pl.col("boot") == boot) & ((pl.col("monotonic") - clock).abs() <= NEAR_US))
        unexplained = not near["set"].any() and jump <= LONGEST_SLEEP_S * 1e6
        slept.append(jump > 0 and bool(near["resumed"].any() or unexplained))
    return pl.Series("slept", slept, dtype=pl.Boolean)


def _lines_about_clocks(entries: pl.DataFrame, rows: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Find lines near `rows` about a resume or a set clock: boot, monotonic, resumed, set."""
    import numpy as np  # noqa: PLC0415 - as in `_bounds`

    around = (rows[:, None] + np.arange(-NEAR_ROWS, NEAR_ROWS)).ravel()
    near = entries[np.unique(around[(around >= 0) & (around < entries.height)])]
    near = near.filter(may_report_clocks(near))
    text, message_id = pl.col("message").fill_null(""), pl.col("message_id").cast(pl.String).fill_null("")
    lines = near.select(
        pl.col("boot").cast(pl.String),
        "monotonic",
        (text.str.contains(RESUMED) | (message_id == systemd.SLEEP_STOP)).alias("resumed"),
        (text.str.contains(SET) | (message_id == systemd.TIME_CHANGE)).alias("set"),
    )
    return lines.filter(pl.col("resumed") | pl.col("set"))


def _positions(stretches: list[Stretch], time: int, clock: int | None, boot: str) -> list[int]:
    """List where a moment lies in the machine's awake time (µs): several where the wall clock was set back over it."""
    if clock is not None and (of_boot := [stretch for stretch in stretches if stretch.boot == boot]):
        begun = [stretch for stretch in of_boot if stretch.first_clock is not None and stretch.first_clock <= clock]
        return [time - (begun[-1] if begun else of_boot[0]).shift]
    inside = [time - stretch.shift for stretch in stretches if stretch.first <= time <= stretch.last]
    return inside or [_outside(stretches, time)]


def _outside(stretches: list[Stretch], time: int) -> int:
    """Return where a time at which no entry was written lies: before, after or between the stretches."""
    if time < stretches[0].first:
        return time - stretches[0].shift
    for before, after in pairwise(stretches):
        if before.last < time < after.first:
            return min(time - before.shift, after.first - after.shift)
    return time - max(stretches, key=lambda stretch: stretch.last).shift
