"""What the tracker remembers: over a restart of watch, a boot, and ever new units and classes."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from forensics.model.values import Signature, UnitKey
from forensics.policy.class_state import ClassState
from forensics.policy.limits import HELD_S
from forensics.watch import tracked
from forensics.watch.batch import BatchFacts, Boot
from forensics.watch.floods import MOST_CLASSES_OF_HOST
from forensics.watch.stream import NonfatalError
from forensics.watch.tracker import MOST_CLASSES, Tracker
from forensics.watch.tracker_rows import restored_tracker, rows_of
from tests.watch.stories import LIBRARY, STEADY, T0, Life, moment, names

KEY = UnitKey("m1", "system", "a.service")


def test_a_unit_that_runs_goes_on_to_hold_over_a_restart_of_watch_but_not_over_a_boot(tmp_path, monkeypatch):
    life = Life()
    life.end(0)
    life.start(1)
    stored = rows_of(life.tracker)
    assert names(restored_tracker(stored).tick(STEADY + 1 + HELD_S, T0)) == ["resolved NewFailureSignature", "ServiceRecovered"]
    (tmp_path / "boot_id").write_text("another")
    monkeypatch.setattr(tracked, "BOOT_ID", tmp_path / "boot_id")
    assert restored_tracker(stored).tick(STEADY + 1 + HELD_S, T0) == []


def test_entries_of_another_boot_show_that_nothing_runs():
    life = Life()
    life.end(0)
    life.start(1)
    life.tracker.read(BatchFacts(boots=(Boot("m1", "hydra", moment(5, "b1")), Boot("m1", "hydra", moment(6, "b2")))), STEADY + 6)
    life.tracker.settle((), ())
    assert not life.tracker.is_up(KEY, STEADY + 7)
    assert life.tick(HELD_S + 10) == []


def test_a_stop_that_a_shutdown_made_resolves_nothing():
    life = Life()
    life.loop(5)
    life.stop(100)
    life.tracker.read(BatchFacts(boots=(Boot("m1", "hydra", moment(130, "b2")),)), STEADY + 130)
    life.tracker.settle((), ())
    assert life.tick(1000) == []


def test_what_was_over_in_history_is_regressed_when_it_comes_back():
    life = Life()
    life.tracker.learn(KEY, LIBRARY.id, ClassState(T0 - 10**6, T0 - 10**6, 7, "ongoing", over=True))
    (alert,) = life.end(0)
    assert (alert.name, alert.state, alert.count) == ("NewFailureSignature", "regressed", 8)


def test_ever_new_classes_and_units_do_not_grow_what_is_remembered():
    tracker = Tracker()
    for number in range(MOST_CLASSES + 50):
        Life(tracker, unit=f"u{number}.service").end(number, Signature(f"mined:{number}", "t", "high"))
    tracker.tick(0.0, T0)
    assert len(tracker.classes) == len(tracker.units) == MOST_CLASSES
    assert len(tracker.open) <= MOST_CLASSES_OF_HOST + 1
    assert (UnitKey("m1", "system", "u0.service"), "mined:0") not in tracker.classes


def test_short_units_that_do_well_are_not_remembered():
    tracker = Tracker()
    for number in range(10):
        life = Life(tracker, unit=f"run-{number}.service")
        life.start(0)
        life.end(1, None, "clean")
    tracker.tick(STEADY + 400, T0 + 400)
    assert tracker.units == {}


def test_a_restarted_tracker_goes_on_where_the_first_one_was():
    whole, first = Life(), Life()
    assert names(whole.loop(4)) == names(first.loop(4))
    second = replace(first, tracker=restored_tracker(rows_of(first.tracker)))
    assert second.tracker == replace(first.tracker, latest={})
    for after in (50, 60):
        assert names(second.end(after)) == names(whole.end(after))
    assert second.tracker.open == whole.tracker.open


@pytest.mark.parametrize("line", ["\x1b[31mred\x1b[0m", 'a"} evil{', "api_key: 0123456789abcdef", "a\nb\u202e", "x" * 100_000])
def test_a_hostile_line_is_harmless_in_an_alert(line):
    (alert,) = Life().end(0, line=line)
    text = alert.as_text() + str(alert.as_json())
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "0123456789abcdef" not in text
    assert len(text) < 20_000
    assert set(alert.labels()) == {"alertname", "unit", "host", "machine", "signature", "severity"}


def survived(signature=LIBRARY, unit="a.service"):
    key = UnitKey("m1", "system", unit)
    return NonfatalError("hydra", key, datetime.fromtimestamp(T0, UTC), signature, "catalogue pattern", "ImportError: libstdc++")


def test_what_a_service_survives_is_reported_once_and_is_never_open():
    tracker = Tracker()
    (alert,) = tracker.survived(survived())
    assert (alert.name, alert.severity, tracker.open) == ("NewFailureSignature", "warning", {})
    assert "keeps running" in alert.summary
    assert tracker.survived(survived()) == []
    assert restored_tracker(rows_of(tracker)).survived(survived()) == []
    assert len(tracker.survived(survived(unit="b.service"))) == 1


def test_what_was_survived_is_new_when_an_attempt_fails_of_it():
    life = Life()
    life.tracker.survived(survived())
    assert names(life.end(10)) == ["NewFailureSignature"]
    other = Life()
    other.end(0)
    assert other.tracker.survived(survived()) == []


@pytest.mark.parametrize(
    ("first", "then", "lost"),
    [
        pytest.param(4, 5, [], id="not reset (systemd 252, 254)"),
        pytest.param(4, 1, [], id="reset"),
        pytest.param(4, 9, [8], id="reset, then a gap"),
        pytest.param(None, 9, [], id="the first of the data proves nothing"),
    ],
)
def test_after_a_stop_on_request_the_counter_may_be_reset(first, then, lost):
    life = Life()
    alerts = [] if first is None else life.restart(0, first)
    alerts += life.stop(400) + life.start(401)
    alerts += restored_life(life).restart(800, then)
    assert [alert.count for alert in alerts if alert.name == "JournalLoss"] == lost


def restored_life(life: Life) -> Life:
    return Life(restored_tracker(rows_of(life.tracker)), number=life.number)
