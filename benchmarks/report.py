"""What a whole report costs: each command against the plainest peers that read the same journal, in one interleaved run.

    python benchmarks/report.py [--entries 1000000 | --journal-dir DIR] [--rounds 5] [--folder /tmp/tabby-bench]

Only the ratios mean something on another machine: ours / peer's CPU time of all threads and time on the clock, the median over rounds
that run every command once. The start of the program is compared with that of Python and of typer.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PROGRAM = [sys.executable, "-m", "forensics"]
STARTS_A_ROUND = 5  # a start takes a tenth of a second: one alone says little


@dataclass(frozen=True, slots=True)
class Cost:
    cpu_s: float
    wall_s: float
    peak_mb: float


def cost(command: list[str]) -> Cost:
    """One run of a command with its output thrown away."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def interleaved(commands: dict[str, list[str]], rounds: int, cold_store: Path | None = None) -> dict[str, list[Cost]]:
    """Every command once a round, so that what else the machine does falls on all of them. Before each command `cold_store` is deleted."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            if cold_store is not None:
                shutil.rmtree(cold_store, ignore_errors=True)
            costs[name].append(cost(command))
    return costs


def show(costs: dict[str, list[Cost]], ours: list[str], peers: list[str]) -> None:
    for name, runs in costs.items():
        cpu, wall, peak = median(run.cpu_s for run in runs), median(run.wall_s for run in runs), max(run.peak_mb for run in runs)
        print(f"{name:32s} {cpu:7.2f} s CPU {wall:7.2f} s {peak:6.0f} MB")
    for name in ours:
        for peer in peers:
            pairs = list(zip(costs[name], costs[peer], strict=True))
            cpu, wall = median(own.cpu_s / other.cpu_s for own, other in pairs), median(own.wall_s / other.wall_s for own, other in pairs)
            print(f"  {name} / {peer}: {cpu:.2f} × its CPU, {wall:.2f} × its time")


def of_reports(journal: Path, rounds: int, stores: Path) -> None:
    """A report over a store that has everything, one that has nothing, and two who read the journal without understanding it."""
    asked = [*PROGRAM, "report", "--journal-dir", str(journal), "--tz", "UTC", "--store"]
    read = f"journalctl --no-pager --quiet --directory '{journal}'"
    warm, cold = [*asked, str(stores / "warm")], [*asked, str(stores / "cold")]
    peers = {"journalctl -o json": f"{read} -o json", "journalctl -o cat | grep -c": f"{read} -o cat | grep -c 'Scheduled restart job'"}
    cost(warm)
    commands = {"report, warm store": warm, "report, no store": cold, **{name: ["sh", "-c", peer] for name, peer in peers.items()}}
    show(interleaved(commands, rounds, stores / "cold"), ["report, warm store", "report, no store"], list(peers))


def of_starts(rounds: int) -> None:
    python = [sys.executable, "-c"]
    commands = {"--help": [*PROGRAM, "--help"], "import typer": [*python, "import typer"], "python": [*python, ""]}
    show(interleaved(commands, rounds * STARTS_A_ROUND), ["--help"], ["import typer", "python"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/tabby-bench"), help="where the journal files are kept")  # noqa: S108
    parser.add_argument("--journal-dir", type=Path, help="this journal, not a made one")
    options = parser.parse_args()
    from journal_maker import make  # noqa: PLC0415

    journal = options.journal_dir or make(options.entries, options.folder)[0].parent
    of_starts(options.rounds)
    with tempfile.TemporaryDirectory(dir=options.folder) as stores:
        of_reports(journal, options.rounds, Path(stores))


if __name__ == "__main__":
    main()
