"""Decide where `watch` starts reading: after its last position, or on a first run at the end of the journal with a baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forensics.journal.follow import Follower, open_follower
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker

LEAD = timedelta(minutes=5)  # read before the start without counting: running attempts need the lines they already logged
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Startup:
    """follower: the journal; entries up to `position.done` are read again without counting. first: whether this is a first run."""

    follower: Follower
    position: Position
    tracker: Tracker
    first: bool


def start(state: State, journal: Path | None, since: datetime | None, baseline: Callable[[datetime], Tracker]) -> Startup:
    """Resume, or start a first run at `since`, by default now. Raises ForensicsError when the journal cannot be opened.

    journal: its directory, None for the host's own. baseline: the known failures before a time.
    """
    stored = state.tracker()
    return _first_run(journal, since, baseline) if stored is None else _resume(journal, state.position(), stored)


def _first_run(journal: Path | None, since: datetime | None, baseline: Callable[[datetime], Tracker]) -> Startup:
    # the position first: what is written while the baseline is read is followed afterwards
    end = open_follower(journal, since=since)
    if end.time is None:
        return Startup(end, Position(), Tracker(), first=True)
    tracker = baseline(end.time + timedelta(microseconds=1))
    return Startup(open_follower(journal, since=end.time - LEAD), Position(done=end.cursor), tracker, first=True)


def _resume(journal: Path | None, position: Position, tracker: Tracker) -> Startup:
    if position.done is None:  # the journal was empty
        return Startup(open_follower(journal, since=EPOCH), position, tracker, first=False)
    follower = open_follower(journal, after=position.replay)
    if not follower.torn:
        return Startup(follower, position, tracker, first=False)
    # the lines of attempts that were running are deleted; perhaps not what came after
    return Startup(open_follower(journal, after=position.done), Position(), tracker, first=False)
