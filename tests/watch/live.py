"""A `watch` over rows that a test lets it see, with a clock that a test moves."""

from __future__ import annotations

from typing import Any

import pytest

from forensics.alerting.delivery import Delivery
from forensics.classes.overrides import Overrides
from forensics.journal.json_lines import table_of
from forensics.resources import folder
from forensics.signatures import catalogue
from forensics.watch import loop
from forensics.watch.loop import Watch
from forensics.watch.metrics import Metrics
from forensics.watch.stream import ROUTINE_S, Stream
from forensics.watch.tracker import Tracker


class Journal:
    """A follower of rows; `taken` is its place, `visible` how many of them it can see."""

    def __init__(self, rows, taken=0, visible=None):
        self.rows, self.taken, self.cursor, self.torn = rows, taken, None, False
        self.visible = len(rows) if visible is None else visible

    def take(self, most, until=None):
        rows = self.rows[self.taken : min(self.visible, self.taken + most)]
        cursors = [row["__CURSOR"] for row in rows]
        rows = rows[: cursors.index(until) + 1] if until in cursors else rows
        number, self.taken = self.taken, self.taken + len(rows)
        self.cursor = rows[-1]["__CURSOR"] if rows else self.cursor
        return table_of(rows, [1] * len(rows), "live", number)


class Clock:
    """time.monotonic and time.time, of which a test moves each."""

    def __init__(self):
        self.steady, self.wall = 1000.0, 1_765_000_000.0

    def monotonic(self):
        return self.steady

    def time(self):
        return self.wall

    def pass_(self, seconds):
        self.steady, self.wall = self.steady + seconds, self.wall + seconds


@pytest.fixture(scope="module")
def known():
    return catalogue.load((folder("patterns"),))


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(loop, "time", made)
    return made


def watching(state, journal, known, tracker: Tracker | None = None, **options: Any) -> Watch:
    delivery = Delivery(state.queue, {"hook": None}, lambda _: None)
    return Watch(journal, Stream(known, Overrides()), tracker or Tracker(), state, delivery, Metrics(), **options)


def rounds(watch: Watch, clock: Clock, count: int = 8) -> None:
    for _ in range(count):
        watch.round()
        clock.pass_(ROUTINE_S)


def alerts(state) -> list[tuple[str, str]]:
    """(alertname, unit) of all that wait for the sink."""
    waiting = []
    while (found := state.queue.oldest("hook")) is not None:
        waiting.append((found[1].name, found[1].unit))
        state.queue.remove(found[0])
    return sorted(waiting)
