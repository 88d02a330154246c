"""Export history as OpenMetrics text for `promtool tsdb create-blocks-from openmetrics`: a scrape cannot carry the past.

Counters begin at 0 before their first increment and are sampled on a grid of whole steps, so that `increase(…)` over a range whose ends
are on the grid, at quiet times, is the number in the report. No sample is more than QUIET_S away from an event of its unit: promtool reads
the whole text once for every two hours of it. All series of a unit have samples at the same times, or `increase` would extrapolate the
shorter ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.pipeline import Investigation
from forensics.watch.metrics import LONGEST_VALUE, MOST_SIGNATURES, MOST_UNITS, OTHER, PREFIX

Seconds = npt.NDArray[np.float64]
QUIET_S = 3600.0
Labels = dict[str, str]
HELP = {
    "unit_restarts": "Automatic restarts seen in the journal.",
    "class_restarts": "Automatic restarts by the failure class of the attempt before.",
    "failures": "Failed attempts by failure class.",
    "unit_loop_active": "1 while the unit is in an incident.",
}


def openmetrics_text(investigation: Investigation, step_s: int) -> Iterator[str]:
    """Yield the text in pieces. step_s: seconds between two samples."""
    restarts = _bounded(investigation.restarts)
    attempts = investigation.history.assembly.attempts
    failed = investigation.history.labelled.labels.filter("failed").join(attempts, on="attempt")
    ended = pl.coalesce("ended", "started").alias("time")
    failures = _bounded(failed.select(ended, "host", "unit", "signature", count=pl.lit(1, pl.Int64)).drop_nulls("time"))
    grid = _grid(investigation, step_s)
    yield from _counter("unit_restarts", restarts, ["host", "unit"], grid)
    yield from _counter("class_restarts", restarts, ["host", "unit", "signature"], grid)
    yield from _counter("failures", failures, ["host", "unit", "signature"], grid)
    yield from _loops(investigation, grid, set(restarts["unit"]))
    yield "# EOF\n"


def _grid(investigation: Investigation, step_s: int) -> Seconds:
    """Whole steps, from one before the first entry to one after the last."""
    times = investigation.history.entries["time"].dt.timestamp("us")
    first, last = int(times.min() or 0) // 1_000_000, int(times.max() or 0) // 1_000_000  # type: ignore[arg-type]
    return np.arange(first // step_s * step_s - step_s, last // step_s * step_s + 2 * step_s, step_s, dtype=np.float64)


def _bounded(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace names by OTHER beyond the MOST_UNITS largest units, and per unit beyond the MOST_SIGNATURES largest classes."""
    units = rows.group_by("unit").agg(pl.col("count").sum()).sort(["count", "unit"], descending=[True, False])["unit"].head(MOST_UNITS)
    rows = rows.with_columns(pl.when(pl.col("unit").is_in(units.implode())).then("unit").otherwise(pl.lit(OTHER)).alias("unit"))
    sizes = rows.group_by("unit", "signature").agg(pl.col("count").sum()).sort(["count", "signature"], descending=[True, False])
    kept = sizes.group_by("unit", maintain_order=True).head(MOST_SIGNATURES).select("unit", "signature", kept=pl.lit(value=True))
    rows = rows.join(kept, on=["unit", "signature"], how="left", maintain_order="left")
    return rows.with_columns(pl.when("kept").then("signature").otherwise(pl.lit(OTHER)).alias("signature")).drop("kept")


def _counter(name: str, rows: pl.DataFrame, by: Sequence[str], grid: Seconds) -> Iterator[str]:
    yield _header(name, "counter")
    for _, of_unit in rows.sort(*by, "time").group_by("host", "unit", maintain_order=True):
        points = grid[_near(np.sort(_seconds(of_unit)), grid)]
        for key, part in of_unit.group_by(by, maintain_order=True):
            reached = np.concatenate([[0], part["count"].cum_sum().to_numpy()])
            values = reached[np.searchsorted(_seconds(part), points, side="right")]
            yield _samples(f"{name}_total", dict(zip(by, map(str, key), strict=True)), values, points)


def _loops(investigation: Investigation, grid: Seconds, units: set[str]) -> Iterator[str]:
    yield _header("unit_loop_active", "gauge")
    spans: dict[tuple[str, str], npt.NDArray[np.int64]] = {}
    for incident in investigation.report.incidents:
        if incident.unit in units:
            end = np.inf if incident.end is None else incident.end.timestamp()
            values = spans.setdefault((incident.host, incident.unit), np.zeros(len(grid), np.int64))
            values |= (grid >= incident.start.timestamp()) & (grid <= end)
    for (host, unit), values in sorted(spans.items()):
        kept = _near(grid[values > 0], grid)
        yield _samples("unit_loop_active", {"host": host, "unit": unit}, values[kept], grid[kept])


def _seconds(rows: pl.DataFrame) -> Seconds:
    return rows["time"].dt.timestamp("us").to_numpy() / 1e6


def _near(times: Seconds, grid: Seconds) -> npt.NDArray[np.bool_]:
    """Whether each point of the grid is within QUIET_S of one of `times` (ascending)."""
    return np.searchsorted(times, grid + QUIET_S, side="right") > np.searchsorted(times, grid - QUIET_S)


def _header(name: str, kind: str) -> str:
    return f"# HELP {PREFIX}{name} {HELP[name]}\n# TYPE {PREFIX}{name} {kind}\n"


def _samples(name: str, labels: Labels, values: npt.NDArray[np.int64], grid: Seconds) -> str:
    pairs = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    series = f"{PREFIX}{name}{{{pairs}}}"
    return "".join(f"{series} {value} {time:.0f}\n" for value, time in zip(values.tolist(), grid.tolist(), strict=True))


def _escaped(value: str) -> str:
    plain = "".join(character if character.isprintable() else "?" for character in value[:LONGEST_VALUE])
    return plain.replace("\\", "\\\\").replace('"', '\\"')
