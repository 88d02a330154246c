"""History as OpenMetrics text, for `promtool tsdb create-blocks-from openmetrics`: a scrape cannot carry the past.

Counters begin at 0 before their first step and are sampled on a grid of whole steps, so that `increase(…)` over a range whose ends lie on
the grid, in quiet, is the number of the report. There are no samples more than QUIET_S away from what a unit did: promtool reads the whole
text once for every two hours of it. All series of a unit have the same samples, or `increase` would extrapolate the shorter ones.
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


def openmetrics(found: Investigation, step_s: int) -> Iterator[str]:
    """Pieces of the text. step_s: the distance between two samples."""
    falls = _bounded(found.restarts)
    attempts = found.history.assembly.attempts
    failed = found.history.labelled.labels.filter("failed").join(attempts, on="attempt")
    ended = pl.coalesce("ended", "started").alias("time")
    failures = _bounded(failed.select(ended, "host", "unit", "signature", count=pl.lit(1, pl.Int64)).drop_nulls("time"))
    grid = _grid(found, step_s)
    yield from _counter("unit_restarts", falls, ["host", "unit"], grid)
    yield from _counter("class_restarts", falls, ["host", "unit", "signature"], grid)
    yield from _counter("failures", failures, ["host", "unit", "signature"], grid)
    yield from _loops(found, grid, set(falls["unit"]))
    yield "# EOF\n"


def _grid(found: Investigation, step_s: int) -> Seconds:
    """Whole steps, one before the first entry and one behind the last."""
    times = found.history.entries["time"].dt.timestamp("us")
    first, last = int(times.min() or 0) // 1_000_000, int(times.max() or 0) // 1_000_000  # type: ignore[arg-type]
    return np.arange(first // step_s * step_s - step_s, last // step_s * step_s + 2 * step_s, step_s, dtype=np.float64)


def _bounded(rows: pl.DataFrame) -> pl.DataFrame:
    """At most MOST_UNITS units with MOST_SIGNATURES classes each keep their name: those with the most."""
    units = rows.group_by("unit").agg(pl.col("count").sum()).sort(["count", "unit"], descending=[True, False])["unit"].head(MOST_UNITS)
    rows = rows.with_columns(pl.when(pl.col("unit").is_in(units.implode())).then("unit").otherwise(pl.lit(OTHER)).alias("unit"))
    sizes = rows.group_by("unit", "signature").agg(pl.col("count").sum()).sort(["count", "signature"], descending=[True, False])
    kept = sizes.group_by("unit", maintain_order=True).head(MOST_SIGNATURES).select("unit", "signature", kept=pl.lit(value=True))
    rows = rows.join(kept, on=["unit", "signature"], how="left", maintain_order="left")
    return rows.with_columns(pl.when("kept").then("signature").otherwise(pl.lit(OTHER)).alias("signature")).drop("kept")


def _counter(name: str, rows: pl.DataFrame, by: Sequence[str], grid: Seconds) -> Iterator[str]:
    yield _head(name, "counter")
    for _, of_unit in rows.sort(*by, "time").group_by("host", "unit", maintain_order=True):
        points = grid[_near(np.sort(_seconds(of_unit)), grid)]
        for key, part in of_unit.group_by(by, maintain_order=True):
            reached = np.concatenate([[0], part["count"].cum_sum().to_numpy()])
            values = reached[np.searchsorted(_seconds(part), points, side="right")]
            yield _samples(f"{name}_total", dict(zip(by, map(str, key), strict=True)), values, points)


def _loops(found: Investigation, grid: Seconds, units: set[str]) -> Iterator[str]:
    yield _head("unit_loop_active", "gauge")
    spans: dict[tuple[str, str], npt.NDArray[np.int64]] = {}
    for one in found.report.incidents:
        if one.unit in units:
            end = np.inf if one.end is None else one.end.timestamp()
            values = spans.setdefault((one.host, one.unit), np.zeros(len(grid), np.int64))
            values |= (grid >= one.start.timestamp()) & (grid <= end)
    for (host, unit), values in sorted(spans.items()):
        kept = _near(grid[values > 0], grid)
        yield _samples("unit_loop_active", {"host": host, "unit": unit}, values[kept], grid[kept])


def _seconds(rows: pl.DataFrame) -> Seconds:
    return rows["time"].dt.timestamp("us").to_numpy() / 1e6


def _near(times: Seconds, grid: Seconds) -> npt.NDArray[np.bool_]:
    """Which points of the grid have one of `times` (ascending) within QUIET_S."""
    return np.searchsorted(times, grid + QUIET_S, side="right") > np.searchsorted(times, grid - QUIET_S)


def _head(name: str, kind: str) -> str:
    return f"# HELP {PREFIX}{name} {HELP[name]}\n# TYPE {PREFIX}{name} {kind}\n"


def _samples(name: str, labels: Labels, values: npt.NDArray[np.int64], grid: Seconds) -> str:
    said = ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())
    series = f"{PREFIX}{name}{{{said}}}"
    return "".join(f"{series} {value} {time:.0f}\n" for value, time in zip(values.tolist(), grid.tolist(), strict=True))


def _escaped(value: str) -> str:
    plain = "".join(letter if letter.isprintable() else "?" for letter in value[:LONGEST_VALUE])
    return plain.replace("\\", "\\\\").replace('"', '\\"')
