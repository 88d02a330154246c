"""What a unit logged in good times is known after a restart of `watch`, and to the gate: the same failure has the same name."""

import json
import sqlite3
from contextlib import closing

import polars as pl
import pytest

from forensics.classes.overrides import Overrides
from forensics.guard.gate.logged_before import good_times
from forensics.guard.gate.naming import Ending, last_class
from forensics.guard.systemctl import Manager
from forensics.signatures.contrast import MOST_PROBLEMS
from forensics.watch.logged_before import LoggedBefore, by_unit, past_of
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker
from tests.attempts import building
from tests.watch.live import Journal, alerts, rounds, watching

UNIT = "app.service"
NOISE, REASON = "ERROR: the sensor {} does not answer", "the lock file is damaged"
HELD = 7200.0


def lines(*, ends_well):
    """Rows of an attempt that holds for two hours, and logs noise; where it ends well, of one more, which fails at once."""
    journal = building.Journal(UNIT)
    journal.manager("started", "a" * 32, JOB_TYPE="start", JOB_RESULT="done")
    journal.writes("a" * 32, NOISE.format(3), after=HELD / 2)
    journal.writes("a" * 32, "a request", after=HELD / 2)
    running, run = len(journal.lines), "a" * 32
    if ends_well:
        journal.manager("stopping", run, JOB_TYPE="stop", after=100)
        journal.manager("well", run)
        journal.manager("stopped", run, JOB_TYPE="stop", JOB_RESULT="done")
        running, run = len(journal.lines), "b" * 32
        journal.manager("started", run, JOB_TYPE="start", JOB_RESULT="done")
    journal.writes(run, NOISE.format(17), after=100)
    journal.writes(run, REASON)
    journal.dies(run)
    return [line | {"__CURSOR": f"s={'a' * 32};i={number:x}"} for number, line in enumerate(journal.lines)], running


def named(state, rows, stops, known, clock, *, restarted):
    """The titles of failures, where `watch` stops after so many rows and, if restarted, has read all of them for good."""
    first = watching(state, Journal(rows, visible=0), known)
    first.resume(Position(), first=True)
    first.follower.visible = stops if restarted else len(rows)
    rounds(first, clock, 2)
    first.stopping = True
    first.run()
    last = first
    if restarted:
        done = state.position().done
        last = watching(state, Journal(rows, taken=stops), known, state.tracker())
        last.follower.cursor = done
        last.resume(Position(done=done), first=False)
        rounds(last, clock, 2)
        last.stopping = True
        last.run()
    alerts(state)
    return sorted({signature for _, signature in last.tracker.classes})


@pytest.mark.parametrize("ends_well", [True, False], ids=["an attempt before it held", "the attempt itself held"])
def test_a_failure_has_the_same_name_before_and_after_a_restart_of_watch(tmp_path, known, clock, ends_well):
    rows, stops = lines(ends_well=ends_well)
    found = []
    for restarted in (False, True):
        with closing(State.open(tmp_path / str(restarted))) as state:
            found.append(named(state, rows, stops, known, clock, restarted=restarted))
    assert found[0] == found[1] != []


def test_the_gate_names_it_as_watch_does(tmp_path, known, clock, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    manager, (rows, stops) = Manager(is_users=True), lines(ends_well=True)
    with closing(State.open(tmp_path / "tabby-forensics" / "watch")) as state:
        names = named(state, rows, stops, known, clock, restarted=False)
    past = good_times(manager, UNIT)
    newest, ending = rows[stops:-2], Ending(UNIT, "b" * 32, "exit-code")
    assert [last_class(newest, Manager(), ending, known, Overrides(), past)[0].id] == names
    assert last_class(newest, Manager(), ending, known, Overrides())[0].id not in names, "without a good time there is nothing to compare"


def test_what_is_written_is_read_and_no_more_than_is_compared_with():
    units = {("m", "system", f"{name}.service"): LoggedBefore([f"{n:016x}" for n in range(2000)], ["f" * 16]) for name in "ab"}
    past = past_of(units)
    assert past.group_by("unit", "held").len().filter("held")["len"].to_list() == [MOST_PROBLEMS] * 2
    assert past_of(by_unit(past)).equals(past)
    assert past_of({("m", "system", "a.service"): LoggedBefore(["x", "y" * 5000])}).is_empty()


@pytest.mark.parametrize("damage", ["", "[]", '{"held": [1]}', '{"held": ["' + "f" * 16, "[" * 3000])
def test_a_damaged_state_is_no_past_for_the_gate_and_none_for_watch(tmp_path, monkeypatch, damage):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    directory = tmp_path / "tabby-forensics" / "watch"
    tracker = Tracker(logged={("m", "system", UNIT): LoggedBefore(["f" * 16])})
    with closing(State.open(directory)) as state:
        state.commit(Position(), tracker, [], [], {}, 0.0)
    assert good_times(Manager(is_users=True), UNIT).height == 1
    with closing(sqlite3.connect(directory / "watch.sqlite")) as disk, disk:
        disk.execute("update tracked set value = ? where kind = 'logged'", (damage,))
    assert good_times(Manager(is_users=True), UNIT).is_empty()
    said = []
    with closing(State.open(directory, said.append)) as state:
        assert state.tracker() is None
    assert len(said) == 1


def test_without_a_state_the_gate_has_no_past(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert isinstance(good_times(Manager(is_users=True), UNIT), pl.DataFrame)
    (tmp_path / "tabby-forensics" / "watch").mkdir(parents=True)
    (tmp_path / "tabby-forensics" / "watch" / "watch.sqlite").write_text(json.dumps("no database"))
    assert good_times(Manager(is_users=True), UNIT).is_empty()
