"""The state of a running `watch` is read whole while it writes, and never written."""

import sqlite3
import threading
import time

import pytest

from forensics.alerting.alert import Alert
from forensics.guard.drill.snapshot import FILE, NoStateError
from forensics.guard.drill.snapshot import State as Observed
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker

UNIT = "tabby-drill-a-1.service"
ALERT = Alert("NewFailureSignature", UNIT, "h", "critical", "s", 1000.0, signature="a.b", raised_at=1000.5)


@pytest.fixture
def watch(tmp_path):
    state = State.open(tmp_path / "watch")
    state.commit(Position(), Tracker(), [], ["hook"], {}, 0.0)
    yield state
    state.close()


def raise_alert(watch: State, tracker: Tracker, *sinks: str) -> None:
    tracker.alerts.by_key[ALERT.key] = ALERT
    watch.commit(Position(), tracker, [ALERT], sinks, {}, 0.0)


def test_an_alert_is_raised_then_waits_then_is_delivered(watch, tmp_path):
    observed = Observed(tmp_path / "watch")
    assert observed.snapshot().about(UNIT) is None
    raise_alert(watch, Tracker(), "hook", "other")
    assert observed.snapshot().about(UNIT) == ALERT
    assert observed.snapshot().waits_for("hook", UNIT)
    watch.queue.remove(watch.queue.oldest("hook")[0])
    after = observed.snapshot()
    assert (after.about(UNIT), after.waits_for("hook", UNIT), after.waits_for("other", UNIT)) == (ALERT, False, True)


def test_reading_changes_nothing(watch, tmp_path):
    raise_alert(watch, Tracker(), "hook")
    before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in (tmp_path / "watch").iterdir()}
    Observed(tmp_path / "watch").snapshot()
    assert {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in (tmp_path / "watch").iterdir()} == before


def test_it_is_whole_while_watch_writes(watch, tmp_path):
    stop, tracker, observed = threading.Event(), Tracker(), Observed(tmp_path / "watch")

    def write() -> None:
        while not stop.is_set():
            raise_alert(watch, tracker, "hook")
            watch.queue.remove(watch.queue.oldest("hook")[0])
            time.sleep(0.002)

    writer = threading.Thread(target=write)
    raise_alert(watch, tracker, "hook")
    writer.start()
    try:
        found = [observed.snapshot().about(UNIT) for _ in range(50)]
    finally:
        stop.set()
        writer.join()
    assert found == [ALERT] * 50


@pytest.mark.parametrize(
    ("content", "words", "reason"),
    [
        (None, "There is no state", "no file"),
        (b"", "no such table", "an empty database"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "cannot be read", "damaged"),
        (b"not a database at all", "cannot be read", "another file"),
    ],
)
def test_a_state_that_is_none_gets_one_sentence(tmp_path, content, words, reason):
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(NoStateError, match=words) as error:
        Observed(tmp_path).snapshot()
    assert "\n" not in str(error.value), reason


def test_alerts_that_cannot_be_read_are_left_out(watch, tmp_path):
    raise_alert(watch, Tracker(), "hook")
    with sqlite3.connect(tmp_path / "watch" / FILE) as disk:
        disk.execute("insert into queue (sink, alert) values ('hook', '[')")
        disk.execute("insert into tracked values ('open', 'x', '{}')")
    found = Observed(tmp_path / "watch").snapshot()
    assert (len(found.queued), len(found.raised)) == (1, 1)
