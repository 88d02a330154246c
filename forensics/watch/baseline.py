"""What the store has of the past in, a tracker that knows its failures out: no alert will call them new."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from forensics.classes.overrides import Decisions, read_decisions
from forensics.errors import NothingRecordedError
from forensics.ingest.sources import ingest_sources
from forensics.paths import decisions_file
from forensics.pipeline import History, history_of
from forensics.policy.limits import HELD_S
from forensics.query import Query
from forensics.signatures import catalogue
from forensics.signatures.nonfatal import problems
from forensics.signatures.pattern import Catalogue
from forensics.watch.tracked import Class, Unit
from forensics.watch.tracker import Tracker

PORTION = timedelta(days=1)  # of history at a time, so that memory does not grow with the window
LEAD = timedelta(hours=1)  # before a portion, read again: an attempt that ends in the portion needs its lines


def learn(settings: Query) -> Tracker:
    """The failures of the window and the sources that `settings` names, which are ingested first. Both ends are times of the clock."""
    try:
        sources = ingest_sources(settings.sources, settings.store).sources
    except NothingRecordedError:
        return Tracker()
    known, decisions = catalogue.load(settings.pattern_folders), read_decisions(decisions_file())
    start, until = settings.since, settings.until
    past = _Past()
    while isinstance(start, datetime) and isinstance(until, datetime) and start < until:
        portion = replace(settings, since=start - LEAD, until=min(start + PORTION, until))
        with suppress(NothingRecordedError):
            past.add(history_of(portion, sources, known, decisions), start, known, decisions)
        start += PORTION
    return past.tracker(time.time())


@dataclass(frozen=True, slots=True)
class _Running:
    run: str
    boot: str
    since: float


@dataclass(slots=True)
class _Past:
    """What portions add up to. well: unit → when it was last well."""

    classes: dict[tuple[str, str], Class] = field(default_factory=dict)
    well: dict[str, float] = field(default_factory=dict)
    running: dict[str, _Running] = field(default_factory=dict)
    survived: set[str] = field(default_factory=set)
    boot: str = ""
    host: str = ""

    def add(self, history: History, start: datetime, known: Catalogue, decisions: Decisions) -> None:
        attempts = history.assembly.attempts.join(
            history.labelled.labels.select("attempt", "failed", "signature"), on="attempt", how="left"
        )
        self.boot = str(history.entries["boot"].last() or "")
        self.host = str(history.entries["host"].drop_nulls().last() or "") if history.entries["host"].count() else ""
        columns = ("unit", "invocation", "boot", "started", "ended", "uptime_s", "outcome", "failed", "signature")
        for unit, run, boot, began, ended, lived, outcome, failed, signature in (
            attempts.filter(pl.col("ended").is_null() | (pl.col("ended") >= start))
            .sort("ended", "started", nulls_last=True)
            .select(columns)
            .iter_rows()
        ):
            if began is not None and lived is not None and lived >= HELD_S:
                self._was_well(unit, began.timestamp() + HELD_S)
            if ended is None and outcome == "running" and began is not None:
                self.running[unit] = _Running(run or "", boot, began.timestamp())
            elif ended is not None:
                self._ended(unit, run or "", ended.timestamp(), outcome, signature if failed else None)
        units = attempts.select("attempt", "unit")
        told = problems(history.assembly.events, known).join(units, on="attempt").select("unit", "signature").unique()
        self.survived |= {f"{unit} {decisions.shown_as(signature)}" for unit, signature in told.iter_rows()}

    def _ended(self, unit: str, run: str, time: float, outcome: str, signature: str | None) -> None:
        if unit in self.running and self.running[unit].run == run:
            del self.running[unit]
        if signature is not None:
            self._failed((unit, signature), time)
        elif outcome == "clean":
            self._was_well(unit, time)

    def _failed(self, key: tuple[str, str], time: float) -> None:
        known = self.classes.setdefault(key, Class(time, time, state="ongoing"))
        known.first, known.last, known.count = min(known.first, time), max(known.last, time), known.count + 1

    def _was_well(self, unit: str, time: float) -> None:
        self.well[unit] = max(time, self.well.get(unit, time))

    def tracker(self, now: float) -> Tracker:
        found = Tracker(host=self.host, boot=self.boot, survived=self.survived)
        for unit, running in self.running.items():
            if running.boot == self.boot:
                up = max(0.0, now - running.since)
                found.units[unit] = Unit(run=running.run, up_since=time.monotonic() - up)
                if up >= HELD_S:
                    self._was_well(unit, running.since + HELD_S)
        for (unit, signature), known in sorted(self.classes.items()):
            known.over = self.well.get(unit, known.last) > known.last
            found.learn(unit, signature, known)
        return found
