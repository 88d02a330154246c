"""The baseline of a first run: a tracker that knows the failures of history, so that no alert calls them new."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from forensics.classes.overrides import Overrides, read_overrides
from forensics.errors import NothingRecordedError
from forensics.ingest.sources import ingest_sources
from forensics.paths import overrides_file
from forensics.pipeline import History, history_of
from forensics.policy.limits import HELD_S
from forensics.query import Query
from forensics.signatures import catalogue
from forensics.signatures.nonfatal import problems
from forensics.signatures.pattern import Catalogue
from forensics.watch.tracked import Class, Unit
from forensics.watch.tracker import Tracker

PORTION = timedelta(days=1)  # of history at a time, so that memory does not grow with the window
LEAD = timedelta(hours=1)  # read again before each portion: an attempt that ends in the portion needs its earlier lines


def read_baseline(query: Query) -> Tracker:
    """Ingest the sources of `query` and read their failures. Both ends of its window are times."""
    try:
        sources = ingest_sources(query.sources, query.store).sources
    except NothingRecordedError:
        return Tracker()
    known, overrides = catalogue.load(query.pattern_folders), read_overrides(overrides_file())
    start, until = query.since, query.until
    baseline = _Baseline()
    while isinstance(start, datetime) and isinstance(until, datetime) and start < until:
        portion = replace(query, since=start - LEAD, until=min(start + PORTION, until))
        with suppress(NothingRecordedError):
            baseline.add(history_of(portion, sources, known, overrides), start, known, overrides)
        start += PORTION
    return baseline.tracker(time.time())


@dataclass(frozen=True, slots=True)
class _Running:
    invocation: str
    boot: str
    since: float


@dataclass(slots=True)
class _Baseline:
    """The sum of the portions. healthy_at: when each unit was last known to be healthy. nonfatal: errors that units logged and survived."""

    classes: dict[tuple[str, str], Class] = field(default_factory=dict)
    healthy_at: dict[str, float] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)
    nonfatal: set[str] = field(default_factory=set)
    boot: str = ""
    host: str = ""

    def add(self, history: History, start: datetime, known: Catalogue, overrides: Overrides) -> None:
        attempts = history.assembly.attempts.join(
            history.labelled.labels.select("attempt", "failed", "signature"), on="attempt", how="left"
        )
        self.boot = str(history.entries["boot"].last() or "")
        self.host = str(history.entries["host"].drop_nulls().last() or "") if history.entries["host"].count() else ""
        columns = ("unit", "invocation", "boot", "started", "ended", "uptime_s", "outcome", "failed", "signature")
        for unit, invocation, boot, started, ended, uptime, outcome, failed, signature in (
            attempts.filter(pl.col("ended").is_null() | (pl.col("ended") >= start))
            .sort("ended", "started", nulls_last=True)
            .select(columns)
            .iter_rows()
        ):
            if started is not None and uptime is not None and uptime >= HELD_S:
                self._was_healthy(unit, started.timestamp() + HELD_S)
            if ended is None and outcome == "running" and started is not None:
                self.running[unit] = _Running(invocation or "", boot, started.timestamp())
            elif ended is not None:
                self._ended(unit, invocation or "", ended.timestamp(), outcome, signature if failed else None)
        units = attempts.select("attempt", "unit")
        logged = problems(history.assembly.events, known).join(units, on="attempt").select("unit", "signature").unique()
        self.nonfatal |= {f"{unit} {overrides.shown_as(signature)}" for unit, signature in logged.iter_rows()}

    def _ended(self, unit: str, invocation: str, time: float, outcome: str, signature: str | None) -> None:
        if unit in self.running and self.running[unit].invocation == invocation:
            del self.running[unit]
        if signature is not None:
            self._failed((unit, signature), time)
        elif outcome == "clean":
            self._was_healthy(unit, time)

    def _failed(self, key: tuple[str, str], time: float) -> None:
        failures = self.classes.setdefault(key, Class(time, time, state="ongoing"))
        failures.first, failures.last, failures.count = min(failures.first, time), max(failures.last, time), failures.count + 1

    def _was_healthy(self, unit: str, time: float) -> None:
        self.healthy_at[unit] = max(time, self.healthy_at.get(unit, time))

    def tracker(self, now: float) -> Tracker:
        tracker = Tracker(host=self.host, boot=self.boot, survived=self.nonfatal)
        for unit, running in self.running.items():
            if running.boot == self.boot:
                uptime = max(0.0, now - running.since)
                tracker.units[unit] = Unit(run=running.invocation, up_since=time.monotonic() - uptime)
                if uptime >= HELD_S:
                    self._was_healthy(unit, running.since + HELD_S)
        for (unit, signature), failures in sorted(self.classes.items()):
            failures.over = self.healthy_at.get(unit, failures.last) > failures.last
            tracker.learn(unit, signature, failures)
        return tracker
