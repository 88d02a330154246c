"""Export history as OpenMetrics text for `promtool tsdb create-blocks-from openmetrics`: a scrape cannot carry the past.

Counters begin at 0 before their first increment and are sampled at whole steps, so that `increase(…)` over a range whose ends are whole
steps, at quiet times, is the number in the report. No sample is more than QUIET_S away from an event of its unit: promtool reads the whole
text once for every two hours of it, and a clock that jumps makes a window of 55 years. All series of a unit have samples at the same
times, or `increase` would extrapolate the shorter ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.model.values import Incident
from forensics.pipeline import Investigation
from forensics.sanitize.characters import visible_name
from forensics.watch.metrics import LONGEST_VALUE, MOST_SIGNATURES, MOST_UNITS, OTHER, PREFIX

Seconds = npt.NDArray[np.float64]
QUIET_S = 3600.0
LOOP = "restart-loop"
Labels = dict[str, str]
HELP = {
    "unit_restarts": "Automatic restarts seen in the journal.",
    "class_restarts": "Automatic restarts by the failure class of the attempt before.",
    "failures": "Failed attempts by failure class.",
    "unit_loop_active": "1 while the unit is in a restart loop.",
}


def openmetrics_text(investigation: Investigation, step_s: int) -> Iterator[str]:
    """Yield the text in pieces. step_s: seconds between two samples."""
    restarts = _bounded(investigation.restarts)
    attempts = investigation.history.assembly.attempts
    failed = investigation.history.labelled.labels.filter("failed").join(attempts, on="attempt")
    ended = pl.coalesce("ended", "started").alias("time")
    failures = _bounded(failed.select(ended, "host", "unit", "signature", count=pl.lit(1, pl.Int64)).drop_nulls("time"))
    steps = _steps(investigation, step_s)
    yield from _counter("unit_restarts", restarts, ["host", "unit"], steps)
    yield from _counter("class_restarts", restarts, ["host", "unit", "signature"], steps)
    yield from _counter("failures", failures, ["host", "unit", "signature"], steps)
    yield from _loops(investigation, restarts, steps)
    yield "# EOF\n"


@dataclass(frozen=True, slots=True)
class _Steps:
    """The whole steps from one before the first entry to one after the last, by number; only those near an event are ever listed."""

    seconds: int
    first: int
    last: int

    def near(self, times: Seconds) -> Seconds:
        """List the steps that are within QUIET_S, or one step, of one of `times`, ascending."""
        quiet = max(QUIET_S, self.seconds)
        starts = np.maximum(np.ceil((times - quiet) / self.seconds), self.first)
        ends = np.minimum(np.floor((times + quiet) / self.seconds), self.last)
        if not len(times):
            return np.zeros(0, np.float64)
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], np.maximum.accumulate(ends[order])
        opens = np.concatenate([[True], starts[1:] > ends[:-1]])  # of a stretch that overlaps none before it
        closes = np.concatenate([ends[:-1][opens[1:]], ends[-1:]])
        stretches = [np.arange(start, end + 1) for start, end in zip(starts[opens], closes, strict=True)]
        return np.concatenate(stretches) * self.seconds


def _steps(investigation: Investigation, step_s: int) -> _Steps:
    times = investigation.history.entries["time"].dt.timestamp("us")
    first, last = int(times.min() or 0) // 1_000_000, int(times.max() or 0) // 1_000_000  # type: ignore[arg-type]
    return _Steps(step_s, max(0, first // step_s - 1), last // step_s + 1)


def _bounded(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace names by OTHER beyond the MOST_UNITS largest units, and per unit beyond the MOST_SIGNATURES largest classes."""
    units = rows.group_by("unit").agg(pl.col("count").sum()).sort(["count", "unit"], descending=[True, False])["unit"].head(MOST_UNITS)
    rows = rows.with_columns(pl.when(pl.col("unit").is_in(units.implode())).then("unit").otherwise(pl.lit(OTHER)).alias("unit"))
    sizes = rows.group_by("unit", "signature").agg(pl.col("count").sum()).sort(["count", "signature"], descending=[True, False])
    kept = sizes.group_by("unit", maintain_order=True).head(MOST_SIGNATURES).select("unit", "signature", kept=pl.lit(value=True))
    rows = rows.join(kept, on=["unit", "signature"], how="left", maintain_order="left")
    return rows.with_columns(pl.when("kept").then("signature").otherwise(pl.lit(OTHER)).alias("signature")).drop("kept")


def _counter(name: str, rows: pl.DataFrame, by: Sequence[str], steps: _Steps) -> Iterator[str]:
    yield _header(name, "counter")
    for _, of_unit in rows.sort(*by, "time").group_by("host", "unit", maintain_order=True):
        points = steps.near(_seconds(of_unit))
        for key, part in of_unit.group_by(by, maintain_order=True):
            reached = np.concatenate([[0], part["count"].cum_sum().to_numpy()])
            values = reached[np.searchsorted(_seconds(part), points, side="right")]
            yield _samples(f"{name}_total", dict(zip(by, map(str, key), strict=True)), values, points)


def _loops(investigation: Investigation, restarts: pl.DataFrame, steps: _Steps) -> Iterator[str]:
    yield _header("unit_loop_active", "gauge")
    loops: dict[tuple[str, str], list[Incident]] = {}
    for incident in investigation.report.incidents:
        if incident.kind == LOOP:
            loops.setdefault((incident.host, incident.unit), []).append(incident)
    for (host, unit), of_unit in restarts.sort("host", "unit").group_by("host", "unit", maintain_order=True):
        spans = [(loop.start.timestamp(), np.inf if loop.end is None else loop.end.timestamp()) for loop in loops.get((host, unit), [])]
        if spans:
            edges = [time for span in spans for time in span if time < np.inf]
            points = steps.near(np.concatenate([_seconds(of_unit), edges]))
            values = np.zeros(len(points), np.int64)
            for start, end in spans:
                values |= (points >= start) & (points <= end)
            yield _samples("unit_loop_active", {"host": host, "unit": unit}, values, points)


def _seconds(rows: pl.DataFrame) -> Seconds:
    return rows["time"].dt.timestamp("us").to_numpy() / 1e6


def _header(name: str, kind: str) -> str:
    return f"# HELP {PREFIX}{name} {HELP[name]}\n# TYPE {PREFIX}{name} {kind}\n"


def _samples(name: str, labels: Labels, values: npt.NDArray[np.int64], points: Seconds) -> str:
    pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    series = f"{PREFIX}{name}{{{pairs}}}"
    return "".join(f"{series} {value} {time:.0f}\n" for value, time in zip(values.tolist(), points.tolist(), strict=True))


def _escaped(value: str) -> str:
    return visible_name(value[:LONGEST_VALUE]).replace("\\", "\\\\").replace('"', '\\"')
