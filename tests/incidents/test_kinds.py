"""Which failures are an incident, of which kind, and which are isolated."""

from datetime import timedelta

import pytest

from forensics.incidents import Analysis, analyse
from forensics.model import systemd
from forensics.model.values import Window
from tests.incidents.making import BEGIN, Tale, inputs_of

HOUR, DAY = 3600, 86_400


def analysed(*tales: Tale) -> Analysis:
    analysis = analyse(inputs_of(*tales), Window(None, None))
    assert [check for check in analysis.ledger if not check.holds] == []
    return analysis


def kinds(analysis: Analysis) -> list[tuple[str, int, int, float]]:
    return [(one.kind, one.failures, one.restarts, one.downtime_s) for one in analysis.incidents]


def isolated(analysis: Analysis) -> list[tuple[str, str, int]]:
    return [(one.unit, one.signature, one.failures) for one in analysis.isolated]


def nightly(outcomes: str, *, job: str = "") -> Tale:
    """A run per night: `.` finishes, `x` fails."""
    tale = Tale("backup.service")
    if job == "timer":
        tale.say("Started Nightly backup.", unit="backup.timer", manager="system", identifier="systemd", pid=1, comm="systemd")
    for outcome in outcomes:
        if outcome == ".":
            tale.finish(300)
        else:
            tale.fall("rsync", lives=60)
        tale.wait(DAY)
    return tale


def test_a_model_that_loads_for_minutes_before_it_fails_is_a_loop():
    (incident,) = analysed(Tale().hold(48 * 60, then="failed").fail(1440, every=250, lives=240).hold()).incidents
    assert (incident.kind, incident.restarts, incident.ongoing) == ("restart-loop", 1441, False)


def test_tries_by_hand_are_in_the_outage_which_ends_with_the_start_that_held():
    tale = Tale().hold(60).fall(lives=1)
    for _ in range(6):
        tale.wait(300).fall(lives=2)
    analysis = analysed(tale.wait(300).hold(30))
    assert [(kind, failures, restarts) for kind, failures, restarts, _ in kinds(analysis)] == [("outage", 7, 0)]
    assert analysis.incidents[0].recovery is not None
    assert analysis.incidents[0].downtime_s == pytest.approx(7 * 300 + 6 * 2 + 1, abs=1)


def test_a_unit_that_failed_at_boot_and_never_came_up_is_in_an_outage():
    analysis = analysed(Tale().fall("disk.full"), Tale("cron.service").hold(72 * 60))
    assert [(one.kind, one.ongoing, one.failures) for one in analysis.incidents] == [("outage", True, 1)]
    assert analysis.units == ("app.service",)


@pytest.mark.parametrize(
    ("why", "tale", "failures"),
    [
        ("it finished once", nightly(".xxxx"), 4),
        ("a timer starts it", nightly("xxxx", job="timer"), 4),
        ("two in a row", nightly(".x.xx."), 2),
    ],
)
def test_a_job_that_fails_in_a_row_is_a_failing_job(why, tale, failures):
    analysis = analysed(tale)
    assert [(one.kind, one.failures) for one in analysis.incidents] == [("failing-job", failures)], why
    (incident,) = analysis.incidents
    assert incident.fix_attempts == ()
    assert (incident.downtime_s, incident.downtime_method, incident.availability) == (0.0, "none", None)
    assert incident.classes[0].cycle_s == pytest.approx(DAY + 60, abs=5)


def test_the_last_good_run_of_a_job_is_in_its_verdict():
    (incident,) = analysed(nightly(".xxxx")).incidents
    assert incident.last_good is not None
    assert "failed 4 times in a row" in incident.verdict
    assert "the first 24 h after its last good run" in incident.verdict
    assert analysed(nightly("xxxx", job="timer")).incidents[0].last_good is None


def test_a_job_that_fails_now_and_then_is_isolated():
    analysis = analysed(nightly(".x..x."))
    assert (kinds(analysis), isolated(analysis)) == ([], [("backup.service", "rsync", 2)])


def test_instances_of_a_template_that_run_once_each_are_runs_of_the_template():
    tales = [Tale(f"job@{number}.service", now=BEGIN + timedelta(hours=number)).fall("a") for number in range(4)]
    (incident,) = analysed(*tales).incidents
    assert (incident.kind, incident.unit, incident.failures) == ("failing-job", "job@.service", 4)


def test_instances_that_run_again_are_units_of_their_own():
    tales = [Tale(f"app@{name}.service").fail(3).hold() for name in "ab"]
    assert [one.unit for one in analysed(*tales).incidents] == ["app@a.service", "app@b.service"]


def test_failures_that_each_held_again_are_recurring_and_only_their_gaps_are_downtime():
    tale = Tale()
    for _ in range(6):
        tale.hold(120, then="failed", klass="a")
    analysis = analysed(tale.hold())
    assert kinds(analysis) == [("recurring", 6, 6, 60.0)]
    (incident,) = analysis.incidents
    assert (incident.downtime_method, incident.ongoing, incident.time_to_recover_s) == ("sum-of-gaps", False, None)


@pytest.mark.parametrize(("why", "failures", "hours"), [("four in a day", 4, 2), ("one every seven hours", 9, 7)])
def test_fewer_are_isolated(why, failures, hours):
    tale = Tale()
    for _ in range(failures):
        tale.hold(hours * 60, then="failed", klass="a")
    analysis = analysed(tale.hold())
    assert (kinds(analysis), isolated(analysis)) == ([], [("app.service", "a", failures)]), why
    assert (analysis.failures.total, analysis.failures.in_incidents, analysis.failures.isolated) == (failures, 0, failures)


def test_a_client_that_restarts_a_unit_whose_runs_fail_while_stopping_makes_failures_and_no_downtime():
    tale = Tale()
    for _ in range(20):
        tale.fail_stopping(lives=49)
    analysis = analysed(tale.hold())
    assert kinds(analysis) == [("recurring", 20, 0, 0.0)]
    assert analysis.incidents[0].verdict.startswith("app failed 20 times while it was being stopped, and was started again each time: a;")
    few = analysed(Tale().fail_stopping(lives=49).fail_stopping(lives=49).hold())
    assert (kinds(few), isolated(few)) == ([], [("app.service", "a", 2)])


def test_a_unit_that_is_down_because_another_failed_points_to_it():
    api, database = Tale("api.service"), Tale("db.service")
    database.hold(60).fall("disk.full", lives=2)
    api.at(database.now).block().wait(HOUR)
    database.wait(HOUR).hold(20)
    api.hold(20)
    incidents = {one.unit: one for one in analysed(api, database).incidents}
    assert (incidents["api.service"].kind, incidents["api.service"].caused_by) == ("outage", "db.service")
    assert incidents["db.service"].caused_by is None


@pytest.mark.parametrize(
    ("columns", "cause"),
    [
        ({"message_id": systemd.UNIT_FAILURE_RESULT, "result": "exit-code"}, "srv.mount"),
        ({"message_id": systemd.UNIT_FAILED, "job_result": "timeout"}, "srv.mount"),
        ({"message_id": systemd.UNIT_FAILED, "job_result": "dependency"}, None),
        ({"message_id": systemd.UNIT_FAILURE_RESULT, "pid": 77}, None),
        ({"message_id": systemd.UNIT_STOPPED}, None),
    ],
)
def test_a_mount_that_failed_is_the_reason_too(columns, cause):
    said = {"pid": 1, "unit": "srv.mount", "manager": "system", **columns}
    tale = Tale("api.service").host_says("systemd", "something about srv.mount", **said).block().wait(HOUR).hold(20)
    (incident,) = analysed(tale).incidents
    assert incident.caused_by == cause


def test_every_failure_is_in_one_incident_or_isolated():
    tales = [
        Tale("a.service").fail(5).hold(20, then="failed", klass="b").hold(),
        Tale("b.service").hold(60).fall("c").wait(100).hold(),
        Tale("c.service").fail(2, "d").hold(),
        nightly(".xx.x."),
    ]
    analysis = analysed(*tales)
    assert (analysis.failures.total, analysis.failures.in_incidents) == (5 + 1 + 1 + 2 + 3, 5 + 2)
    assert sum(one.failures for one in analysis.classes) == analysis.failures.total
    assert set(isolated(analysis)) == {
        ("a.service", "b", 1),
        ("b.service", "c", 1),
        ("c.service", "d", 2),
        ("backup.service", "rsync", 1),
    }
    assert set(analysis.units) == {"a.service", "b.service", "c.service", "backup.service"}
