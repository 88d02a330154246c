"""What assembling attempts costs: 14 k attempts in 500 k entries within 2 s of CPU, a million lines of running services nearly
nothing, ten times the input at most eleven times the cost.

    python benchmarks/attempts.py [--large]      --large also measures ten times the input (about 4 GB of memory), and the later stages
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import numpy as np
import polars as pl

from forensics.assembly import assemble
from forensics.changes import find_changes
from forensics.incidents import Inputs, analyse
from forensics.model.frames import ENTRIES
from forensics.model.values import Window
from forensics.resources import folder
from forensics.signatures import catalogue, label

T = TypeVar("T")
START = datetime(2025, 12, 7, 21, 30, tzinfo=UTC)
TILE = 1_400
TRACEBACK = [
    "Traceback (most recent call last):",
    *[
        f'  File "/opt/tabby/backends/exllamav3/part{i}.py", line {i}, in load_{i}' if i % 2 else f"    return self.load_{i}(model)"
        for i in range(1, 25)
    ],
    "ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory",
]
MANAGER = {
    "started": ("39f53479d3a045ac8e11786248231fbf", "Started {}."),
    "exit": ("98e322203f7a4ed290d09fe03c09fe15", "{}: Main process exited, code=exited, status=1/FAILURE"),
    "failed": ("d9b373ed55a64feb8242e02dbe79a49c", "{}: Failed with result 'exit-code'."),
    "restart": ("5eb03494b6584870a536b337290809b3", "{}: Scheduled restart job, restart counter is at {}."),
}


def loop(attempts: int, *, distinct_lines: bool) -> pl.DataFrame:
    """A restart loop with 30 lines a run and four of the manager, TILE runs copied as often as needed."""
    tile = runs(TILE, distinct_lines=distinct_lines)
    text = pl.col("message")
    copies = [
        tile.with_columns(
            pl.concat_str(pl.lit(f"{n:04x}"), pl.col("invocation").str.slice(4)).alias("invocation"),
            pl.when(text.str.contains("loading model part")).then(text + f" {n}").otherwise(text).alias("message")
            if distinct_lines
            else text,
            pl.when(pl.col("pid") == 1).then(1).otherwise(pl.col("pid") + n * TILE).alias("pid"),
            pl.col("restart_counter") + n * TILE,
        )
        for n in range(attempts // TILE)
    ]
    return completed(pl.concat(copies), "tabbyapi.service")


def runs(attempts: int, *, distinct_lines: bool) -> pl.DataFrame:
    rows: list[dict[str, object]] = []
    for n in range(attempts):
        invocation = f"{n:032x}"
        rows.append(manager("started", invocation, n, exit_code=None))
        stamp = f"2025-12-07 21:30:{n % 60:02d}.{n % 1000:03d}"
        for line in range(4):
            text = f"{stamp} INFO:     loading model part {line} of {n}" if distinct_lines else f"INFO:     loading model part {line}"
            rows.append(
                {"message": text, "invocation": invocation, "pid": 1000 + n, "stream": invocation, "priority": 6, "transport": "stdout"}
            )
        rows.extend(
            {"message": text, "invocation": invocation, "pid": 1000 + n, "stream": invocation, "priority": 6, "transport": "stdout"}
            for text in TRACEBACK
        )
        rows.append(manager("exit", invocation, n, exit_code="exited"))
        rows.append(manager("failed", invocation, n, exit_code=None))
        rows.append(manager("restart", invocation, n, exit_code=None))
    return pl.DataFrame(rows, infer_schema_length=None)


def manager(kind: str, invocation: str, n: int, exit_code: str | None) -> dict[str, object]:
    message_id, text = MANAGER[kind]
    return {
        "message": text.format("tabbyapi.service", n + 1),
        "message_id": message_id,
        "invocation": invocation,
        "pid": 1,
        "priority": 5,
        "transport": "journal",
        "restart_counter": n + 1 if kind == "restart" else None,
        "exit_code": exit_code,
        "exit_status": 1 if exit_code else None,
        "command": "ExecStart" if exit_code else None,
        "result": "exit-code" if kind == "failed" else None,
    }


def healthy(lines: int) -> pl.DataFrame:
    """Fifty services that run all the time and write."""
    number = np.arange(lines)
    frame = pl.DataFrame({"number": number}).select(
        ("10.0.0.1 GET /v1/models " + pl.col("number").cast(pl.String)).alias("message"),
        (pl.col("number") % 50).cast(pl.String).str.zfill(32).alias("invocation"),
        (pl.col("number") % 50 + 500).alias("pid"),
        ("service-" + (pl.col("number") % 50).cast(pl.String) + ".service").alias("unit"),
        pl.lit("stdout").alias("transport"),
    )
    return completed(frame, None)


def completed(frame: pl.DataFrame, unit: str | None) -> pl.DataFrame:
    number = np.arange(frame.height)
    frame = frame.with_columns(
        (pl.lit(START).dt.cast_time_unit("us") + pl.Series(number * 20_000).cast(pl.Duration("us"))).alias("time"),
        pl.Series("monotonic", number * 20_000),
        pl.lit("b" * 32).alias("boot"),
        pl.lit("hydra-ai").alias("host"),
        pl.lit("system").alias("manager"),
        *([pl.lit(unit).alias("unit")] if unit else []),
    )
    missing = [pl.lit(None).alias(name) for name in ENTRIES if name not in frame.columns]
    return frame.with_columns(missing).select([pl.col(name).cast(kind) for name, kind in ENTRIES.items()])


def measured(name: str, entries: pl.DataFrame) -> float:
    best = float("inf")
    wall = float("inf")
    for _ in range(3):
        begun, clock = time.process_time(), time.perf_counter()
        made = assemble(entries)
        best = min(best, time.process_time() - begun)
        wall = min(wall, time.perf_counter() - clock)
    sizes = f"{entries.height:>9,} entries {made.attempts.height:>7,} attempts {made.events.height:>9,} events"
    print(f"{name:45s} {sizes}  {best:6.2f} s CPU {wall:6.2f} s wall")
    return best


def stages(entries: pl.DataFrame) -> dict[str, float]:
    """CPU seconds of each stage behind the store, the better of two runs."""
    patterns = catalogue.load([folder("patterns")])
    best: dict[str, float] = {}

    def timed(name: str, stage: Callable[[], T]) -> T:
        begun = time.process_time()
        made = stage()
        best[name] = min(time.process_time() - begun, best.get(name, float("inf")))
        return made

    for _ in range(2):
        made = timed("attempts", lambda: assemble(entries))
        labelled = timed("classes", partial(label, made.events, made.attempts, patterns))
        changes = timed("changes", partial(find_changes, entries, made.lifecycle))
        inputs = Inputs(
            entries=entries, attempts=made.attempts, events=made.events, restarts=made.restarts, lifecycle=made.lifecycle,
            labels=labelled.labels, changes=changes, signatures=labelled.signatures,
        )  # fmt: skip
        timed("incidents", partial(analyse, inputs, Window(None, None)))
    return best


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--large", action="store_true")
    large = options.parse_args().large
    measured("a first run, to warm up", loop(TILE, distinct_lines=True))
    small = measured("1,400 failed attempts", loop(1_400, distinct_lines=True))
    full = measured("14,000 failed attempts", loop(14_000, distinct_lines=True))
    print(f"  ten times the input: {full / small:.1f} times the cost")
    measured("14,000 failed attempts, repeating lines", loop(14_000, distinct_lines=False))
    measured("running services", healthy(1_000_000))
    if large:
        few, many = stages(loop(14_000, distinct_lines=True)), stages(loop(140_000, distinct_lines=True))
        for name, cost in few.items():
            print(f"{name:14s} {cost:6.2f} s CPU, ten times the input {many[name]:6.2f} s: {many[name] / cost:.1f} times")


if __name__ == "__main__":
    main()
