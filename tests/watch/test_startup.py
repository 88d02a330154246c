"""Where `watch` starts, on real journal files: a first run, a restart, a restart whose position was deleted."""

import shutil
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from forensics.model.values import UnitKey
from forensics.policy.class_state import ClassState
from forensics.watch.startup import start
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker
from tests.journal.oracle import needs_systemd
from tests.store.making import MINUTE, START, journal

pytest.importorskip("systemd.journal")
pytestmark = [pytest.mark.real, needs_systemd]


A = UnitKey("m", "system", "a.service")


def at(minutes):
    return datetime.fromtimestamp((START + minutes * MINUTE) / 1e6, UTC)


def baseline(asked):
    def read(until):
        asked.append(until)
        tracker = Tracker()
        tracker.learn(A, "x.y", ClassState(1.0, 2.0))
        return tracker

    return read


def unread(startup):
    return len(startup.follower.take(1000))


def test_a_first_run_starts_at_the_end_with_a_baseline_from_history(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    asked = []
    with closing(State.open(tmp_path / "state")) as state:
        startup = start(state, tmp_path, None, baseline(asked))
        assert (startup.first, list(startup.tracker.classes)) == (True, [(A, "x.y")])
        assert asked == [at(49) + timedelta(microseconds=1)]
        assert 1 <= unread(startup) <= 6  # the last minutes, which are read without counting
        assert startup.follower.cursor == startup.position.done


def test_a_first_run_may_start_earlier(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    asked = []
    with closing(State.open(tmp_path / "state")) as state:
        startup = start(state, tmp_path, at(20) - timedelta(seconds=1), baseline(asked))
        assert asked == [at(19) + timedelta(microseconds=1)]
        assert 30 <= unread(startup) <= 36


def test_a_journal_that_begins_later_is_read_from_its_start(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state:
        startup = start(state, tmp_path, at(-10), baseline([]))
        assert (startup.first, startup.position, unread(startup)) == (True, Position(), 50)


def test_a_restart_resumes_at_the_last_position(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state:
        first = start(state, tmp_path, at(0), baseline([]))
        first.follower.take(10)
        place = first.follower.cursor
        state.commit(Position(place, place), Tracker(), [], (), {}, 0)
        startup = start(state, tmp_path, at(0), pytest.fail)
        assert (startup.first, startup.follower.torn, unread(startup)) == (False, False, 40)


def test_a_position_that_is_deleted_is_a_loss_and_all_that_is_left_is_read(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state:
        place = start(state, tmp_path, None, baseline([])).position.done
        state.commit(Position(place, place), Tracker(), [], (), {}, 0)
        (tmp_path / "a.journal").unlink()
        journal(tmp_path / "b.journal", 100, 20)
        startup = start(state, tmp_path, None, pytest.fail)
        assert (startup.follower.torn, startup.position, unread(startup)) == (True, Position(), 20)


def test_where_only_what_is_read_again_is_deleted_nothing_is_lost(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    journal(tmp_path / "b.journal", 100, 20)
    with closing(State.open(tmp_path / "state")) as state:
        follower = start(state, tmp_path, at(0), baseline([])).follower
        follower.take(5)
        replay = follower.cursor
        follower.take(50)
        state.commit(Position(follower.cursor, replay), Tracker(), [], (), {}, 0)
        (tmp_path / "a.journal").unlink()
        startup = start(state, tmp_path, None, pytest.fail)
        assert (startup.follower.torn, unread(startup)) == (False, 15)


def test_an_empty_journal_is_waited_for(tmp_path):
    (tmp_path / "journal").mkdir()
    with closing(State.open(tmp_path / "state")) as state:
        startup = start(state, tmp_path / "journal", None, pytest.fail)
        assert unread(startup) == 0
        journal(tmp_path / "a.journal", 0, 5)
        shutil.move(tmp_path / "a.journal", tmp_path / "journal/a.journal")
        assert unread(startup) == 5
        state.commit(Position(None, None), Tracker(), [], (), {}, 0)
        assert unread(start(state, tmp_path / "journal", None, pytest.fail)) == 5


def test_a_first_run_that_was_killed_while_it_read_history_starts_where_it_had_started(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)

    def killed(_):
        journal(tmp_path / "b.journal", 100, 20)  # what is written meanwhile
        raise SystemExit

    with closing(State.open(tmp_path / "state")) as state, pytest.raises(SystemExit):
        start(state, tmp_path, None, killed)
    asked = []
    with closing(State.open(tmp_path / "state")) as state:
        assert state.is_new
        startup = start(state, tmp_path, None, baseline(asked))
        assert (startup.first, asked) == (True, [at(49) + timedelta(microseconds=1)])
        startup.follower.take(1000, until=startup.position.done)
        assert unread(startup) == 20  # all of it counts, and nothing before it


def test_where_its_place_is_deleted_since_all_that_is_left_counts(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state, pytest.raises(SystemExit):
        start(state, tmp_path, None, lambda _: sys.exit())
    (tmp_path / "a.journal").unlink()
    journal(tmp_path / "b.journal", 100, 20)
    asked = []
    with closing(State.open(tmp_path / "state")) as state:
        startup = start(state, tmp_path, None, baseline(asked))
        assert asked == [at(49) + timedelta(microseconds=1)]
        assert (startup.first, startup.follower.torn, startup.position, unread(startup)) == (True, True, Position(), 20)


def test_since_comes_before_where_a_killed_first_run_had_started(tmp_path):
    journal(tmp_path / "a.journal", 0, 50)
    with closing(State.open(tmp_path / "state")) as state, pytest.raises(SystemExit):
        start(state, tmp_path, None, lambda _: sys.exit())
    asked = []
    with closing(State.open(tmp_path / "state")) as state:
        start(state, tmp_path, at(20) - timedelta(seconds=1), baseline(asked))
    assert asked == [at(19) + timedelta(microseconds=1)]
