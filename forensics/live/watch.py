"""The loop of `watch`: journal → stream → tracker → state and sinks."""

from __future__ import annotations

import fnmatch
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from forensics.journal.follow import Follower
from forensics.live.alert import Alert
from forensics.live.delivery import Delivery
from forensics.live.metrics import Metrics
from forensics.live.state import Position, State
from forensics.live.stream import Ended, Seen, Stream, Survived
from forensics.live.tracker import Tracker

MOST_ENTRIES = 5000  # a batch
WAIT_S, IDLE_S = 0.1, 2.0  # between two looks while an end settles, and while nothing is going on; a new entry ends both
REST = 2.0  # times the cost of the last naming that the next one waits: naming takes at most a third of a core
REPLAY_S = 300.0  # how much of the past is read again after a death, for the attempts that still ran
TOLD_S = 2 * REPLAY_S  # how long an attempt that counted is remembered: longer than it can be read again


@dataclass(slots=True)
class Watch:
    """beat: called once a round, for the service manager's watchdog."""

    follower: Follower
    stream: Stream
    tracker: Tracker
    state: State
    delivery: Delivery
    metrics: Metrics
    units: tuple[str, ...] = ("*",)
    beat: Callable[[], None] = lambda: None
    stopping: bool = False
    _checkpoints: deque[tuple[float, str]] = field(default_factory=deque)
    _next_naming: float = 0.0

    def run(self) -> None:
        """Until `stopping`; then what has ended is named and committed."""
        while not self.stopping:
            self.follower.wait(WAIT_S if self.stream.is_busy else IDLE_S)
            self.round()
            self.beat()
        self._next_naming = 0.0
        self.round()

    def resume(self, position: Position) -> None:
        """Read again, without counting, what was read before: attempts that ran when the last run died need their lines."""
        start = position.replay or self.follower.cursor
        if start is not None:  # what is read from here on must be read again after a death
            self._checkpoints.append((time.monotonic(), start))
        self.stream.told = self.state.told()
        while position.done is not None and self.follower.cursor != position.done:
            table = self.follower.take(MOST_ENTRIES, until=position.done)
            if not len(table):
                break
            self.stream.feed(table, time.monotonic())

    def round(self) -> None:
        """One batch."""
        steady, now = time.monotonic(), time.time()
        table = self.follower.take(MOST_ENTRIES)
        alerts: list[Alert] = []
        stopped: list[tuple[str, datetime]] = []
        if len(table):
            newest = table["time"][-1].as_py().timestamp()
            self.metrics.gauges["last_event_timestamp_seconds"].set(newest)
            self.metrics.gauges["watch_lag_seconds"].set(max(0.0, now - newest))
            seen = self.stream.feed(table, steady)
            alerts += self._seen(seen, steady, now)
            stopped = [stop for stop in seen.stopped if self._watched(stop[0])]
        ended, survived = self._settled(steady, now)
        alerts += self._ended(ended)
        alerts += [alert for told in survived if self._watched(told.unit) for alert in self.tracker.goes_on(told)]
        for unit, moment in stopped:  # after what failed before it
            alerts += self.tracker.stopped(unit, moment.timestamp())
        alerts += self.tracker.tick(steady, now)
        self.metrics.units(self.tracker, steady)
        if len(table) or alerts or ended:
            self._commit(steady, now, alerts, {attempt.key: now for attempt in ended})

    def _seen(self, seen: Seen, steady: float, now: float) -> list[Alert]:
        self.tracker.host = seen.host or self.tracker.host
        found = self.tracker.lines_lost(seen.dropped, now)
        self.metrics.counters["journal_lost_lines"].inc(seen.dropped)
        for unit, moment in seen.restarts:
            if self._watched(unit):
                self.metrics.restart(unit)
                found += self.tracker.restarted(unit, moment.timestamp())
        for unit in seen.started:
            if self._watched(unit):
                self.tracker.started(unit, steady)
        return found

    def _settled(self, steady: float, now: float) -> tuple[tuple[Ended, ...], tuple[Survived, ...]]:
        if steady < self._next_naming:
            return (), ()
        settled = self.stream.settle(steady, now)
        done = time.monotonic()
        self._next_naming = done + REST * (done - steady)
        return settled

    def _ended(self, ended: tuple[Ended, ...]) -> list[Alert]:
        found: list[Alert] = []
        for attempt in ended:
            if self._watched(attempt.unit):
                found += self.tracker.ended(attempt)
                self.metrics.attempt(attempt, self.tracker)
        return found

    def _commit(self, steady: float, now: float, alerts: list[Alert], told: dict[str, float]) -> None:
        cursor = self.follower.cursor
        if cursor is not None and (not self._checkpoints or steady - self._checkpoints[-1][0] >= REPLAY_S / 10):
            self._checkpoints.append((steady, cursor))
        while len(self._checkpoints) > 1 and steady - self._checkpoints[1][0] >= REPLAY_S:
            self._checkpoints.popleft()
        replay = self._checkpoints[0][1] if self._checkpoints else None
        names = tuple(self.delivery.sinks)
        for name in self.state.commit(Position(cursor, replay), self.tracker.stored(), alerts, names, told, now - TOLD_S):
            self.metrics.refused(name)
        self.stream.told = {key: at for key, at in self.stream.told.items() if at >= now - TOLD_S}
        self.delivery.open_alerts = tuple(self.tracker.open.values())
        if alerts:
            self.delivery.wake()

    def _watched(self, unit: str) -> bool:
        return any(fnmatch.fnmatchcase(unit, wanted) for wanted in self.units)
