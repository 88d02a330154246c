"""The loop of `watch`: journal → stream → tracker → state and sinks."""

from __future__ import annotations

import fnmatch
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from forensics.alerting.alert import Alert
from forensics.alerting.delivery import Delivery
from forensics.journal.follow import Follower
from forensics.watch.batch import Seen
from forensics.watch.budget import Budget
from forensics.watch.metrics import Metrics
from forensics.watch.state import Position, State
from forensics.watch.stream import KEEP_ENDED_S, Stream
from forensics.watch.tracker import Tracker

MOST_ENTRIES = 2000  # a batch
LOOK_S = 0.05  # between two looks into the journal: whom journald wakes it wakes up to a quarter of a second late
READING, NAMING = (0.1, 0.1), (0.3, 0.5)  # budgets: share of a core, seconds that may be saved up
LATER = float("inf")
TICK_S = 1.0  # between two looks at what only time changes, and between two commits while no alert is raised
REPLAY_S = 300.0  # how much of the past is read again after a death, for the attempts that still ran
TOLD_S = 2 * REPLAY_S  # how long an attempt that counted is remembered: longer than it can be read again


@dataclass(slots=True)
class Watch:
    """beat: called once a round, for the service manager's watchdog. say: where to tell of what goes wrong here."""

    follower: Follower
    stream: Stream
    tracker: Tracker
    state: State
    delivery: Delivery
    metrics: Metrics
    units: tuple[str, ...] = ("*",)
    beat: Callable[[], None] = lambda: None
    say: Callable[[str], object] = lambda _: None
    stopping: bool = False
    _checkpoints: deque[tuple[float, str]] = field(default_factory=deque)
    _told: dict[str, float] = field(default_factory=dict)  # since the last commit
    _changed: bool = False
    _reading: Budget = field(default_factory=lambda: Budget(*READING))
    _naming: Budget = field(default_factory=lambda: Budget(*NAMING))
    _next_look: float = 0.0
    _next_naming: float = 0.0
    _next_tick: float = 0.0

    def run(self) -> None:
        """Until `stopping`; then what has ended is named and committed."""
        while not self.stopping:
            due = self.stream.due
            time.sleep(max(0.0, min(self._next_look, max(due, self._next_naming) if due is not None else LATER) - time.monotonic()))
            self.round()
            self.beat()
        self._next_look = self._next_naming = self._next_tick = 0.0
        self.round()

    def resume(self, position: Position, *, first: bool) -> None:
        """Read again, without counting, what was read before: attempts that ran when the last run died need their lines.

        first: this is a first run; what has ended in what is read again is history.
        """
        start = position.replay or self.follower.cursor
        if start is not None:  # what is read from here on must be read again after a death
            self._checkpoints.append((time.monotonic(), start))
        self._told = dict.fromkeys(self.state.reported_invocations(), time.monotonic())
        self.stream.told = dict(self._told)
        while position.done is not None and self.follower.cursor != position.done:
            table = self.follower.take(MOST_ENTRIES, until=position.done)
            if not len(table):
                break
            self.stream.feed(table, time.monotonic() - KEEP_ENDED_S)
        if first:
            self.stream.pass_over(time.monotonic())
            self._told = dict(self.stream.told)
            self._commit(time.monotonic(), [])

    def round(self) -> None:
        """One batch."""
        self.metrics.alive_at = time.monotonic()
        steady, now = time.monotonic(), time.time()
        alerts = self._taken(steady, now) + self._named(steady, now)
        if self.follower.torn:
            self.follower.torn = False
            alerts += self.tracker.lost(1, "the journal has deleted entries that were not read yet", now)
        alerts += self.tracker.stop(self.stream.waiting)
        ticks = steady >= self._next_tick
        if ticks:
            alerts += self.tracker.tick(steady, now)
            self.metrics.units(self.tracker, steady)
            self._next_tick = steady + TICK_S
        if alerts or (self._changed and ticks):
            self._commit(steady, [replace(alert, raised_at=now) for alert in alerts])

    def _taken(self, steady: float, now: float) -> list[Alert]:
        """Read what is new, and what it says at once."""
        if steady < self._next_look:
            return []
        table = self.follower.take(MOST_ENTRIES)
        self._next_look = steady + LOOK_S
        if not len(table):
            return []
        newest = table["time"][-1].as_py().timestamp()
        self.metrics.gauges["last_event_timestamp_seconds"].set(newest)
        self.metrics.gauges["watch_lag_seconds"].set(max(0.0, now - newest))
        self._changed = True
        try:
            alerts = self._seen(self.stream.feed(table, steady), steady, now)
        except Exception as error:  # noqa: BLE001 - no entry may end the watching
            alerts = self._given_up(f"{len(table)} entries could not be read", error, now)
        done = time.monotonic()
        if len(table) == MOST_ENTRIES:  # there is more, written while nobody watched: half of a core
            self._next_look = done + (done - steady)
        else:
            self._reading.spend(steady, done)
            self._next_look = max(steady + LOOK_S, self._reading.ready(done))
        return alerts

    def _named(self, steady: float, now: float) -> list[Alert]:
        """What has ended, or tells of a problem and goes on, and what is to be said of it."""
        begun = time.monotonic()
        if begun < self._next_naming or self.stream.due is None or begun < self.stream.due:
            return []
        alerts: list[Alert] = []
        try:
            ended, survived = self.stream.settle(steady)
            for attempt in ended:
                if self._watched(attempt.unit):
                    alerts += self.tracker.ended(attempt)
                    self.metrics.attempt(attempt, self.tracker)
            self._told |= {attempt.run: steady for attempt in ended}
            alerts += [alert for told in survived if self._watched(told.unit) for alert in self.tracker.goes_on(told)]
        except Exception as error:  # noqa: BLE001 - as above
            units = self.stream.give_up()
            alerts += self._given_up(f"the ends of {', '.join(sorted(units))} could not be named", error, now)
        self._changed = True
        done = time.monotonic()
        self._naming.spend(begun, done)
        self._next_naming = self._naming.ready(done)
        return alerts

    def _given_up(self, what: str, error: Exception, now: float) -> list[Alert]:
        self.say(f"{what}: {type(error).__name__}: {error}. Please report this.")
        return self.tracker.lost(1, what, now)

    def _seen(self, seen: Seen, steady: float, now: float) -> list[Alert]:
        self.tracker.host = seen.host or self.tracker.host
        self.tracker.booted(seen.boot)
        self.metrics.counters["journal_lost_lines"].inc(seen.dropped)
        found = self.tracker.lost(seen.dropped, f"journald dropped {seen.dropped}", now)
        for restart in seen.restarts:
            if self._watched(restart.unit):
                found += self.tracker.restarted(restart)
                self.metrics.restart(restart.unit)
        for unit, run in seen.started:
            if self._watched(unit):
                self.tracker.started(unit, run, steady)
        for unit, moment in seen.stopped:
            if self._watched(unit):
                self.tracker.stopped(unit, moment.timestamp())
        return found

    def _commit(self, steady: float, alerts: list[Alert]) -> None:
        cursor = self.follower.cursor
        if cursor is not None and (not self._checkpoints or steady - self._checkpoints[-1][0] >= REPLAY_S / 10):
            self._checkpoints.append((steady, cursor))
        while len(self._checkpoints) > 1 and steady - self._checkpoints[1][0] >= REPLAY_S:
            self._checkpoints.popleft()
        replay = self._checkpoints[0][1] if self._checkpoints else None
        # before what is resolved is queued, or a sink that gets these again could hear of it as open after its end
        self.delivery.open_alerts = tuple(self.tracker.open.values())
        names = tuple(self.delivery.sinks)
        for name in self.state.commit(Position(cursor, replay), self.tracker.stored(), alerts, names, self._told, steady - TOLD_S):
            self.metrics.refused(name)
        self._told, self._changed = {}, False
        self.stream.told = {run: at for run, at in self.stream.told.items() if at >= steady - TOLD_S}
        if alerts:
            self.delivery.wake()

    def _watched(self, unit: str) -> bool:
        return any(fnmatch.fnmatchcase(unit, wanted) for wanted in self.units)
