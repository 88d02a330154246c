"""What it costs to merge the reports of 10, 100 and 1,000 hosts, and how that compares with only parsing them.

    python -m benchmarks.fleet [--hosts 1000] [--processes 2] [--keep DIR]

Writes synthetic hosts' report.json (the golden report of the seed under other names, ids and times; every fifth host is well)
and measures in CPU seconds of this process, each step over all sizes in turn, the median of five rounds: `json.loads` of the files,
reading and merging them, and making of them what the page shows. Exits with 1 where these two cost more than eleven
times as much for ten times the hosts, or merging ten times what parsing does.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

from forensics.cli import OBJECTS_BETWEEN_COLLECTIONS
from forensics.fleet import view
from forensics.fleet.facts import Summary
from forensics.fleet.keys import joined
from forensics.fleet.read import find_files, read_summary
from forensics.report import RenderOptions
from forensics.report.fleet import RENDERERS
from tests.fleet.making import failed_text, well

NOW = datetime(2025, 12, 21, tzinfo=UTC)
ROUNDS = 5
TEN_TIMES, MOST_OF_PARSING = 11.0, 10.0
WELL_OF = 5  # of so many hosts one is well


@dataclass(frozen=True, slots=True)
class Round:
    """CPU seconds of each step over the reports of one size."""

    parse: float
    merge: float
    view: float

    @property
    def all(self) -> float:
        return self.merge + self.view


def make_hosts(folder: Path, hosts: int) -> None:
    """Write the reports of so many hosts, each a few minutes later than the one before."""
    for number in range(hosts):
        later = timedelta(minutes=7 * (number % 500))
        text = failed_text(number, later)
        if number % WELL_OF == WELL_OF - 1:
            text = json.dumps(well(number, **{name: json.loads(text)[name] for name in ("machines", "changes")}))
        (folder / f"{number}").mkdir(parents=True)
        (folder / f"{number}/report.json").write_text(text)


def summary_of(folder: Path, processes: int = 1) -> Summary:
    return joined(read_summary(find_files([folder]), processes))


def seconds(clock: Callable[[], float], work: Callable[[], object], times: int = 1) -> float:
    """Measure how long a piece of work takes."""
    before = clock()
    for _ in range(times):
        work()
    return (clock() - before) / times


def measure(folder: Path, times: int) -> Round:
    """Measure each step once, or the mean of some times where it is short."""
    files = [Path(file) for file in find_files([folder]).files]
    summary = summary_of(folder)
    return Round(
        parse=seconds(time.process_time, lambda: [json.loads(file.read_bytes()) for file in files], times),
        merge=seconds(time.process_time, lambda: summary_of(folder), times),
        view=seconds(time.process_time, lambda: view.of(summary, NOW), times),
    )


def show(hosts: int, folder: Path, rounds: list[Round], processes: int) -> float:
    """Print one size; return how many times merging costs what parsing does."""
    parse, merge, made = (statistics.median(getattr(one, name) for one in rounds) for name in ("parse", "merge", "view"))
    page = view.of(summary_of(folder), NOW)
    html = seconds(time.process_time, lambda: RENDERERS["html"](page, RenderOptions()))
    elapsed = seconds(time.monotonic, lambda: summary_of(folder, processes))
    print(
        f"{hosts:5} hosts: json.loads {parse:.3f} s, read and merged {merge:.3f} s ({merge / parse:.1f}×), view {made:.3f} s, "
        f"HTML {html:.2f} s; {processes} processes {elapsed:.2f} s elapsed"
    )
    return merge / parse


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--hosts", type=int, default=1000)
    arguments.add_argument("--processes", type=int, default=2)
    arguments.add_argument("--keep", type=Path, help="Write the reports here, and keep them.")
    options = arguments.parse_args()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)  # as the program does
    sizes = sorted({options.hosts // 100 or 1, options.hosts // 10 or 1, options.hosts})
    with tempfile.TemporaryDirectory() as scratch:
        folders = {hosts: (options.keep or Path(scratch)) / f"{hosts}-hosts" for hosts in sizes}
        for hosts, folder in folders.items():
            make_hosts(folder, hosts)
        rounds = [{hosts: measure(folder, max(1, 100 // hosts)) for hosts, folder in folders.items()} for _ in range(ROUNDS)]
        dearest = max(show(hosts, folder, [each[hosts] for each in rounds], options.processes) for hosts, folder in folders.items())
    growth = [statistics.median(each[b].all / each[a].all for each in rounds) for a, b in pairwise(sizes)]
    for (a, b), ratio in zip(pairwise(sizes), growth, strict=True):
        print(f"{b} hosts cost {ratio:.1f}× what {a} cost (at most {TEN_TIMES:g}×)")
    return 1 if dearest > MOST_OF_PARSING or max(growth, default=0) > TEN_TIMES else 0


if __name__ == "__main__":
    sys.exit(main())
