"""The loop of `watch` over a journal that a test writes: what is counted once, what outlives a death, what ends nothing."""

from contextlib import closing

import pytest

from forensics.watch import loop, tracked
from forensics.watch.state import Position, State
from forensics.watch.stream import ROUTINE_S, Stream
from tests.watch.live import Journal, alerts, watching
from tests.watch.streams import TRACEBACK, rows_of


def goes_through(watch, clock, journal, step):
    """The journal's rows, `step` at a time, half a second apart, and then rest."""
    while journal.visible < len(journal.rows):
        journal.visible += step
        watch.round()
        clock.pass_(0.5)
    for _ in range(6):
        clock.pass_(ROUTINE_S)
        watch.round()


def failures(watch):
    """How often the unit failed of the missing library."""
    ((key, known),) = watch.tracker.classes.items()
    assert (key[0].unit, key[1]) == ("a.service", "loader.libstdcxx-missing")
    return known.count


LOOP = [("FutileRestart", "a.service"), ("NewFailureSignature", "a.service"), ("RestartLoop", "a.service")]


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_loop_is_alerted_once_however_it_comes(tmp_path, known, clock, step):
    journal = Journal(rows_of(tmp_path, line=TRACEBACK, restarts=9), visible=0)
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, journal, known)
        goes_through(watch, clock, journal, step)
        assert alerts(state) == LOOP
        assert failures(watch) == 10


@pytest.mark.parametrize("killed_after", range(0, 47, 3))
def test_a_crash_at_any_entry_loses_and_repeats_nothing(tmp_path, known, clock, killed_after):
    rows = rows_of(tmp_path, line=TRACEBACK, restarts=9)
    with closing(State.open(tmp_path)) as state:
        journal = Journal(rows, visible=0)
        first = watching(state, journal, known)
        first.resume(Position(), first=True)
        for _ in range(killed_after):
            journal.visible += 1
            first.round()
            clock.pass_(0.3)
    with closing(State.open(tmp_path)) as state:
        journal = Journal(rows, visible=0)
        journal.visible = journal.visible or len(rows)
        stored = state.tracker()
        second = watching(state, journal, known, stored)
        second.resume(state.position(), first=False)
        goes_through(second, clock, journal, 1000)
        assert alerts(state) == LOOP
        assert failures(second) == 10


@pytest.mark.parametrize("jump", [-86400 * 365, 86400 * 365])
def test_a_jump_of_the_wall_clock_raises_nothing_and_forgets_nothing(tmp_path, known, clock, jump):
    journal = Journal(rows_of(tmp_path, line=TRACEBACK, restarts=9), visible=0)
    for row in journal.rows[20:]:
        row["__REALTIME_TIMESTAMP"] = str(int(row["__REALTIME_TIMESTAMP"]) + jump * 1_000_000)
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, journal, known)
        while journal.visible < len(journal.rows):
            journal.visible += 5
            watch.round()
            clock.pass_(0.5)
            clock.wall += jump if journal.visible == 20 else 0
        goes_through(watch, clock, journal, 1000)
        assert alerts(state) == LOOP
        assert failures(watch) == 10


def test_what_is_not_watched_raises_nothing(tmp_path, known, clock):
    journal = Journal(rows_of(tmp_path, line=TRACEBACK), visible=0)
    with closing(State.open(tmp_path)) as state:
        goes_through(watching(state, journal, known, units=("b*", "c.service")), clock, journal, 5)
        assert alerts(state) == []


@pytest.mark.parametrize(("own", "raised"), [("a.service", []), ("b.service", [("NewFailureSignature", "a.service")])])
def test_what_watch_itself_logs_raises_nothing(tmp_path, known, clock, own, raised):
    journal = Journal(rows_of(tmp_path, line=TRACEBACK)[:2], visible=0)  # it has started, and logs an error
    with closing(State.open(tmp_path)) as state:
        goes_through(watching(state, journal, known, own_unit=own), clock, journal, 2)
        assert alerts(state) == raised


def test_the_own_unit_is_read_from_the_cgroup(tmp_path, monkeypatch):
    monkeypatch.setattr(tracked, "CGROUP", tmp_path / "cgroup")
    assert tracked.own_unit() == ""
    (tmp_path / "cgroup").write_text("0::/system.slice/tabby-forensics.service/sub\n")
    assert tracked.own_unit() == "tabby-forensics.service"


def test_entries_that_were_deleted_before_they_were_read_are_a_loss(tmp_path, known, clock):
    with closing(State.open(tmp_path)) as state:
        journal = Journal([], visible=0)
        watch = watching(state, journal, known)
        journal.torn = True
        watch.round()
        watch.round()
        assert alerts(state) == [("JournalLoss", "")]


@pytest.mark.parametrize(("part", "lost"), [("feed", False), ("settle", True)])
def test_what_breaks_once_ends_nothing_and_is_lost_only_where_it_cannot_be_tried_again(tmp_path, known, clock, monkeypatch, part, lost):
    """A batch is tried again by halves; what breaks every time is in test_poison."""
    journal, said, whole = Journal(rows_of(tmp_path, line=TRACEBACK), visible=0), [], getattr(Stream, part)

    def breaks(*_):
        monkeypatch.setattr(Stream, part, whole)
        raise ValueError("no such column")

    monkeypatch.setattr(Stream, part, breaks)
    with closing(State.open(tmp_path)) as state:
        goes_through(watching(state, journal, known, say=said.append), clock, journal, 8)
        raised = alerts(state)
    assert (("JournalLoss", "") in raised) == lost
    assert ("NewFailureSignature", "a.service") in raised  # of a later attempt
    assert ["no such column" in line for line in said] == [True] * lost


def test_while_nothing_is_raised_the_disk_is_written_once_a_second(tmp_path, known, clock, monkeypatch):
    journal, commits = Journal(rows_of(tmp_path, line="INFO: fine", restarts=0)[:2] * 100, visible=0), []
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, journal, known)
        commit = State.commit
        monkeypatch.setattr(State, "commit", lambda *given: commits.append(clock.steady) or commit(*given))
        for _ in range(100):
            journal.visible += 1
            watch.round()
            clock.pass_(0.1)
    assert len(commits) <= 11


def test_a_backlog_is_read_at_once_and_a_storm_at_half_of_a_core(tmp_path, known, clock, monkeypatch):
    monkeypatch.setattr(loop, "MOST_ENTRIES", 10)
    row = rows_of(tmp_path, line="INFO: fine", restarts=0)[0]
    journal, begun, read_at = Journal([row] * 500), clock.steady, []
    take = journal.take
    journal.take = lambda most: clock.pass_(0.25) or read_at.append(clock.steady - begun) or take(most)  # it takes a quarter of a second
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, journal, known)
        while journal.taken < len(journal.rows):
            clock.pass_(max(0.0, watch._next_read - clock.steady))
            watch.round()
    assert read_at[3] == 1.0
    assert 0.5 <= read_at.index(read_at[-1]) * 0.25 / read_at[-1] < 0.6


def test_it_ends_when_it_is_asked_to_and_keeps_its_place(tmp_path, known):
    journal = Journal(rows_of(tmp_path, line=TRACEBACK), visible=0)
    journal.visible = 3
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, journal, known)
        watch.beat = lambda: setattr(watch, "stopping", True)
        watch.run()
        assert state.position().done == journal.rows[2]["__CURSOR"]
