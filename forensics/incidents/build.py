"""Build the Incident of a case: phases, classes, changes, detection, cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from hashlib import sha256

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.clocks import AwakeTime
from forensics.incidents.classes import LOST_LINES, Breakdown, vagueness
from forensics.incidents.cost import Logged, cost
from forensics.incidents.detection import detection
from forensics.incidents.fixes import fix_attempts
from forensics.incidents.gaps import Gaps
from forensics.incidents.gate import gate_stop
from forensics.incidents.headline import verdict
from forensics.incidents.inputs import SECOND, Inputs, microseconds, moment
from forensics.incidents.lengths import downtime_s, lasted_s, window_s
from forensics.incidents.links import Candidates, shared_values
from forensics.incidents.phases import cuts
from forensics.incidents.slice import Case, manual_before, positions, starts
from forensics.incidents.trigger import shown_changes, trigger
from forensics.model.values import Bin, Incident, Phase, Window
from forensics.sanitize import for_unit

METHODS = {"recurring": "sum-of-gaps", "failing-job": "none"}  # how downtime is measured; else "envelope"
BINS = 150  # at most so many bins per figure
BIN_SECONDS = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 7 * 86400, 28 * 86400)


@dataclass(frozen=True, slots=True)
class LossTimes:
    """When entries are missing or were dropped: [start, end] in µs, and the machine and unit that each concerns."""

    bounds: npt.NDArray[np.int64]
    about: list[tuple[str | None, str | None]]  # machine, unit; null: all

    def touch(self, machine: str, unit: str, start: int, until: int) -> bool:
        """Whether one of them overlaps this stretch and concerns this unit."""
        if not self.about:
            return False
        inside = np.flatnonzero((self.bounds[:, 1] >= start) & (self.bounds[:, 0] <= until))
        return any(self.about[i][0] in (None, machine) and self.about[i][1] in (None, unit) for i in inside.tolist())


def loss_times(gaps: Gaps) -> LossTimes:
    lost = pl.concat([gaps.missing, gaps.dropped])
    return LossTimes(lost.select(pl.col("start", "end").dt.timestamp("us")).to_numpy(), lost.select("machine", "unit").rows())


@dataclass(frozen=True, slots=True)
class Scene:
    """What the building of all incidents shares."""

    inputs: Inputs
    window: Window
    alerts: pl.DataFrame
    losses: LossTimes
    awake: AwakeTime
    span: tuple[int, int]  # the window in µs; the data's where none is asked for
    logged: Mapping[str, Logged]  # what each machine logged
    named: Candidates
    where: tzinfo = UTC  # of the reader


def build_incident(case: Case, table: Breakdown, scene: Scene, declared: datetime | None = None, caused_by: str | None = None) -> Incident:
    """Build the incident of a case. declared: when it was noticed, as the user states; caused_by: the unit that it depends on."""
    entries, phases = scene.inputs.entries, _phases(case)
    cause, cause_text = trigger(case)
    lasted, down_s, whole_s = lasted_s(case, scene.awake), downtime_s(case, scene.awake, scene.span), _window_s(case, scene)
    bin_s = _bin_seconds((case.until - case.start) / SECOND)
    incident = Incident(
        id=_id(case),
        unit=case.unit,
        manager=case.manager,
        host=case.host,
        kind=case.kind,
        ongoing=case.ongoing,
        start=moment(case.start),
        end=None if case.end is None else moment(case.end),
        restarts=int(case.restarts["count"].sum()),
        exact=_exact(case, scene.losses),
        downtime_s=down_s,
        downtime_method=METHODS.get(case.kind, "envelope"),
        availability=1 - down_s / whole_s if whole_s > 0 and case.kind != "failing-job" else None,
        phases=phases,
        classes=tuple(replace(row, remedy=for_unit(row.remedy, case.unit)) for row in table.classes),
        beside=table.co_occurring,
        changes=shown_changes(case),
        trigger=cause,
        trigger_text=cause_text,
        fix_attempts=fix_attempts(case, entries),
        detection=detection(case, entries, scene.alerts, declared),
        recovery=None if case.recovery is None else moment(case.recovery),
        time_to_recover_s=None if case.recovery is None or case.kind == "recurring" else lasted,
        cost=cost(case.attempts, case.machine or "", scene.logged),
        verdict="",
        bin_s=bin_s,
        bins=_bins(case.restarts, bin_s),
        failures=int(case.attempts["failed"].sum()) + int(case.restarts.filter("lost")["count"].sum()),
        caused_by=caused_by,
        machine=case.machine,
        slept_s=scene.awake.slept_s(case.machine or "", case.start, case.until),
        last_good=None if case.last_good is None else moment(case.last_good),
        gate=gate_stop(case, entries, scene.awake),
        links=shared_values(case, phases, scene.named, entries),
    )
    return replace(incident, verdict=verdict(incident, lasted, scene.where))


def _id(case: Case) -> str:
    """Hash what identifies the incident, so that it keeps its id whatever else the window holds."""
    return sha256("\0".join([case.machine or "", case.manager or "", case.unit, str(case.start)]).encode()).hexdigest()[:12]


def _window_s(case: Case, scene: Scene) -> float:
    since, until = (None if at is None else microseconds(at) for at in (scene.window.since, scene.window.until))
    return window_s(case.machine or "", scene.awake, since, until, scene.span)


def _exact(case: Case, losses: LossTimes) -> bool:
    """Whether no restart or line is lost, and the loop began inside the data."""
    lost = bool(case.restarts["lost"].any()) or bool((case.attempts["lost"] > 0).any())
    cut_off = case.attempts["position_in_unit"][0] == 0 and (case.attempts["restart_counter"][0] or 0) > 1
    return not lost and not cut_off and not losses.touch(case.machine, case.unit, case.start, case.until)


def _phases(case: Case) -> tuple[Phase, ...]:
    """Build phases that follow one another without a gap from the incident's start to its end."""
    restarts = case.restarts
    if restarts.height == 0:
        main = case.attempts.filter("failed")["signature"][0]
        return (Phase(moment(case.start), moment(case.until), 0, None, main, {}),)
    position = positions(case)
    cycles = case.attempts["cycle_s"].to_numpy(allow_copy=True).astype(np.float64)[position]
    cycles[restarts["lost"].to_numpy()] = np.nan
    names, codes = np.unique(restarts["signature"].to_numpy(allow_copy=True).astype(str), return_inverse=True)
    bounds = [0, *cuts(codes, cycles, manual_before(case)), restarts.height]
    began = np.clip(np.maximum.accumulate(starts(case)[position]), case.start, case.until)
    times = [case.start, *(int(began[i]) for i in bounds[1:-1]), case.until]
    counts = restarts["count"].to_numpy()
    pieces = zip(bounds[:-1], bounds[1:], times[:-1], times[1:], strict=True)
    return tuple(_phase(_sums(names, codes[lo:hi], counts[lo:hi]), cycles[lo:hi], start, end) for lo, hi, start, end in pieces)


def _sums(names: npt.NDArray[np.str_], codes: npt.NDArray[np.int64], counts: npt.NDArray[np.int64]) -> dict[str, int]:
    """Sum up restarts per class, in the order of Breakdown.classes."""
    sums = np.bincount(codes, weights=counts, minlength=len(names)).astype(np.int64)
    vague = np.array([vagueness(str(name)) for name in names])
    order = np.lexsort((names, vague, -sums, vague == LOST_LINES))
    return {str(names[i]): int(sums[i]) for i in order if sums[i]}


def _phase(classes: dict[str, int], cycles: npt.NDArray[np.float64], start: int, end: int) -> Phase:
    measured = cycles[~np.isnan(cycles)]
    cadence = float(np.median(measured)) if len(measured) else None
    return Phase(moment(start), moment(end), sum(classes.values()), cadence, next(iter(classes)), classes)


def _bin_seconds(lasted: float) -> int:
    return next((s for s in BIN_SECONDS if lasted <= (BINS - 1) * s), BIN_SECONDS[-1])


def _bins(restarts: pl.DataFrame, bin_s: int) -> tuple[Bin, ...]:
    start = (pl.col("time").dt.timestamp("us") // (bin_s * SECOND) * bin_s * SECOND).alias("start")
    counts = restarts.group_by(start, "signature").agg(pl.col("count").sum()).sort("start", "signature")
    return tuple(Bin(moment(us), signature, int(n)) for us, signature, n in counts.iter_rows())


def window_span(window: Window, entries: pl.DataFrame) -> tuple[int, int]:
    """Return the window in µs, each open side replaced by the data's."""
    first, last = entries.select(
        pl.col("time").dt.timestamp("us").min().alias("a"), pl.col("time").dt.timestamp("us").max().alias("b")
    ).row(0)
    since = first or 0 if window.since is None else microseconds(window.since)
    until = last or 0 if window.until is None else microseconds(window.until)
    return since, until
