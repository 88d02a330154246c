"""Build the baseline of a first run: a tracker that has the failures of history, so that no alert calls them new."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import polars as pl

from forensics.assembly import Assembly
from forensics.attempt_facts import attempts_of, unit_of, with_facts
from forensics.classes.overrides import Overrides, read_overrides
from forensics.errors import NothingRecordedError
from forensics.ingest.sources import ingest_sources
from forensics.model.values import UnitKey
from forensics.paths import overrides_file
from forensics.pipeline import History, history_of
from forensics.policy import unit_state
from forensics.policy.class_state import ClassState
from forensics.policy.limits import HELD_S
from forensics.policy.unit_state import Attempt, Running, UnitState
from forensics.query import Query
from forensics.signatures import catalogue
from forensics.signatures.contrast import NO_PAST, remembered
from forensics.signatures.nonfatal import problems
from forensics.signatures.pattern import Catalogue
from forensics.store import Store
from forensics.watch.batch import boots_of
from forensics.watch.families import Families
from forensics.watch.logged_before import by_unit
from forensics.watch.portions import portions
from forensics.watch.stream import NONFATAL_S
from forensics.watch.tracked import TrackedMachine, TrackedUnit
from forensics.watch.tracker import ClassKey, Tracker

LEAD = timedelta(hours=1)  # read again before each portion: an attempt that ends in the portion needs its earlier lines
INGESTING = 0.25  # of the time that a first run takes


def read_baseline(query: Query, progress: Callable[[float], object] = lambda _: None) -> Tracker:
    """Ingest the sources of `query` and read their failures. Both ends of its window are times. progress: called with the share done."""

    def ingested(done: int, size: int) -> None:
        progress(INGESTING * done / max(size, 1))

    try:
        sources = ingest_sources(query.sources, query.store, ingested).sources
    except NothingRecordedError:
        return Tracker()
    patterns, overrides = catalogue.load(query.pattern_folders), read_overrides(overrides_file())
    baseline = _Baseline()
    if not isinstance(query.since, datetime) or not isinstance(query.until, datetime):
        return baseline.tracker()
    manifests, _ = Store.open(query.store).manifests()
    listed = portions((manifest for manifest in manifests if manifest.source in sources), query.since, query.until)
    entries, done = sum(portion.entries for portion in listed), 0
    for portion in listed:
        window = replace(query, since=portion.start - LEAD, until=portion.end)
        with suppress(NothingRecordedError):
            baseline.add(history_of(window, sources, patterns, overrides), portion.start, patterns, overrides)
        done += portion.entries
        progress(INGESTING + (1 - INGESTING) * done / max(entries, 1))
    return baseline.tracker()


def _survived(assembly: Assembly) -> pl.DataFrame:
    """Select the events that a stream may take for survived: an attempt that ends sooner after an error has failed of it."""
    ends = assembly.attempts.select("attempt", "ended")
    events = assembly.events.join(ends, on="attempt", how="left", maintain_order="left")
    ended = (pl.col("ended") - pl.col("time")) < timedelta(seconds=NONFATAL_S)
    return events.filter(~ended.fill_null(value=False)).drop("ended")


@dataclass(slots=True)
class _Baseline:
    """The sum of the portions. healthy_at: when each unit was last healthy. nonfatal: errors that units logged and survived."""

    classes: dict[ClassKey, ClassState] = field(default_factory=dict)
    healthy_at: dict[UnitKey, float] = field(default_factory=dict)
    running: dict[UnitKey, Running] = field(default_factory=dict)
    nonfatal: dict[ClassKey, tuple[str, str]] = field(default_factory=dict)  # title and site
    titles: dict[str, str] = field(default_factory=dict)  # of signatures
    machines: dict[str, TrackedMachine] = field(default_factory=dict)
    families: Families = field(default_factory=Families)
    past: pl.DataFrame = field(default_factory=lambda: NO_PAST)

    def add(self, history: History, start: datetime, patterns: Catalogue, overrides: Overrides) -> None:
        """Add a portion; what ended before `start` is in an earlier one."""
        assembly = history.assembly
        facts = with_facts(assembly.attempts, assembly.lifecycle, history.labelled.labels, history.entries)
        recent = facts.filter(pl.col("ended").is_null() | (pl.col("ended") >= start)).sort("ended", "started", nulls_last=True)
        for attempt, row in zip(attempts_of(recent), recent.iter_rows(named=True), strict=True):
            self._add_attempt(attempt, unit_of(row), row["invocation"] or "")
        self.past = remembered(self.past, history.labelled.logged)
        for boot in boots_of(history.entries):
            self.machines[boot.machine] = TrackedMachine(boot.host, boot.last)
        units = assembly.attempts.select("attempt", "machine", "manager", "unit")
        logged = problems(_survived(assembly), patterns).sort("row").join(units, on="attempt", maintain_order="left")
        columns = ("machine", "manager", "unit", "signature", "title", "site")
        for *unit, signature, title, site in logged.select(columns).unique(maintain_order=True).iter_rows():
            self.nonfatal.setdefault((UnitKey(*unit), overrides.shown_as(signature)), (title, site))
        self.titles |= {signature: described.title for signature, described in history.labelled.signatures.items()}

    def _add_attempt(self, attempt: Attempt, unit: UnitKey, invocation: str) -> None:
        if attempt.up_s is not None and attempt.up_s >= HELD_S:
            self._was_healthy(unit, attempt.began.time / 1e6 + HELD_S)
        if attempt.outcome == "running":
            known = self.running.get(unit)
            if known is None or not invocation or known.invocation != invocation:  # else an earlier portion has its start
                self.running[unit] = Running(invocation, attempt.stated or attempt.started, attempt.announced, attempt.ready)
            return
        self.families.ran(unit)
        if unit in self.running and self.running[unit].invocation == invocation:
            del self.running[unit]
        if attempt.failed:
            self._failed((unit, attempt.signature), attempt.ended.time / 1e6)
        elif attempt.outcome == "clean":
            self._was_healthy(unit, attempt.ended.time / 1e6)

    def _failed(self, key: ClassKey, time: float) -> None:
        failure_class = self.classes.setdefault(key, ClassState(time, time, state="ongoing"))
        failure_class.first, failure_class.last, failure_class.count = (
            min(failure_class.first, time),
            max(failure_class.last, time),
            failure_class.count + 1,
        )

    def _was_healthy(self, unit: UnitKey, time: float) -> None:
        self.healthy_at[unit] = max(time, self.healthy_at.get(unit, time))

    def tracker(self) -> Tracker:
        """Make a tracker of the sum; attempts of earlier boots no longer run."""
        host = next((machine.host for machine in reversed(self.machines.values())), "")
        tracker = Tracker(machines=self.machines, families=self.families, host=host, logged=by_unit(self.past))
        for (unit, signature), worded in self.nonfatal.items():
            tracker.learn_nonfatal(unit, signature, *worded)
        for unit, running in self.running.items():
            if running.started.boot == self.machines[unit.machine].last.boot:
                running.held = unit_state.is_held(running, self.machines[unit.machine].last)
                tracker.units[unit] = TrackedUnit(UnitState(running=running))
                if running.held and running.up_since is not None:
                    self._was_healthy(unit, running.up_since.time / 1e6 + HELD_S)
        for key, failure_class in sorted(self.classes.items()):
            failure_class.over = self.healthy_at.get(key[0], failure_class.last) > failure_class.last
            tracker.learn(*key, failure_class)
            tracker.wordings.first_of(*key, self.titles.get(key[1], ""))
            tracker.learn(self.families.followed_as(key[0]), key[1], replace(failure_class))
        return tracker
