"""The baseline: the classes of history, which of them are over, and what is running."""

import json
import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest

from forensics.errors import UsageError
from forensics.model.moments import Moment
from forensics.model.values import UnitKey
from forensics.policy.limits import HELD_S
from forensics.query import Query, Sources
from forensics.resources import folder as resource
from forensics.watch import baseline, baseline_process, portions
from forensics.watch.baseline import read_baseline
from forensics.watch.batch import BatchFacts, Boot
from forensics.watch.learning import Learning, StoppedError
from forensics.watch.metrics import Metrics
from forensics.watch.tracker import Tracker
from tests.attempts.building import T0, Journal

BEGIN = datetime.fromtimestamp(T0 / 1e6, UTC) - timedelta(hours=1)
LIBRARY = "ImportError: libstdc++.so.6: cannot open shared object file: No such file or directory"


def unit(name, *attempts):
    """A journal of attempts: (seconds before it starts, line or None for a healthy one, seconds it lives or None while it runs)."""
    journal = Journal(f"{name}.service", boot="b" * 32)
    for number, (after, line, lives) in enumerate(attempts):
        run = f"{name}{number}".ljust(32, "0")
        journal.manager("started", run, after=after)
        journal.writes(run, line or "INFO: ready")
        if lives is not None:
            journal.manager("exit", run, after=lives, EXIT_CODE="exited", EXIT_STATUS="1", COMMAND="ExecStart")
            journal.manager("failed", run, UNIT_RESULT="exit-code")
            journal.manager("restart", run, N_RESTARTS=str(number + 1))
    return journal


def settings(folder, *journals, days=3.0):
    lines = sorted((line for journal in journals for line in journal.lines), key=lambda line: int(line["__REALTIME_TIMESTAMP"]))
    file = folder / "journal.json"
    file.write_text("".join(json.dumps(line | {"__CURSOR": f"s={'c' * 32};i={n + 1:x}"}) + "\n" for n, line in enumerate(lines)))
    until = BEGIN + timedelta(days=days)
    return Query(Sources((), (file,)), folder / "store", until, since=BEGIN, until=until, pattern_folders=(resource("patterns"),))


def classes(tracker):
    return {f"{unit.unit} {name}": (found.count, found.over) for (unit, name), found in tracker.classes.items()}


def test_a_class_is_over_when_the_unit_was_healthy_after_it(tmp_path):
    fails = (1, LIBRARY, 1)
    day = 86_400
    tracker = read_baseline(
        settings(
            tmp_path,
            unit("cured", fails, fails, (1, None, None)),
            unit("held", fails, (day, "KeyError: 'model'", HELD_S + 5)),
            unit("sick", fails, fails, (day, LIBRARY, 1)),
        )
    )
    known = {f"{unit.unit} {name}": (found.count, found.over) for (unit, name), found in tracker.classes.items() if "libstdcxx" in name}
    assert known == {
        "cured.service loader.libstdcxx-missing": (2, True),
        "held.service loader.libstdcxx-missing": (1, True),
        "sick.service loader.libstdcxx-missing": (3, False),
    }
    assert [found.over for (_, name), found in tracker.classes.items() if "libstdcxx" not in name] == [False]


def test_an_exit_status_of_0_after_an_error_line_is_a_failure_as_it_is_live(tmp_path):
    journal = Journal("port.service", boot="b" * 32)
    for number in range(3):
        run = f"port{number}".ljust(32, "0")
        journal.manager("started", run)
        journal.writes(run, "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 5000): address already in use")
        journal.manager("well", run)
        journal.manager("restart", run, N_RESTARTS=str(number + 1))
    tracker = read_baseline(settings(tmp_path, journal))
    assert classes(tracker) == {"port.service port.conflict": (3, False)}


def test_a_running_unit_is_up_since_its_start(tmp_path):
    asked = settings(tmp_path, unit("runs", (10, None, None)), unit("fails", (10, LIBRARY, 1)))
    tracker = read_baseline(asked)
    key = UnitKey("h", "system", "runs.service")
    assert list(tracker.units) == [key]
    assert tracker.is_up(key, 0.0)
    began = tracker.units[key].state.running.started
    later = Moment(began.time, began.clock + int(HELD_S * 1e6), began.boot)
    tracker.read(BatchFacts(boots=(Boot("h", "h", later),)), 5000.0)
    assert tracker.is_up(key, 5000.0, HELD_S)
    assert tracker.host == "h"


@pytest.mark.parametrize("most", [1, 30, 1_000_000])
def test_the_baseline_is_the_same_in_portions_of_any_size(tmp_path, monkeypatch, most):
    monkeypatch.setattr(portions, "MOST_ENTRIES", most)
    every = [(7 * 3600, LIBRARY, 2)] * 8
    shares = []
    tracker = read_baseline(settings(tmp_path, unit("a", *every), unit("b", *every[:3], (1, None, None))), shares.append)
    assert classes(tracker) == {
        "a.service loader.libstdcxx-missing": (8, False),
        "b.service loader.libstdcxx-missing": (3, True),
    }
    (running,) = tracker.units.values()
    assert datetime.fromtimestamp(running.state.running.started.time / 1e6, UTC) < BEGIN + timedelta(hours=25)  # not of the last portion
    assert (shares, shares[-1]) == (sorted(shares), 1.0)
    assert len(shares) > (8 if most == 1 else 0)


def test_an_exception_that_ends_its_attempt_is_no_survived_error(tmp_path):
    traceback = 'Traceback (most recent call last):\n  File "/srv/a.py", line 3, in <module>\n    go()\nValueError: upside down'
    dies, lives = Journal("dies.service", boot="b" * 32), Journal("lives.service", boot="b" * 32)
    for journal, after in ((dies, 0.2), (lives, 30)):
        journal.manager("started", "d".ljust(32, "0"))
        journal.writes("d".ljust(32, "0"), traceback, after=20)
        journal.manager("exit", "d".ljust(32, "0"), after=after, EXIT_CODE="exited", EXIT_STATUS="1", COMMAND="ExecStart")
        journal.manager("failed", "d".ljust(32, "0"), UNIT_RESULT="exit-code")
    tracker = read_baseline(settings(tmp_path, dies, lives))
    assert [unit.unit for unit, _ in tracker.nonfatal] == ["lives.service"]
    assert [unit.unit for unit, _ in tracker.classes] == ["dies.service", "lives.service"]


def test_an_empty_history_gives_an_empty_baseline(tmp_path):
    assert read_baseline(settings(tmp_path, unit("a", (1, LIBRARY, 1)), days=0.01)).classes == {}


def _killed(*_):
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


def test_a_baseline_that_is_killed_is_empty_with_a_message(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(baseline_process, "_read", _killed)
    assert baseline_process.read_baseline_in_process(settings(tmp_path, unit("a", (1, LIBRARY, 1))), said.append) == Tracker()
    assert len(said) == 1


def test_the_baseline_in_a_process_of_its_own_is_the_same(tmp_path):
    asked, shares = settings(tmp_path, unit("a", (1, LIBRARY, 1))), []
    assert baseline_process.read_baseline_in_process(asked, print, shares.append).classes == read_baseline(asked).classes
    assert shares[0] == 0.0
    assert shares[-1] > 0.0


def _waits(*_):
    import time

    time.sleep(600)


def test_a_baseline_that_is_no_longer_wanted_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(baseline_process, "_read", _waits)
    stop = Learning(Metrics(), is_stopping=lambda: bool(multiprocessing.active_children()))
    with pytest.raises(StoppedError):
        baseline_process.read_baseline_in_process(settings(tmp_path, unit("a", (1, LIBRARY, 1))), print, stop.beat)
    assert multiprocessing.active_children() == []


def test_what_the_baseline_raises_is_an_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(baseline, "read_baseline", lambda *_: (_ for _ in ()).throw(UsageError("a broken file")))
    ours, theirs = multiprocessing.Pipe(duplex=False)
    baseline_process._read(settings(tmp_path, unit("a", (1, LIBRARY, 1))), theirs)
    assert str(ours.recv()) == "a broken file"
