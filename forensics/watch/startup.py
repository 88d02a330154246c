"""Where `watch` begins: at the place and with the knowledge of its last run, or, at first, with what history teaches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from forensics.journal.follow import Follower, open_follower
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker, tracker_of

BEFORE = timedelta(minutes=5)  # that a first run reads without counting: what runs at its start has said something already
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Beginning:
    """follower: where reading begins; up to `position.done` it is reading again, without counting. first: whether this is a first run."""

    follower: Follower
    position: Position
    tracker: Tracker
    first: bool


def beginning(state: State, folder: Path | None, since: datetime | None, learn: Callable[[datetime], Tracker]) -> Beginning:
    """folder: of the journal, None for the host's own. since: from when on a first run counts, None for now.

    learn: what is known of the time before a moment. Raises ForensicsError when the journal cannot be opened.
    """
    stored = state.tracker()
    return _first(folder, since, learn) if stored is None else _again(folder, state.position(), tracker_of(stored))


def _first(folder: Path | None, since: datetime | None, learn: Callable[[datetime], Tracker]) -> Beginning:
    # the place first: what is written while history is learned is read afterwards
    place = open_follower(folder, since=since)
    if place.time is None:
        return Beginning(place, Position(), Tracker(), first=True)
    tracker = learn(place.time + timedelta(microseconds=1))
    return Beginning(open_follower(folder, since=place.time - BEFORE), Position(done=place.cursor), tracker, first=True)


def _again(folder: Path | None, position: Position, tracker: Tracker) -> Beginning:
    if position.done is None:  # the journal was empty
        return Beginning(open_follower(folder, since=EPOCH), position, tracker, first=False)
    follower = open_follower(folder, after=position.replay)
    if not follower.torn:
        return Beginning(follower, position, tracker, first=False)
    # what attempts that ran had said is deleted; perhaps not what came after
    return Beginning(open_follower(folder, after=position.done), Position(), tracker, first=False)
