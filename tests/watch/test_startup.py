"""Where `watch` begins, on real journal files: a first run, one after a death, one whose place is deleted."""

import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from forensics.watch.startup import start
from forensics.watch.state import Position, State
from forensics.watch.tracked import Class
from forensics.watch.tracker import Tracker
from tests.journal.oracle import needs_systemd
from tests.store.making import MINUTE, START, journal

pytest.importorskip("systemd.journal")
pytestmark = [pytest.mark.real, needs_systemd]


def at(minutes):
    return datetime.fromtimestamp((START + minutes * MINUTE) / 1e6, UTC)


def learns(asked):
    def learn(until):
        asked.append(until)
        tracker = Tracker()
        tracker.learn("a.service", "x.y", Class(1.0, 2.0))
        return tracker

    return learn


def rest(begun):
    return len(begun.follower.take(1000))


def test_a_first_run_begins_at_the_end_with_what_history_teaches(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    asked = []
    with closing(State.open(tmp_path / "state")) as state:
        begun = start(state, tmp_path, None, learns(asked))
        assert (begun.first, list(begun.tracker.classes)) == (True, ["a.service x.y"])
        assert asked == [at(49) + timedelta(microseconds=1)]
        assert 1 <= rest(begun) <= 6  # the last minutes, which are read without counting
        assert begun.follower.cursor == begun.position.done


def test_a_first_run_may_begin_earlier(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    asked = []
    with closing(State.open(tmp_path / "state")) as state:
        begun = start(state, tmp_path, at(20) - timedelta(seconds=1), learns(asked))
        assert asked == [at(19) + timedelta(microseconds=1)]
        assert 30 <= rest(begun) <= 36


def test_a_journal_that_begins_later_is_read_from_its_start(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state:
        begun = start(state, tmp_path, at(-10), learns([]))
        assert (begun.first, begun.position, rest(begun)) == (True, Position(), 50)


def test_a_next_run_goes_on_where_the_last_one_was(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state:
        first = start(state, tmp_path, at(0), learns([]))
        first.follower.take(10)
        place = first.follower.cursor
        state.commit(Position(place, place), Tracker().stored(), [], (), {}, 0)
        begun = start(state, tmp_path, at(0), pytest.fail)
        assert (begun.first, begun.follower.torn, rest(begun)) == (False, False, 40)


def test_a_place_that_is_deleted_is_a_loss_and_all_that_is_left_is_read(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state:
        place = start(state, tmp_path, None, learns([])).position.done
        state.commit(Position(place, place), Tracker().stored(), [], (), {}, 0)
        (tmp_path / "a.journal").unlink()
        journal(tmp_path / "b.journal", 100, 20)
        begun = start(state, tmp_path, None, pytest.fail)
        assert (begun.follower.torn, begun.position, rest(begun)) == (True, Position(), 20)


def test_where_only_what_is_read_again_is_deleted_nothing_is_lost(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    journal(tmp_path / "b.journal", 100, 20)
    with closing(State.open(tmp_path / "state")) as state:
        follower = start(state, tmp_path, at(0), learns([])).follower
        follower.take(5)
        replay = follower.cursor
        follower.take(50)
        state.commit(Position(follower.cursor, replay), Tracker().stored(), [], (), {}, 0)
        (tmp_path / "a.journal").unlink()
        begun = start(state, tmp_path, None, pytest.fail)
        assert (begun.follower.torn, rest(begun)) == (False, 15)


def test_an_empty_journal_is_waited_on(tmp_path):
    (tmp_path / "journal").mkdir()
    with closing(State.open(tmp_path / "state")) as state:
        begun = start(state, tmp_path / "journal", None, pytest.fail)
        assert rest(begun) == 0
        journal(tmp_path / "a.journal", 0, 5)
        shutil.move(tmp_path / "a.journal", tmp_path / "journal/a.journal")
        assert rest(begun) == 5
        state.commit(Position(None, None), Tracker().stored(), [], (), {}, 0)
        assert rest(start(state, tmp_path / "journal", None, pytest.fail)) == 5
