"""PromQL over the seed month, each expression at every step, against real Prometheus 2 and 3.

    python -m benchmarks.promql --journal-dir build/seed/journal --store build/store --work DIR [--prometheus3 FILE] [--only TEXT]
    python -m benchmarks.promql --journal-dir build/seed/journal --store build/store --speed

DIR keeps the backfilled blocks. Exits with 1 where only one evaluation has a point, or a value differs by more than 1e-9 of itself.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from forensics.classes.overrides import Overrides
from forensics.pipeline import read_history
from forensics.promql import Evaluations, Expression, Scraped, Scrapes, StepSeries, alerts, evaluate, parse
from forensics.query import Query, Sources
from forensics.resources import folder
from forensics.rules import shipped_rules
from forensics.signatures import catalogue
from tests.promql.expressions import EXPRESSIONS
from tests.promql.oracle import Prometheus, backfill, difference, running_prometheus
from tests.promql.seed_series import UNIT, series_of

SINCE, UNTIL = datetime(2025, 11, 18, tzinfo=UTC), datetime(2025, 12, 18, tzinfo=UTC)
INCIDENT = datetime(2025, 12, 7, 21, 30, tzinfo=UTC)
LARGEST_ERROR = 1e-9


def series_of_the_seed_month(journal: Path, store: Path) -> list[StepSeries]:
    query = Query(Sources((journal,)), store, datetime.now(UTC), since=SINCE, until=UNTIL)
    history = read_history(query, catalogue.load((folder("patterns"),)), Overrides())
    attempts = history.assembly.attempts.filter((pl.col("unit") == UNIT) & pl.col("started").is_not_null()).sort("started")
    starts = seconds(attempts["started"])
    ends = np.minimum(seconds(attempts["ended"].fill_null(UNTIL)), np.append(starts[1:], np.inf))
    counted = history.assembly.restarts.join(attempts.select("attempt", "restart_counter"), on="attempt").sort("time")
    by_hand = starts[~attempts["automatic"].to_numpy()]
    times = np.concatenate([seconds(counted["time"]), by_hand])
    values = np.concatenate([counted["restart_counter"].cast(pl.Float64).to_numpy(), np.zeros(len(by_hand))])
    order = np.argsort(times, kind="stable")
    return series_of(starts, ends, (times[order], values[order]), SINCE.timestamp(), UNTIL.timestamp())


def seconds(times: pl.Series) -> np.ndarray:
    return times.dt.timestamp("us").to_numpy() / 1e6


def compare(server: Prometheus, series: list[StepSeries], scrapes: Scrapes, at: np.ndarray, only: str) -> bool:
    """Print one line per expression; return whether all agree."""
    scraped = Scraped(series, scrapes)
    agree = True
    print(f"Prometheus {server.version}: {len(at):,} steps")
    for expression in EXPRESSIONS:
        if only not in expression:
            continue
        began = time.process_time()
        vectors = evaluate(parse(expression), scraped, at, version=server.version)
        ours, began = time.process_time() - began, time.monotonic()
        found = server.evaluate(expression, at)
        theirs = time.monotonic() - began
        apart = difference(found, vectors, at)
        bad = apart.missing or apart.extra or apart.error > LARGEST_ERROR
        agree &= not bad
        print(
            f"{'BAD' if bad else 'ok '} {ours:6.2f} s {theirs:6.1f} s  {apart.present:10,} points  "
            f"{apart.missing}/{apart.extra}  {apart.error:.1e}  {expression}",
            flush=True,
        )
    return agree


def speed(series: list[StepSeries]) -> None:
    """Print CPU seconds of `alerts` for the shipped rules, without reading the journal."""
    since, until, start = SINCE.timestamp(), UNTIL.timestamp(), INCIDENT.timestamp()
    rules = [(parse(rule.expr), rule.hold_s) for rule in shipped_rules()]
    four = (0.0, 3.75, 7.5, 11.25)
    print(f"{len(rules)} rules, {len(series)} series, CPU s")
    print(f"{cost(rules, series, since, until, (7.5,), (7.5,)):6.2f}  the month, one phase")
    print(f"{cost(rules, series, since, until, four, four):6.2f}  the month, 4 × 4 phases")
    print(f"{cost(rules, series, start - 8 * 3600, start + 2 * 3600, four, four):6.2f}  8 h before the incident, 2 h of it, 4 × 4 phases")
    many = many_units(200, since, until)
    one = cost(rules, many, since, until, (7.5,), (7.5,))
    print(f"{one:6.2f}  the month, one phase, 200 units, 10 of them failing 30 times, {len(many):,} series")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def cost(
    rules: list[tuple[Expression, float]],
    series: list[StepSeries],
    since: float,
    until: float,
    scraped: tuple[float, ...],
    evaluated: tuple[float, ...],
) -> float:
    """Return CPU seconds of all rules at these phases of scrapes and evaluations."""
    began = time.process_time()
    for phase in scraped:
        samples = Scraped(series, Scrapes(since, until, 15.0, phase))
        for expression, hold_s in rules:
            alerts(expression, samples, Evaluations(since, until, 15.0, evaluated), hold_s=hold_s, default_step=15.0)
    return time.process_time() - began


def many_units(units: int, since: float, until: float) -> list[StepSeries]:
    """Make units named u0, u1, … of which each twentieth fails 30 times, at random; the first one is called as the seed's."""
    chance = np.random.default_rng(1)
    made = []
    for number in range(units):
        failures = np.sort(chance.uniform(since, until, 30 if number % 20 == 0 else 0))
        starts = np.concatenate([[since + 60.0], failures + 10.0])
        ends = np.append(failures, until)
        own = series_of(starts, ends, (failures, np.arange(1.0, len(failures) + 1)), since, until)
        name = UNIT if number == 0 else f"u{number}.service"
        made += [
            replace(each, labels={**each.labels, "name": name, "instance": f"h{number}"})
            for each in own
            if each.labels.get("name") in {None, UNIT} and each.name not in {"machine_temperature_celsius", "late_gauge"}
        ]
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--journal-dir", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--speed", action="store_true", help="only what our own evaluation of the shipped rules costs")
    parser.add_argument("--prometheus2", type=Path, default=shutil.which("prometheus"))
    parser.add_argument("--prometheus3", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--phase", type=float, default=0.0, help="of the evaluations; 0: aligned with the scrapes")
    asked = parser.parse_args()
    series = series_of_the_seed_month(asked.journal_dir, asked.store)
    if asked.speed or asked.work is None:
        speed(series)
        return 0
    day = 86400.0
    scrapes = Scrapes(SINCE.timestamp(), UNTIL.timestamp(), missing=((SINCE.timestamp() + 9.4 * day, SINCE.timestamp() + 9.5 * day),))
    if not (asked.work / "data").exists():
        asked.work.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        backfill(series, scrapes, asked.work)
        print(f"backfilled in {time.monotonic() - began:.0f} s")
    at = np.arange(SINCE.timestamp() + 7200 + asked.phase, UNTIL.timestamp() + 600, 15.0)
    agree = True
    for binary in filter(None, (asked.prometheus2, asked.prometheus3)):
        with (
            tempfile.TemporaryDirectory() as work,
            running_prometheus(binary, Path(work), asked.work / "data") as server,
        ):
            agree &= compare(server, series, scrapes, at, asked.only)
    return 0 if agree else 1


if __name__ == "__main__":
    raise SystemExit(main())
