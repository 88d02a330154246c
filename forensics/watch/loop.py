"""Run the loop of `watch`: journal → stream → tracker → state and sinks."""

from __future__ import annotations

import fnmatch
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl
import pyarrow as pa

from forensics.alerting.alert import Alert
from forensics.alerting.delivery import Delivery
from forensics.journal.follow import MOST_BYTES, Follower
from forensics.model.own_entries import is_drill
from forensics.model.values import UnitKey
from forensics.signatures.contrast import NO_PAST
from forensics.watch.batch import BatchFacts
from forensics.watch.budget import Budget
from forensics.watch.logged_before import by_unit, past_of
from forensics.watch.metrics import Metrics
from forensics.watch.poison import BREAKING, by_halves
from forensics.watch.state import Position, State
from forensics.watch.stream import KEEP_ENDED_S, Ended, NonfatalError, Stream
from forensics.watch.tracked import own_unit
from forensics.watch.tracker import Tracker
from forensics.wording import plural

MOST_ENTRIES = 2000  # per batch
COUNTED = {"restart": "unit_restarts", "gate-opened": "gate_trips"}  # statements that a metric counts
POLL_S = 0.05  # between two reads: journald delays inotify wake-ups by up to 250 ms, so we poll
# budgets: share of a core, seconds that may be saved up
READING, LABELLING = (0.1, 0.1), (0.3, 0.5)
CATCHING_UP = (0.5, 1.0)  # there is more, written while nothing was read
LATER = float("inf")
TICK_S = 1.0  # between two checks of what only time changes, and between two commits while no alert is raised
REPLAY_S = 300.0  # how much is read again after a crash, for the attempts that still ran
MOST_REMEMBERED = 1000  # sentences that are not repeated
LONGEST_REASON = 300  # characters of an error in our own code
REPORTED_TTL_S = 2 * REPLAY_S  # how long an attempt that counted is remembered: longer than it can be read again


@dataclass(slots=True)
class Watch:
    """beat: called once per round, for the service manager's watchdog. say: where errors of `watch` itself are reported."""

    follower: Follower
    stream: Stream
    tracker: Tracker
    state: State
    delivery: Delivery
    metrics: Metrics
    units: tuple[str, ...] = ("*",)
    own_unit: str = field(default_factory=own_unit)
    beat: Callable[[], None] = lambda: None
    say: Callable[[str], object] = lambda _: None
    stopping: bool = False
    _checkpoints: deque[tuple[float, str]] = field(default_factory=deque)
    _reported: dict[str, float] = field(default_factory=dict)  # since the last commit
    _reported_errors: set[Hashable] = field(default_factory=set)
    _past: pl.DataFrame = field(default_factory=lambda: NO_PAST)  # of the stream at the last commit
    _losses: list[tuple[int, str]] = field(default_factory=list)  # skipped and not in an alert yet
    _changed: bool = False
    _reading: Budget = field(default_factory=lambda: Budget(*READING))
    _catching_up: Budget = field(default_factory=lambda: Budget(*CATCHING_UP))
    _labelling: Budget = field(default_factory=lambda: Budget(*LABELLING))
    _next_read: float = 0.0
    _next_labelling: float = 0.0
    _next_tick: float = 0.0

    def __post_init__(self) -> None:
        self.stream.own_unit = self.own_unit
        self.stream.past = self._past = past_of(self.tracker.logged)

    def run(self) -> None:
        """Loop until `stopping`; then label and commit what has ended."""
        while not self.stopping:
            due = self.stream.due
            time.sleep(max(0.0, min(self._next_read, max(due, self._next_labelling) if due is not None else LATER) - time.monotonic()))
            self.round()
            self.beat()
        self._next_read = self._next_labelling = self._next_tick = 0.0
        self.round()
        self._remember_running()

    def resume(self, position: Position, *, first: bool) -> None:
        """Read again, without counting, what was read before: attempts that ran at the last crash need their lines.

        first: whether this is a first run; then all that has ended so far is history.
        """
        start = position.replay or self.follower.cursor
        if start is not None:  # what is read from here on must be read again after a crash
            self._checkpoints.append((time.monotonic(), start))
        self._reported = dict.fromkeys(self.state.reported_invocations(), time.monotonic())
        self.stream.reported = dict(self._reported)
        while position.done is not None and self.follower.cursor != position.done:
            table = self.follower.take(MOST_ENTRIES, until=position.done)
            if not len(table):
                break
            self._feed(table, time.monotonic() - KEEP_ENDED_S)
        if first:
            try:
                self.stream.pass_over(time.monotonic())
            except BREAKING as error:
                self._give_up(f"the ends of {_names(self.stream.give_up())} before the start could not be read", error)
            self._reported = dict(self.stream.reported)
            self._commit(time.monotonic(), [])

    def round(self) -> None:
        """Read one batch, label what has ended, check what only time changes, commit."""
        self.metrics.alive_at = time.monotonic()
        steady, now = time.monotonic(), time.time()
        alerts = self._read(steady, now)
        alerts += self._settle(steady, now)
        if self.follower.torn:
            self.follower.torn = False
            alerts += self.tracker.lost(1, "the journal has deleted entries that were not read yet", now)
        ticks = steady >= self._next_tick
        if ticks:
            alerts += self.tracker.tick(steady, now)
            self.metrics.units(self.tracker, steady)
            self._next_tick = steady + TICK_S
        if alerts or (self._changed and ticks):
            self._commit(steady, [replace(alert, raised_at=now) for alert in alerts])

    def _read(self, steady: float, now: float) -> list[Alert]:
        """Read a batch, and handle what needs no labelling."""
        if steady < self._next_read:
            return []
        self._next_read = steady + POLL_S
        try:
            table = self.follower.take(MOST_ENTRIES)
        except BREAKING as error:  # the reader is past what broke it
            self._next_read = steady + TICK_S
            self._give_up("some entries could not be read", error)
            return self._lost(now)
        if not len(table):
            return []
        newest = table["time"][-1].as_py().timestamp()
        self.metrics.gauges["last_event_timestamp_seconds"].set(newest)
        self.metrics.gauges["watch_lag_seconds"].set(max(0.0, now - newest))
        self._changed = True
        alerts = [alert for facts in self._feed(table, steady) for alert in self._handle(facts, steady, now)] + self._lost(now)
        done = time.monotonic()
        if len(table) == MOST_ENTRIES or table["bytes"].to_numpy().sum() >= MOST_BYTES:
            self._catching_up.spend(steady, done)
            self._next_read = max(done, self._catching_up.ready(done))
        else:
            self._reading.spend(steady, done)
            self._next_read = max(steady + POLL_S, self._reading.ready(done))
        return alerts

    def _feed(self, table: pa.Table, steady: float) -> list[BatchFacts]:
        """Give the stream new entries, all but those that break it: no entry may end the loop."""
        return list(by_halves(table, lambda part: self.stream.feed(part, steady), self._give_up_entries))

    def _handle(self, facts: BatchFacts, steady: float, now: float) -> list[Alert]:
        self.tracker.read(facts, steady, self._is_watched)
        self.metrics.counters["journal_lost_lines"].inc(facts.dropped)
        for statement in facts.statements:
            if statement.kind in COUNTED and self._is_watched(statement.unit.unit) and not is_drill(statement.unit.unit):
                self.metrics.count(COUNTED[statement.kind], statement.unit.unit)
        return self.tracker.lost(facts.dropped, f"journald dropped {plural(facts.dropped, 'line')}", now)

    def _settle(self, steady: float, now: float) -> list[Alert]:
        """Return the alerts about ends, errors that were survived, and statements of the manager."""
        ended, nonfatal, alerts = self._labelled(steady, now)
        alerts += self.tracker.settle(ended, self.stream.waiting)
        for end in ended:
            if not is_drill(end.unit.unit):
                self.metrics.attempt(end, self.tracker)
        return alerts + [alert for error in nonfatal for alert in self.tracker.survived(error)]

    def _labelled(self, steady: float, now: float) -> tuple[list[Ended], list[NonfatalError], list[Alert]]:
        """Label what has ended; nothing while it is too early, or while labelling has used up its budget."""
        begun = time.monotonic()
        if begun < self._next_labelling or self.stream.due is None or begun < self.stream.due:
            return [], [], []
        units = sorted(self.stream.unsettled)
        settled = list(by_halves(units, lambda some: self.stream.settle(steady, frozenset(some)), self._give_up_units))
        all_ended = [end for ends, _ in settled for end in ends]
        self._reported |= {end.invocation: steady for end in all_ended}
        ended = [end for end in all_ended if self._is_watched(end.unit.unit)]
        # what `watch` itself logs is no news to whoever gets its alerts, and an alert about it would be logged again
        survived = (error for _, errors in settled for error in errors)
        nonfatal = [error for error in survived if self._is_watched(error.unit.unit) and error.unit.unit != self.own_unit]
        alerts = self._lost(now)
        for note in self.stream.catalogue.notes:
            self._say_once(note, note)
        self._changed = True
        done = time.monotonic()
        self._labelling.spend(begun, done)
        self._next_labelling = self._labelling.ready(done)
        return ended, nonfatal, alerts

    def _give_up_entries(self, table: Sequence[Any], error: BaseException) -> None:
        self._give_up(f"{plural(len(table), 'entry', 'entries')} could not be read", error, len(table))

    def _give_up_units(self, units: Sequence[UnitKey], error: BaseException) -> None:
        self._give_up(f"the ends of {_names(self.stream.give_up(frozenset(units)))} could not be labelled", error)

    def _give_up(self, what: str, error: BaseException, count: int = 1) -> None:
        """Skip what breaks our own code: report it once, count it, and never read it again, not even after a restart."""
        reason = f"{type(error).__name__}: {str(error)[:LONGEST_REASON]}"
        self._say_once(f"{what}: {reason}. They are skipped; please report this.", (what, type(error)))
        self.metrics.counters["watch_skipped"].inc(count)
        self._losses.append((count, what))
        self._checkpoints = deque([(time.monotonic(), self.follower.cursor)] if self.follower.cursor is not None else [])

    def _say_once(self, sentence: str, about: Hashable) -> None:
        if about not in self._reported_errors:
            self.say(sentence)
        if len(self._reported_errors) >= MOST_REMEMBERED:
            self._reported_errors.clear()
        self._reported_errors.add(about)

    def _lost(self, now: float) -> list[Alert]:
        """Alert about what was skipped since the last call."""
        losses, self._losses = self._losses, []
        return [alert for count, what in losses for alert in self.tracker.lost(count, what, now)]

    def _commit(self, steady: float, alerts: list[Alert]) -> None:
        cursor = self.follower.cursor
        if cursor is not None and (not self._checkpoints or steady - self._checkpoints[-1][0] >= REPLAY_S / 10):
            self._checkpoints.append((steady, cursor))
        while len(self._checkpoints) > 1 and steady - self._checkpoints[1][0] >= REPLAY_S:
            self._checkpoints.popleft()
        replay = self._checkpoints[0][1] if self._checkpoints else None
        # before resolved alerts are queued: a sink that gets the open ones again must not get one after its end
        self.delivery.open_alerts = tuple(self.tracker.open.values())
        names = tuple(self.delivery.sinks)
        if self.stream.past is not self._past:
            self._past, self.tracker.logged = self.stream.past, by_unit(self.stream.past)
        position, keep_from = Position(cursor, replay), steady - REPORTED_TTL_S
        for name in self.state.commit(position, self.tracker, alerts, names, self._reported, keep_from):
            self.metrics.refused(name)
        self._reported, self._changed = {}, False
        self.stream.reported = {name: at for name, at in self.stream.reported.items() if at >= keep_from}
        if alerts:
            self.delivery.wake()

    def _remember_running(self) -> None:
        """Keep what attempts that run logged in good times: the next `watch` reads only their last minutes again."""
        try:
            self.stream.remember_running()
        except BREAKING as error:
            reason = f"{type(error).__name__}: {str(error)[:LONGEST_REASON]}"
            self._say_once(f"what running services logged could not be kept: {reason}.", ("running", type(error)))
        if self.stream.past is not self._past:
            self._commit(time.monotonic(), [])

    def _is_watched(self, unit: str) -> bool:
        return is_drill(unit) or any(fnmatch.fnmatchcase(unit, wanted) for wanted in self.units)


def _names(units: Iterable[UnitKey]) -> str:
    return ", ".join(sorted({unit.unit for unit in units}))
