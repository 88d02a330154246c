"""Instances of a template that run once each are runs of the template, in the stream as in history."""

import hypothesis.strategies as st
from hypothesis import Phase, given, settings

from forensics.model.values import UnitKey
from forensics.watch import families
from forensics.watch.families import Families
from forensics.watch.tracker import Tracker
from forensics.watch.tracker_rows import restored_tracker, rows_of
from tests.attempts.building import Journal
from tests.watch.both import Unit, lasting, lasting_incidents, merged, report_of, watch_over
from tests.watch.stories import STEADY, T0, Life, names

HOUR = 3600.0


def job(tracker: Tracker, number: int, *, fails: bool = True) -> list[str]:
    """Run an instance at its hour and look again an hour later: what is alerted, with the units."""
    life = Life(tracker, f"job@{number}.service", number=1000 * number)
    begun = number * HOUR
    alerts = life.start(begun)
    alerts += life.end(begun + 5) if fails else life.end(begun + 5, None, outcome="clean")
    alerts += tracker.tick(STEADY + begun + HOUR / 2, T0 + begun + HOUR / 2)
    return [f"{name} {alert.unit}" for name, alert in zip(names(alerts), alerts, strict=True)]


def test_jobs_with_an_id_in_the_name_are_alerted_as_one_that_keeps_failing():
    tracker = Tracker()
    assert job(tracker, 1) == ["NewFailureSignature job@1.service", "UnitDown job@1.service"]
    assert job(tracker, 2) == ["JobFailing job@.service"]
    assert job(tracker, 3) == []
    assert tracker.open["JobFailing/m1/job@.service/"].count == 2
    assert sorted(job(tracker, 4, fails=False)) == [
        "ServiceRecovered job@.service",
        "resolved JobFailing job@.service",
        "resolved NewFailureSignature job@1.service",
        "resolved UnitDown job@1.service",
    ]


def test_a_family_is_remembered_over_a_restart_of_watch():
    tracker = Tracker()
    job(tracker, 1)
    job(tracker, 2)
    assert job(restored_tracker(rows_of(tracker)), 3) == []


def test_instances_that_run_again_are_followed_by_themselves():
    tracker = Tracker()
    for name in "ab":
        life = Life(tracker, f"app@{name}.service", number=ord(name) * 1000)
        heard = []
        for n in range(4):
            heard += life.start(n * 10.0) + life.end(n * 10.0 + 2) + life.restart(n * 10.0 + 3)
        assert [(alert.name, alert.unit) for alert in heard] == [
            ("NewFailureSignature", life.unit),
            ("RestartLoop", life.unit),
            ("FutileRestart", life.unit),
        ]


def test_what_is_open_about_a_template_is_over_when_an_instance_runs_again():
    tracker = Tracker()
    job(tracker, 1)
    job(tracker, 2)
    life = Life(tracker, "job@2.service", number=9000)
    alerts = life.start(9 * HOUR) + life.end(9 * HOUR + 5)
    assert "resolved JobFailing" in names(alerts)
    assert {alert.unit for alert in tracker.open.values()} == {"job@1.service", "job@2.service"}


def test_only_so_many_instances_and_templates_are_remembered(monkeypatch):
    monkeypatch.setattr(families, "MOST_INSTANCES", 3)
    monkeypatch.setattr(families, "MOST_TEMPLATES", 2)
    known = Families()
    for template in "abc":
        for number in range(5):
            known.ran(UnitKey("m", "system", f"{template}@{number}.service"))
    assert [(template.unit, list(names)) for template, names in known.once.items()] == [
        (f"{name}@.service", [f"{name}@{number}.service" for number in (2, 3, 4)]) for name in "bc"
    ]
    assert restored_tracker(rows_of(Tracker(families=known))).families == known


RUNS = st.lists(st.sampled_from(["library", "unknown", "finish"]), min_size=1, max_size=6)


@settings(max_examples=15, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(RUNS)
def test_watch_opens_and_resolves_what_report_finds_of_a_template(runs):
    units = [Unit(Journal(f"job@{number}.service", "alpha", boot="a" * 32)) for number, _ in enumerate(runs)]
    for number, (unit, run) in enumerate(zip(units, runs, strict=True)):
        unit.journal.now += int(number * HOUR * 1e6)
        unit.step(*(("finish", 5.0) if run == "finish" else ("down", run, 1.0)))
    table = merged(units)
    jobs = lasting(list(watch_over(table)), "JobFailing")
    assert jobs == lasting_incidents(report_of(table), "failing-job")
