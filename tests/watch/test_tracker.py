"""What becomes an alert, and what does not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from forensics.model.values import Signature
from forensics.policy.limits import HELD_S
from forensics.watch import tracked
from forensics.watch.batch import Restart
from forensics.watch.stream import Ended, Survived
from forensics.watch.tracked import Class
from forensics.watch.tracker import LOSS_S, MOST_CLASSES, UNNAMED_S, UNRECORDED, Tracker, tracker_of

T0 = datetime(2025, 12, 7, 21, 30, tzinfo=UTC).timestamp()
LIBRARY = Signature("loader.libstdcxx-missing", "libstdc++ is missing", "critical", restart_helps=False, cause="c", remedy="r")
NETWORK = Signature("network.unreachable", "No network", "high", restart_helps=True)


def ended(
    after: float, signature: Signature | None = LIBRARY, outcome: str = "failed", line: str = "ImportError: libstdc++", unit="a.service"
):
    time = datetime.fromtimestamp(T0 + after, UTC)
    return Ended(f"{unit}/{after}", "hydra", unit, time, outcome, 3.0, signature, "catalogue pattern", line)


def restart(after: float, counter: int | None = None, unit="a.service"):
    return Restart(unit, datetime.fromtimestamp(T0 + after, UTC), counter)


def names(alerts) -> list[str]:
    return [("resolved " if alert.ended_at else "") + alert.name for alert in alerts]


def looped(tracker: Tracker, failures: int, signature: Signature = LIBRARY) -> list[str]:
    found = []
    for number in range(failures):
        found += tracker.ended(ended(10 * number, signature)) + tracker.restarted(restart(10 * number + 1))
    return names(found)


def test_a_loop_gives_one_alert_a_kind_however_long_it_is():
    assert looped(Tracker(), 500) == ["NewFailureSignature", "RestartLoop", "FutileRestart"]


def test_a_class_that_a_restart_may_cure_is_not_futile():
    assert looped(Tracker(), 50, NETWORK) == ["NewFailureSignature", "RestartLoop"]


def test_a_second_class_in_the_loop_is_new_and_futile_by_itself():
    tracker = Tracker()
    looped(tracker, 5)
    other = Signature("torch.abi-mismatch", "ABI", "critical", restart_helps=False)
    assert names(tracker.ended(ended(60, other))) == ["NewFailureSignature"]
    assert names(tracker.ended(ended(70, other)) + tracker.ended(ended(80, other))) == ["FutileRestart"]


def test_what_history_knows_is_not_new():
    tracker = Tracker()
    tracker.learn("a.service", LIBRARY.id, Class(T0 - 100, T0 - 50, 7, "ongoing"))
    assert tracker.ended(ended(0)) == []
    assert tracker.classes[f"a.service {LIBRARY.id}"].count == 8


def test_the_same_failure_of_another_unit_is_new_there():
    tracker = Tracker()
    tracker.ended(ended(0))
    assert names(tracker.ended(ended(1, unit="b.service"))) == ["NewFailureSignature"]


def test_a_loop_says_what_the_unit_fails_of_without_being_another_alert_for_another_class():
    tracker = Tracker()
    for number in range(3):
        tracker.ended(ended(10 * number))
        told = tracker.restarted(restart(10 * number + 1))
    (loop, _) = told
    assert (loop.name, loop.signature, loop.fails_of, loop.remedy, loop.evidence) == (
        "RestartLoop",
        "",
        LIBRARY.id,
        "r",
        "ImportError: libstdc++",
    )
    assert "signature" not in loop.labels()
    assert loop.annotations()["class"] == LIBRARY.id


def test_a_fast_loop_is_told_of_when_the_first_end_is_named_or_after_a_moment():
    fast, unnamed = Tracker(), Tracker()
    assert [alert for k in range(9) for alert in fast.restarted(restart(k / 20))] == []
    assert names(fast.ended(ended(0))) == ["NewFailureSignature", "RestartLoop"]
    told = [alert for k in range(60) for alert in unnamed.restarted(restart(k / 20))]
    assert names(told) == ["RestartLoop"]
    assert told[0].summary.endswith(f"{round(UNNAMED_S * 20) + 1} times within 2 s")


def test_ends_that_are_good_do_not_hide_a_loop():
    tracker, told = Tracker(), []
    for number in range(5):
        told += tracker.ended(ended(10 * number, None, "clean")) + tracker.restarted(restart(10 * number + 5))
    assert names(told) == ["RestartLoop"]


def test_a_job_that_ends_well_after_restarts_has_recovered_once_no_restart_follows():
    tracker = Tracker()
    looped(tracker, 4)
    assert tracker.ended(ended(50, None, "clean")) == []
    assert tracker.tick(1000.0, T0) == []
    again = tracker_of(tracker.stored())
    assert again.tick(1000.0 + 299, T0) == []
    assert "ServiceRecovered" in names(again.tick(1000.0 + 300, T0))
    tracker.restarted(restart(60))
    assert tracker.tick(1000.0 + 300, T0) == []


def test_slow_restarts_are_no_loop():
    tracker = Tracker()
    assert [alert for k in range(50) for alert in tracker.restarted(restart(200 * k))] == []


def test_holding_resolves_what_is_open_and_tells_of_the_recovery_once():
    tracker = Tracker()
    looped(tracker, 5)
    tracker.started("a.service", "run", 1000.0)
    assert tracker.tick(1000.0 + HELD_S - 1, T0 + 600) == []
    told = tracker.tick(1000.0 + HELD_S, T0 + 700)
    assert sorted(names(told)) == [
        "ServiceRecovered",
        "resolved FutileRestart",
        "resolved NewFailureSignature",
        "resolved RestartLoop",
    ]
    assert all(alert.remedy == "r" for alert in told if alert.signature)
    assert tracker.tick(1000.0 + 2 * HELD_S, T0 + 1400) == []


def test_a_failure_that_comes_back_after_the_unit_held_is_regressed():
    tracker = Tracker()
    tracker.ended(ended(0))
    tracker.started("a.service", "run", 0.0)
    tracker.tick(HELD_S, T0 + 600)
    (alert,) = tracker.ended(ended(5000))
    assert (alert.name, alert.state, alert.first_seen) == ("NewFailureSignature", "regressed", T0)


def test_a_jump_of_the_wall_clock_neither_heals_nor_alarms():
    tracker = Tracker()
    looped(tracker, 5)
    tracker.started("a.service", "run", 10.0)
    assert tracker.tick(11.0, T0 + 10**6) == []
    assert tracker.tick(12.0, T0 - 10**6) == []
    assert tracker.ended(ended(-(10**6))) == []


def test_a_stop_on_request_resolves_without_a_recovery():
    tracker = Tracker()
    looped(tracker, 5)
    tracker.stopped("a.service", T0 + 100)
    assert tracker.stop({"a.service"}) == []  # an end before it is not told of yet
    assert set(names(tracker.stop(()))) == {
        "resolved FutileRestart",
        "resolved NewFailureSignature",
        "resolved RestartLoop",
    }


def test_a_rate_that_multiplies_is_escalating():
    tracker = Tracker()
    tracker.ended(ended(0))
    for number in range(8):
        tracker.ended(ended(400 + number))
    assert tracker.classes[f"a.service {LIBRARY.id}"].state == "escalating"


def test_what_is_open_counts_on_and_says_that_it_escalates():
    tracker = Tracker()
    tracker.ended(ended(0))
    looped(tracker, 4)
    for number in range(24):
        assert tracker.ended(ended(400 + number)) == []
        assert tracker.restarted(restart(400 + number)) == []
    now = {alert.name: (alert.count, alert.state) for alert in tracker.open.values()}
    assert now == {"NewFailureSignature": (29, "escalating"), "RestartLoop": (28, ""), "FutileRestart": (29, "new")}


def test_the_command_of_an_alert_is_one_for_a_shell():
    (alert,) = Tracker().ended(ended(0, unit="a;reboot.service"))
    assert alert.report_command.endswith("--unit 'a;reboot.service'")


def test_lost_lines_are_told_once_count_on_and_are_resolved_after_an_hour_without():
    tracker = Tracker()
    told = [names(tracker.lost(lines, "journald dropped some", T0 + after)) for lines, after in ((0, 0), (7, 1), (8, 100))]
    assert told == [[], ["JournalLoss"], []]
    assert next(iter(tracker.open.values())).count == 15
    assert tracker.tick(0.0, T0 + LOSS_S) == []
    assert names(tracker.tick(0.0, T0 + 100 + LOSS_S)) == ["resolved JournalLoss"]
    assert names(tracker.lost(1, "journald dropped some", T0 + 9000)) == ["JournalLoss"]


def test_restarts_that_left_no_line_are_a_loss():
    tracker = Tracker()
    assert names(tracker.restarted(restart(0, 4)) + tracker.restarted(restart(400, 5))) == []
    (alert,) = tracker.restarted(restart(800, 9))
    assert (alert.name, alert.count) == ("JournalLoss", 3)
    assert "3 restarts of a.service" in alert.summary
    assert tracker.restarted(restart(1200, 1)) == []  # counted anew after a start by hand


def test_an_end_that_the_journal_lacks_is_a_loss_and_no_new_failure():
    tracker = Tracker()
    lacking = Signature(UNRECORDED, "Ended, nothing is recorded about how", "high", restart_helps=None)
    assert names(tracker.ended(ended(0, lacking))) == ["JournalLoss"]
    assert tracker.known("a.service", UNRECORDED).count == 1


def test_the_end_of_an_attempt_that_is_told_after_the_next_one_started_does_not_take_that_one_down():
    tracker = Tracker()
    tracker.started("a.service", "first", 0.0)
    tracker.started("a.service", "second", 1.0)
    tracker.ended(replace(ended(0), run="first"))
    assert [names(tracker.tick(HELD_S + at, T0 + 700)) for at in (0.5, 1.0)] == [[], ["resolved NewFailureSignature", "ServiceRecovered"]]


def test_a_unit_that_runs_goes_on_to_hold_over_a_restart_of_watch_but_not_over_a_boot(tmp_path, monkeypatch):
    tracker = Tracker()
    tracker.ended(ended(0))
    tracker.started("a.service", "run", 1000.0)
    stored = tracker.stored()
    assert names(tracker_of(stored).tick(1000.0 + HELD_S, T0)) == ["resolved NewFailureSignature", "ServiceRecovered"]
    (tmp_path / "boot_id").write_text("another")
    monkeypatch.setattr(tracked, "BOOT_ID", tmp_path / "boot_id")
    assert tracker_of(stored).tick(1000.0 + HELD_S, T0) == []


def test_entries_of_another_boot_say_that_nothing_runs():
    tracker = Tracker()
    tracker.booted("one")
    tracker.ended(ended(0))
    tracker.started("a.service", "run", 0.0)
    tracker.booted("one")
    tracker.booted("")
    assert tracker.units["a.service"].run == "run"
    tracker.booted("two")
    assert tracker.tick(HELD_S, T0 + 600) == []


def test_what_was_over_in_history_is_regressed_when_it_comes_back():
    tracker = Tracker()
    tracker.learn("a.service", LIBRARY.id, Class(T0 - 10**6, T0 - 10**6, 7, "ongoing", over=True))
    (alert,) = tracker.ended(ended(0))
    assert (alert.name, alert.state, alert.count) == ("NewFailureSignature", "regressed", 8)


def test_ever_new_classes_and_units_do_not_grow_what_is_remembered():
    tracker = Tracker()
    for number in range(MOST_CLASSES + 50):
        tracker.ended(ended(number, Signature(f"mined:{number}", "t", "high"), unit=f"u{number}.service"))
    tracker.tick(0.0, T0)
    assert len(tracker.classes) == len(tracker.open) == len(tracker.units) == MOST_CLASSES
    assert tracker.known("u0.service", "mined:0") is None


def test_short_units_that_do_well_are_not_remembered():
    tracker = Tracker()
    for number in range(10):
        tracker.started(f"run-{number}.service", f"{number}", 0.0)
        tracker.ended(replace(ended(0, None, "clean", unit=f"run-{number}.service"), run=f"{number}"))
    tracker.tick(1.0, T0)
    assert tracker.units == {}


def test_a_restarted_tracker_goes_on_where_the_first_one_was():
    whole, first = Tracker(), Tracker()
    assert looped(whole, 4) == looped(first, 4)
    second = tracker_of(first.stored())
    for after in (50, 60):
        assert names(second.ended(ended(after))) == names(whole.ended(ended(after)))
    assert second.open == whole.open


@pytest.mark.parametrize("line", ["\x1b[31mred\x1b[0m", 'a"} evil{', "api_key: 0123456789abcdef", "a\nb\u202e", "x" * 100_000])
def test_a_hostile_line_is_harmless_in_an_alert(line):
    (alert,) = Tracker().ended(ended(0, line=line))
    said = alert.as_text() + str(alert.as_json())
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "0123456789abcdef" not in said
    assert len(said) < 20_000
    assert set(alert.labels()) == {"alertname", "unit", "host", "signature", "severity"}


def survived(signature=LIBRARY, unit="a.service"):
    return Survived("hydra", unit, datetime.fromtimestamp(T0, UTC), signature, "catalogue pattern", "ImportError: libstdc++")


def test_what_a_service_survives_is_told_once_and_is_never_open():
    tracker = Tracker()
    (alert,) = tracker.goes_on(survived())
    assert (alert.name, alert.severity, tracker.open) == ("NewFailureSignature", "warning", {})
    assert "goes on" in alert.summary
    assert tracker.goes_on(survived()) == []
    assert tracker_of(tracker.stored()).goes_on(survived()) == []
    assert len(tracker.goes_on(survived(unit="b.service"))) == 1


def test_what_was_survived_is_new_when_an_attempt_fails_of_it():
    tracker = Tracker()
    tracker.goes_on(survived())
    assert names(tracker.ended(ended(10))) == ["NewFailureSignature"]
    other = Tracker()
    other.ended(ended(0))
    assert other.goes_on(survived()) == []
