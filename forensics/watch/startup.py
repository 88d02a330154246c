"""Decide where `watch` starts reading: after its last position, or on a first run at the end of the journal with a baseline."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forensics.journal.follow import Follower, open_follower
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker

LEAD = timedelta(minutes=5)  # read before the start without counting: running attempts need the lines they already logged
EPOCH = datetime.fromtimestamp(0, UTC)
MICROSECOND = timedelta(microseconds=1)
_TIME = re.compile(r"(?:^|;)t=([0-9a-f]{1,13})(?:;|$)")


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
    return _first_run(state, journal, since, baseline) if stored is None else _resume(journal, state.position(), stored)


def _first_run(state: State, journal: Path | None, since: datetime | None, baseline: Callable[[datetime], Tracker]) -> Startup:
    interrupted = state.position().done if since is None else None  # a first run was killed while it read its baseline
    if interrupted is not None and (before := time_of(interrupted)) is not None:
        follower = open_follower(journal, after=interrupted)
        if follower.torn:
            return Startup(follower, Position(), baseline(before + MICROSECOND), first=True)
        return _with_baseline(journal, interrupted, before, baseline)
    # the position first: what is written while the baseline is read is followed afterwards
    end = open_follower(journal, since=since)
    if end.time is None or end.cursor is None:
        return Startup(end, Position(), Tracker(), first=True)
    state.begin(Position(done=end.cursor))
    return _with_baseline(journal, end.cursor, end.time, baseline)


def _with_baseline(journal: Path | None, cursor: str, time: datetime, baseline: Callable[[datetime], Tracker]) -> Startup:
    tracker = baseline(time + MICROSECOND)
    return Startup(open_follower(journal, since=time - LEAD), Position(done=cursor), tracker, first=True)


def time_of(cursor: str) -> datetime | None:
    """Return when the entry of a cursor was written (sd_journal_get_cursor(3): t=, in µs); null for one that has no time."""
    written = _TIME.search(cursor)
    return EPOCH + int(written[1], 16) * MICROSECOND if written else None


def _resume(journal: Path | None, position: Position, tracker: Tracker) -> Startup:
    if position.done is None:  # the journal was empty
        return Startup(open_follower(journal, since=EPOCH), position, tracker, first=False)
    follower = open_follower(journal, after=position.replay)
    if not follower.torn:
        return Startup(follower, position, tracker, first=False)
    # the lines of attempts that were running are deleted; perhaps not what came after
    return Startup(open_follower(journal, after=position.done), Position(), tracker, first=False)
