"""Real Prometheus as the judge: series are backfilled by promtool, a server evaluates, and the difference to ours is counted."""

import json
import math
import shutil
import subprocess
import urllib.parse
from bisect import bisect_right
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from forensics.promql import Vector
from tests.servers import free_port, http_get, running_server

MOST_POINTS = 11_000  # that query_range answers at once
LABEL = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}


def scrape_times(scrapes):
    """Return the times of scrapes, counted one by one."""
    count = math.floor((scrapes.until - scrapes.since - scrapes.phase) / scrapes.interval) + 1
    times = [scrapes.since + scrapes.phase + number * scrapes.interval for number in range(count)]
    return [time for time in times if not any(start <= time <= end for start, end in scrapes.missing)]


def openmetrics(series, scrapes):
    """Yield what promtool backfills: one line per scrape at which a series is shown."""
    times = scrape_times(scrapes)
    for name in sorted({each.name for each in series}):
        yield f"# TYPE {name} unknown\n"
        for each in series:
            if each.name == name:
                labels = ",".join(f'{label}="{value.translate(LABEL)}"' for label, value in each.labels.items())
                changes, values = each.times.tolist(), each.values.tolist()
                for time in times:
                    at = bisect_right(changes, time) - 1
                    if at >= 0 and values[at] == values[at]:
                        yield f"{name}{{{labels}}} {values[at]!r} {time:.3f}\n"
    yield "# EOF\n"


def backfill(series, scrapes, folder):
    """Write the blocks of a server's data directory."""
    text = folder / "samples.om"
    with text.open("w") as file:
        file.writelines(openmetrics(series, scrapes))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1458h", text, folder / "data"]
    subprocess.run(command, check=True, capture_output=True)


@dataclass(frozen=True)
class Prometheus:
    """A server that runs. version: the major one."""

    url: str
    version: int

    def evaluate(self, expression, at):
        """Evaluate at evenly spaced times; returns {labels: {ms: value}}. Raises OSError where Prometheus refuses the expression."""
        step = at[1] - at[0]
        found = {}
        for start in range(0, len(at), MOST_POINTS):
            part = at[start : start + MOST_POINTS]
            asked = urllib.parse.urlencode(
                {"query": expression, "start": f"{part[0]:.3f}", "end": f"{part[-1]:.3f}", "step": f"{step:.3f}"}
            )
            answer = json.loads(http_get(f"{self.url}/api/v1/query_range?{asked}", timeout=600))
            for series in answer["data"]["result"]:
                values = found.setdefault(tuple(sorted(series["metric"].items())), {})
                values.update((round(time * 1000), float(value)) for time, value in series["values"])
        return found


@contextmanager
def running_prometheus(binary, folder, blocks):
    """Start a server on a copy of the blocks."""
    shutil.copytree(blocks, folder / "data")
    (folder / "prometheus.yml").write_text("global: {evaluation_interval: 1m}\n")
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True)
    port = free_port()
    command = [
        binary,
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--query.max-samples=500000000",
        "--query.timeout=30m",
        "--enable-feature=promql-experimental-functions" if " 3." in (version.stdout + version.stderr) else "--log.level=info",
    ]
    with running_server(command, f"http://127.0.0.1:{port}", folder):
        yield Prometheus(f"http://127.0.0.1:{port}", 3 if " 3." in (version.stdout + version.stderr) else 2)


@dataclass(frozen=True)
class Difference:
    """How far two evaluations are apart. present: points; missing and extra: those that only one has; error: the largest relative one."""

    present: int
    missing: int
    extra: int
    error: float


def difference(real: dict, vectors: tuple[Vector, ...], at) -> Difference:
    """Compare what Prometheus found with ours, point by point; two NaN or two equal infinities are no difference."""
    steps = [round(time * 1000) for time in at]
    ours = {tuple(sorted(vector.labels.items())): vector for vector in vectors}
    missing = extra = present = 0
    error = 0.0
    for labels in real.keys() | ours.keys():
        expected = real.get(labels, {})
        theirs = np.array([expected.get(step, np.nan) for step in steps])
        there = np.array([step in expected for step in steps])
        mine = ours[labels].present if labels in ours else np.zeros(len(steps), bool)
        values = ours[labels].values if labels in ours else np.zeros(len(steps))
        present += int(there.sum())
        missing += int((there & ~mine).sum())
        extra += int((mine & ~there).sum())
        both = there & mine
        error = max(error, _largest(values[both], theirs[both]))
    return Difference(present, missing, extra, error)


def _largest(values, expected):
    same = (values == expected) | (np.isnan(values) & np.isnan(expected))
    with np.errstate(all="ignore"):
        relative = np.abs(values - expected) / np.maximum(np.abs(expected), 1e-300)
    relative = np.where(same, 0.0, np.where(np.isnan(relative), np.inf, relative))
    return float(relative.max(initial=0.0))
