"""What `explain` costs in CPU time (user and system), and what naming an ended attempt costs `watch`.

    python -m benchmarks.explain short [--rounds 7] [FILE …]
    python -m benchmarks.explain long [--lines 200000] [--against DIR]
    python -m benchmarks.explain naming [--rounds 50]

short: whole processes in turn, `explain` of a short paste and `python -c 'import polars, typer'`; the median of the ratios.
long: whole processes over a text of a service in a restart loop. --against: a checkout of another version, in turn with this one.
naming: one more attempt of a service that fails as before: assembling it (with the entries that are held) and naming it, in this process.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from forensics.assembly import assemble
from forensics.explain.entries import entries_of
from forensics.explain.paste import read_paste
from forensics.resources import folder
from forensics.signatures import catalogue, label

ROOT = Path(__file__).resolve().parents[1]
KNOWN = """\
Nov 27 10:00:00 host systemd[1]: Starting demo.service - Demo...
Nov 27 10:00:01 host python[123]: INFO: starting
Nov 27 10:00:02 host python[123]: Traceback (most recent call last):
Nov 27 10:00:02 host python[123]:   File "/srv/app/main.py", line 12, in <module>
Nov 27 10:00:02 host python[123]:     import torch
Nov 27 10:00:02 host python[123]: ModuleNotFoundError: No module named 'torch'
Nov 27 10:00:02 host systemd[1]: demo.service: Main process exited, code=exited, status=1/FAILURE
Nov 27 10:00:02 host systemd[1]: demo.service: Failed with result 'exit-code'.
"""
UNKNOWN = """\
Nov 27 10:00:00 host systemd[1]: Starting demo.service - Demo...
Nov 27 10:00:02 host demo[123]: ERROR: the frobnicator has gone bananas at step 12
Nov 27 10:00:02 host systemd[1]: demo.service: Main process exited, code=exited, status=1/FAILURE
Nov 27 10:00:02 host systemd[1]: demo.service: Failed with result 'exit-code'.
"""
WORDS = ("cache", "worker", "request", "model", "shard", "token", "queue", "stream", "batch", "layer")


def cpu_of(command: Sequence[str], root: Path = ROOT) -> float:
    """Run a command to its end and return its CPU seconds."""
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    of_root = {"PYTHONPATH": str(root), "PYTHONSAFEPATH": "1"}  # else the working directory's package would run, whatever the root
    pid = os.posix_spawn(command[0], command, os.environ | of_root, file_actions=quiet)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}")
    return usage.ru_utime + usage.ru_stime


def explaining(log: Path) -> list[str]:
    return [sys.executable, "-m", "forensics", "explain", str(log)]


def in_turn(ours: Sequence[str], theirs: Sequence[str], rounds: int, root: Path = ROOT) -> tuple[float, float, float]:
    """Return the median CPU seconds of both, and the median of the ratios of their turns; the first turn does not count."""
    pairs = [(cpu_of(ours), cpu_of(theirs, root)) for _ in range(rounds + 1)][1:]
    mine, others = zip(*pairs, strict=True)
    return statistics.median(mine), statistics.median(others), statistics.median(a / b for a, b in pairs)


def short(options: argparse.Namespace, scratch: Path) -> None:
    logs = list(options.files)
    for name, text in {} if logs else {"known": KNOWN, "unknown": UNKNOWN}.items():
        logs.append(scratch / f"{name}.log")
        logs[-1].write_text(text)
    for log in logs:
        ours, bare, ratio = in_turn(explaining(log), [sys.executable, "-c", "import polars, typer"], options.rounds)
        print(f"{log.name}: {ours:.3f} s, {bare:.3f} s for the imports alone: {ratio:.2f}×")


def loop(lines: int) -> Iterator[str]:
    """Yield the lines of a service that is restarted after about a hundred lines each, with a known cause twice in three times."""
    chance, attempt, number = random.Random(7), 0, 0  # noqa: S311 - the same lines each time
    while number < lines:
        attempt += 1
        name, service = "systemd[1]", f"demo[{1000 + attempt}]"
        of_attempt = [(name, "Starting demo.service - Demo..."), (name, "Started demo.service - Demo.")]
        for _ in range(chance.randint(60, 140)):
            words, ms = " ".join(chance.choices(WORDS, k=2)), chance.randint(1, 999)
            level = chance.choices(("INFO", "WARNING", "ERROR"), (90, 8, 2))[0]
            of_attempt.append((service, f"{level}: {words} {chance.randint(1, 10**6)} after {ms} ms"))
        causes = ("RuntimeError: CUDA error: out of memory", "OSError: [Errno 98] address already in use", "the end")
        of_attempt += [
            (service, causes[attempt % 3]),
            (name, "demo.service: Main process exited, code=exited, status=1/FAILURE"),
            (name, "demo.service: Failed with result 'exit-code'."),
            (name, f"demo.service: Scheduled restart job, restart counter is at {attempt}."),
        ]
        for who, message in of_attempt:
            number += 1
            clock = time.strftime("%b %d %H:%M:%S", time.gmtime(number // 3))
            yield f"{clock} host {who}: {message}\n"


def long(options: argparse.Namespace, scratch: Path) -> None:
    log = scratch / "long.log"
    log.write_text("".join(loop(options.lines)))
    if options.against is None:
        print(f"{options.lines:,} lines: {statistics.median(cpu_of(explaining(log)) for _ in range(options.rounds)):.2f} s")
        return
    ours, theirs, ratio = in_turn(explaining(log), explaining(log), options.rounds, options.against)
    print(f"{options.lines:,} lines: {ours:.2f} s, {theirs:.2f} s in {options.against}: {ratio:.2f}×")


def naming(options: argparse.Namespace, _: Path) -> None:
    patterns = catalogue.load([folder("patterns")])
    for name, text in {"known": KNOWN, "unknown": UNKNOWN}.items():
        pasted = read_paste(text.encode())
        entries = entries_of(pasted.records, as_found=pasted.as_found)
        assembling, labelling = [], []
        for _round in range(options.rounds):
            begun = time.process_time()
            assembly = assemble(entries)
            assembled = time.process_time()
            label(assembly.events, assembly.attempts, patterns)
            assembling.append(assembled - begun)
            labelling.append(time.process_time() - assembled)
        name_ms, assemble_ms = (statistics.median(seconds) * 1e3 for seconds in (labelling, assembling))
        print(f"{name}: {name_ms:.1f} ms to name it, {assemble_ms:.1f} ms to assemble it")


MODES = {"short": short, "long": long, "naming": naming}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--against", type=Path)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch_folder:
        MODES[chosen.mode](chosen, Path(scratch_folder))
