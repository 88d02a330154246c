"""What becomes an alert, and what does not."""

import pytest

from forensics.model.values import Signature, UnitKey
from forensics.policy.class_state import ClassState
from forensics.policy.limits import HELD_S, STOP_GAP_S
from forensics.watch.batch import BatchFacts, Statement
from forensics.watch.tracker import LOSS_S, UNRECORDED, Tracker
from forensics.watch.tracker_rows import restored_tracker, rows_of
from tests.watch.stories import LIBRARY, NETWORK, STEADY, T0, Life, moment, names

KEY = UnitKey("m1", "system", "a.service")


def test_a_loop_gives_one_alert_per_kind_however_long_it_is():
    assert names(Life().loop(500)) == ["NewFailureSignature", "RestartLoop", "FutileRestart"]


def test_a_class_that_a_restart_may_cure_is_not_futile():
    assert names(Life().loop(50, NETWORK)) == ["NewFailureSignature", "RestartLoop"]


def test_a_second_class_in_the_loop_is_new_and_futile_by_itself():
    life = Life()
    life.loop(5)
    other = Signature("torch.abi-mismatch", "ABI", "critical", restart_helps=False)
    assert names(life.loop(3, other, begin=60)) == ["NewFailureSignature", "FutileRestart"]


def test_what_history_knows_is_not_new():
    life = Life()
    life.tracker.learn(KEY, LIBRARY.id, ClassState(T0 - 100, T0 - 50, 7, "ongoing"))
    assert life.end(0) == []
    assert life.tracker.classes[KEY, LIBRARY.id].count == 8


@pytest.mark.parametrize("other", [{"unit": "b.service"}, {"machine": "m2"}, {"manager": "user:1000"}], ids=str)
def test_the_same_failure_of_another_unit_machine_or_manager_is_new_there(other):
    life = Life()
    life.end(0)
    assert names(Life(life.tracker, number=10, **other).end(1)) == ["NewFailureSignature"]


def test_three_machines_with_a_restart_each_are_no_loop():
    tracker = Tracker()
    alerts = [alert for n in range(3) for alert in Life(tracker, machine=f"m{n}", number=10 * n).loop(1)]
    assert names(alerts) == ["NewFailureSignature"] * 3


def test_interleaved_counters_of_several_machines_are_no_loss():
    tracker = Tracker()
    lives = [Life(tracker, machine=f"m{n}") for n in range(3)]
    alerts = [
        alert for counter in range(1, 6) for n, life in enumerate(lives) for alert in life.restart(400 * counter + n, counter + 10 * n)
    ]
    assert "JournalLoss" not in names(alerts)


def test_a_loop_names_what_the_unit_fails_of_without_being_another_alert_for_another_class():
    life = Life()
    alerts = life.loop(3)
    loop = next(alert for alert in alerts if alert.name == "RestartLoop")
    assert (loop.signature, loop.fails_of, loop.remedy, loop.evidence) == ("", LIBRARY.id, "r", "ImportError: libstdc++")
    assert "signature" not in loop.labels()
    assert loop.annotations()["class"] == LIBRARY.id


def test_a_loop_is_dated_from_its_first_failed_start():
    life = Life()
    life.loop(1, begin=100)
    loop = next(alert for alert in life.loop(2, begin=110) if alert.name == "RestartLoop")
    assert loop.starts_at == T0 + 100


def test_statements_wait_until_the_ends_before_them_are_labelled():
    life = Life()
    life.loop(2)
    life.start(20)
    end = life.ended(23)
    life.number += 1
    life.tracker.read(BatchFacts((replace_restart(life, 29),)), STEADY + 29)
    assert life.tracker.settle((), {KEY}) == []
    assert names(life.tracker.settle((end,), {KEY})) == []  # the restart comes after the last labelled end
    assert names(life.tracker.settle((), ())) == ["RestartLoop", "FutileRestart"]


def replace_restart(life: Life, after: float) -> Statement:
    return Statement(life.key, "restart", moment(after), "", asks_to_stop=False, counter=None, number=life.number)


def test_ends_that_are_good_do_not_hide_a_loop():
    life, alerts = Life(), []
    for number in range(5):
        alerts += life.start(10 * number) + life.end(10 * number + 3, None, "clean") + life.restart(10 * number + 5)
    assert names(alerts) == ["RestartLoop"]


def test_a_job_that_ends_well_after_restarts_has_recovered_once_no_restart_follows():
    life = Life()
    life.loop(4)
    life.start(40)
    assert life.end(50, None, "clean") == []
    assert life.tick(51) == []
    again = Life(restored_tracker(rows_of(life.tracker)), number=100)
    assert again.tick(50 + 299) == []
    alerts = again.tick(50 + 301)
    assert "ServiceRecovered" in names(alerts)
    assert {alert.ended_at for alert in alerts if alert.ended_at} == {T0 + 40}
    life.restart(60)
    assert life.tick(50 + 301) == []


@pytest.mark.parametrize("every", [200, 599, 7200])
def test_slow_restarts_are_a_loop_whatever_their_spacing(every):
    assert names(Life().loop(50, NETWORK, every=every)) == ["NewFailureSignature", "RestartLoop"]


def test_two_restarts_are_no_loop():
    assert names(Life().loop(2)) == ["NewFailureSignature"]


def test_a_unit_that_failed_and_stays_down_is_alerted_after_a_minute_also_for_a_known_failure():
    life = Life()
    life.tracker.learn(KEY, LIBRARY.id, ClassState(T0 - 100, T0 - 50, 7, "ongoing"))
    life.start(0)
    assert life.end(3) == []
    assert life.tick(62) == []
    (alert,) = life.tick(64)
    assert (alert.name, alert.starts_at, alert.fails_of, alert.signature) == ("UnitDown", T0 + 3, LIBRARY.id, "")
    assert life.tick(100) == []
    life.start(200)
    assert life.tick(200 + HELD_S - 1) == []
    alerts = life.tick(200 + HELD_S)
    assert sorted(names(alerts)) == ["ServiceRecovered", "resolved UnitDown"]
    assert {alert.ended_at for alert in alerts if alert.ended_at} == {T0 + 200}


def test_a_unit_whose_restart_waits_or_that_was_stopped_is_not_down():
    life = Life()
    life.loop(1)
    assert life.tick(500) == []
    other = Life(unit="b.service")
    other.start(0)
    other.end(3)
    other.stop(30)
    assert names(other.tick(200)) == []


def test_a_stop_in_the_second_of_a_failure_resolves_nothing():
    life = Life()
    life.loop(3)
    life.start(30)
    life.end(33)
    life.stop(33.5)
    assert names(life.tick(34 + STOP_GAP_S)) == ["UnitDown"]


def test_a_job_that_fails_again_is_alerted_and_is_not_down():
    life = Life()
    life.tracker.read(BatchFacts(jobs=frozenset({KEY})), STEADY)
    day = 86_400
    life.start(0)
    assert names(life.end(10)) == ["NewFailureSignature"]
    assert life.tick(day - 1) == []
    life.start(day)
    assert names(life.end(day + 10)) == ["JobFailing"]
    life.start(2 * day)
    assert life.end(2 * day + 10) == []
    life.start(3 * day)
    life.end(3 * day + 10, None, "clean")
    assert sorted(names(life.tick(3 * day + 400))) == ["ServiceRecovered", "resolved JobFailing", "resolved NewFailureSignature"]


def test_a_job_is_known_by_its_last_good_end_also_after_it_was_forgotten():
    life = Life()
    life.start(0)
    life.end(10, None, "clean")
    life.tick(60)
    life.tick(400)
    assert life.tracker.units == {}
    life.start(500)
    life.end(510)
    assert life.tick(5000) == []


def test_a_failure_while_stopping_is_alerted_once_and_keeps_nothing_open():
    life, alerts = Life(), []
    for number in range(5):
        life.start(50 * number)
        alerts += life.end(50 * number + 49, NETWORK, "stopped", failed_stopping=True) + life.stop(50 * number + 49.1)
    assert (names(alerts), life.tracker.open) == (["NewFailureSignature"], {})
    assert life.tracker.classes[KEY, NETWORK.id].count == 5


def test_holding_resolves_what_is_open_and_reports_the_recovery_once():
    life = Life()
    life.loop(5)
    life.start(100, "run")
    assert life.tick(100 + HELD_S - 1) == []
    alerts = life.tick(100 + HELD_S)
    assert sorted(names(alerts)) == [
        "ServiceRecovered",
        "resolved FutileRestart",
        "resolved NewFailureSignature",
        "resolved RestartLoop",
    ]
    assert all(alert.remedy == "r" for alert in alerts if alert.signature)
    assert {alert.ended_at for alert in alerts if alert.ended_at} == {T0 + 100}
    assert life.tick(100 + 2 * HELD_S) == []


def test_a_failure_that_comes_back_after_the_unit_held_is_regressed():
    life = Life()
    life.end(0)
    life.start(1)
    life.tick(1 + HELD_S)
    (alert,) = life.end(5000)
    assert (alert.name, alert.state, alert.first_seen) == ("NewFailureSignature", "regressed", T0)


def test_a_step_of_the_wall_clock_neither_heals_nor_alarms():
    life = Life()
    life.loop(5)
    life.start(50)
    assert life.tracker.tick(STEADY + 51, T0 + 10**6) == []
    assert life.tracker.tick(STEADY + 52, T0 - 10**6) == []


def test_a_stop_that_stays_resolves_without_a_recovery():
    life = Life()
    life.loop(5)
    assert life.stop(100) == []
    assert life.tick(100 + STOP_GAP_S) == []
    alerts = life.tick(101 + STOP_GAP_S)
    assert set(names(alerts)) == {"resolved FutileRestart", "resolved NewFailureSignature", "resolved RestartLoop"}
    assert {alert.ended_at for alert in alerts} == {T0 + 100}


def test_a_stop_that_is_half_of_a_restart_resolves_nothing():
    life = Life()
    life.loop(5)
    life.stop(100)
    life.start(120)
    assert life.tick(121 + STOP_GAP_S) == []


def test_a_rate_that_multiplies_is_escalating():
    life = Life()
    life.end(0)
    for number in range(8):
        life.end(400 + number)
    assert life.tracker.classes[KEY, LIBRARY.id].state == "escalating"


def test_what_is_open_counts_on_and_keeps_that_it_escalates():
    life = Life()
    life.loop(5)
    assert life.loop(24, every=1, begin=400) == []
    now = {alert.name: (alert.count, alert.state) for alert in life.tracker.open.values()}
    assert now == {"NewFailureSignature": (29, "escalating"), "RestartLoop": (29, ""), "FutileRestart": (29, "new")}


def test_the_command_of_an_alert_is_one_for_a_shell():
    (alert,) = Life(unit="a;reboot.service").end(0)
    assert alert.report_command.endswith("--unit 'a;reboot.service'")


def test_lost_lines_are_reported_once_count_on_and_are_resolved_after_an_hour_without():
    tracker = Tracker()
    alerts = [names(tracker.lost(lines, "journald dropped some", T0 + after)) for lines, after in ((0, 0), (7, 1), (8, 100))]
    assert alerts == [[], ["JournalLoss"], []]
    assert next(iter(tracker.open.values())).count == 15
    assert tracker.tick(0.0, T0 + LOSS_S) == []
    assert names(tracker.tick(0.0, T0 + 100 + LOSS_S)) == ["resolved JournalLoss"]
    assert names(tracker.lost(1, "journald dropped some", T0 + 9000)) == ["JournalLoss"]


def test_restarts_that_left_no_line_are_a_loss():
    life = Life()
    assert names(life.restart(0, 4) + life.restart(400, 5)) == []
    (alert,) = [alert for alert in life.restart(800, 9) if alert.name == "JournalLoss"]
    assert alert.count == 3
    assert "3 restarts of a.service" in alert.summary
    assert life.restart(1200, 1) == []  # counted anew after a start by hand


def test_an_end_that_the_journal_lacks_is_a_loss_and_no_new_failure():
    life = Life()
    lacking = Signature(UNRECORDED, "Ended, nothing is recorded about how", "high", restart_helps=None)
    assert names(life.end(0, lacking)) == ["JournalLoss"]
    assert life.tracker.classes[KEY, UNRECORDED].count == 1
