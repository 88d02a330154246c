"""Alerts about gates, remedies and drills, and what they leave of the alerts about failures."""

from contextlib import closing
from dataclasses import replace

import pytest

from forensics.alerting.alert import Alert
from forensics.model.own_entries import DRILL_PREFIX
from forensics.watch.floods import MOST_OF_HOST
from forensics.watch.guarded import drilled
from forensics.watch.metrics import Metrics
from forensics.watch.open_alerts import OpenAlerts
from forensics.watch.state import State
from forensics.watch.tracker import DRILL_S
from forensics.watch.tracker_rows import restored_tracker, rows_of
from tests.attempts.building import Journal as Written
from tests.watch.both import LINES
from tests.watch.live import Journal, watching
from tests.watch.stories import LIBRARY, NETWORK, T0, Life, names

FAILED = ["NewFailureSignature", "BreakerOpened"]


def open_names(life: Life) -> list[str]:
    return sorted(alert.name for alert in life.tracker.open.values())


def test_a_gate_is_alerted_with_what_is_wrong_and_what_comes_next():
    breaker = next(alert for alert in Life().gated() if alert.name == "BreakerOpened")
    assert breaker.summary == "restarts of a.service are stopped after 3 failures: libstdc++ is missing; next try in 10 min"
    assert (breaker.severity, breaker.fails_of, breaker.signature, breaker.count) == ("critical", LIBRARY.id, "", 3)
    assert breaker.remedy.splitlines() == ["r", "To try at once: tabby-forensics gate reset a.service"]
    assert "To try at once: tabby-forensics gate reset --user a.service" in Life(manager="user:1000").gated()[-1].remedy


def test_a_gate_that_opens_for_another_class_than_the_last_failure_names_that():
    life = Life()
    life.loop(2)
    life.start(20)
    breaker = life.end(23, NETWORK) + life.state("gate-opened", 24, counter=3, about=LIBRARY.id)
    assert [(alert.name, alert.fails_of or alert.signature, alert.title) for alert in breaker] == [
        ("NewFailureSignature", NETWORK.id, "No network"),
        ("BreakerOpened", LIBRARY.id, "libstdc++ is missing"),
    ]


def test_it_stays_open_while_tries_fail_and_alerts_nobody_again():
    life = Life()
    assert names(life.gated()) == FAILED
    for number in range(1, 25):
        at = number * 700.0
        assert life.tick(at - 10) == []
        assert names(life.state("gate-probed", at) + life.start(at) + life.trips(at + 3, number + 3)) == []
    assert {alert.name: alert.count for alert in life.tracker.open.values()} == {"NewFailureSignature": 27, "BreakerOpened": 27}


def closed(life: Life, how: str) -> list[Alert]:
    """What ends a gate, until nothing can come of it."""
    match how:
        case "held":
            alerts = life.state("gate-probed", 600) + life.start(601)
            return alerts + life.tick(1202) + life.state("gate-closed", 1210, about="held")
        case "reset":
            return life.state("gate-closed", 600, about="reset") + life.start(601) + life.tick(700)
        case "hold":
            return life.state("gate-closed", 600, about="hold") + life.tick(1000)
        case _:
            return life.state("booted", 600) + life.tick(601)


CLOSED = [  # how; which alerts are resolved; reason
    ("held", ["BreakerOpened", "NewFailureSignature"], "the unit is healthy"),
    ("reset", ["BreakerOpened"], "a person tries, and it is not known yet whether it holds"),
    ("hold", ["BreakerOpened", "NewFailureSignature"], "a person leaves it stopped"),
    ("booted", ["BreakerOpened"], "the gate's state is in /run"),
]


@pytest.mark.parametrize(("how", "resolved", "reason"), CLOSED, ids=[case[0] for case in CLOSED])
def test_what_closes_a_gate_resolves_its_alert(how, resolved, reason):
    life = Life()
    life.gated()
    ended = [alert.name for alert in closed(life, how) if alert.ended_at is not None]
    assert sorted(ended) == resolved, reason
    assert "BreakerOpened" not in open_names(life)


def test_a_gate_that_opens_again_after_a_reset_is_alerted_again():
    life = Life()
    life.gated()
    life.state("gate-closed", 100, about="reset")
    assert names(life.gated(begin=200)) == ["RestartLoop", "FutileRestart", "BreakerOpened"]  # with those before the reset


def test_a_stop_while_a_try_runs_is_a_persons():
    life = Life()
    life.gated()
    life.state("gate-probed", 600)
    life.start(601)
    life.state("stopping", 640, asks_to_stop=True)
    life.end(641, None, "stopped")
    life.state("stopped", 641, asks_to_stop=True)
    assert sorted(names(life.tick(1000))) == ["resolved BreakerOpened", "resolved NewFailureSignature"]


def test_a_unit_behind_a_gate_is_not_reported_as_down_besides():
    life = Life()
    life.gated()
    assert names(life.tick(5000)) == []


def test_it_survives_a_restart_of_watch():
    life = Life()
    life.gated()
    life.tracker = restored_tracker(rows_of(life.tracker))
    assert open_names(life) == ["BreakerOpened", "NewFailureSignature"]
    assert names(life.tick(5000)) == []
    assert [name for name in names(closed(life, "hold")) if "Breaker" in name] == ["resolved BreakerOpened"]


def test_one_that_a_flood_held_back_is_alerted_when_there_is_room():
    life = Life()
    for number in range(MOST_OF_HOST):
        life.tracker.alerts.floods.delivered.append((990.0 + number / 100, False))
    assert "BreakerOpened" not in names(life.gated())
    assert "BreakerOpened" in names(life.tick(700))


def test_metrics_show_what_is_open():
    life, metrics = Life(), Metrics()
    life.gated()
    metrics.units(life.tracker, 0.0)
    shown = {
        name: metrics.registry.get_sample_value(f"tabby_forensics_{name}", {"unit": "a.service"})
        for name in ("gate_open", "gate_trips_total")
    }
    assert shown == {"gate_open": 1, "gate_trips_total": 0}
    closed(life, "hold")
    metrics.units(life.tracker, 0.0)
    assert metrics.registry.get_sample_value("tabby_forensics_gate_open", {"unit": "a.service"}) == 0


def test_a_remedy_is_reported_before_and_after_and_a_refusal_once():
    life = Life()
    started = life.state("remedy-started", 30, text="rebuild.service is started for a.service", about=LIBRARY.id, priority=5)
    ended = life.state("remedy-ended", 60, text="rebuild.service has failed", about=LIBRARY.id, priority=4)
    refused = [life.state("remedy-ended", 700 * n, text="not again", about=LIBRARY.id, priority=4) for n in range(1, 4)]
    assert [(alert.name, alert.severity) for alert in (*started, *ended)] == [("RemedyStarted", "info"), ("RemedyEnded", "warning")]
    assert [names(alerts) for alerts in refused] == [["RemedyEnded"], [], []]
    assert life.tracker.open == {}


def gated_rows(line: str = LINES["library"]) -> list[dict[str, str]]:
    """The entries of a unit that fails three times, and whose gate opens."""
    journal = Written("a.service", "hydra", boot="b" * 32)
    for number in range(1, 4):
        run = str(number) * 32
        journal.manager("started", run, JOB_TYPE="start", JOB_RESULT="done")
        journal.writes(run, line)
        if number < 3:
            journal.dies(run)
            journal.manager("restart", run, after=10, N_RESTARTS=str(number))
    journal.trips("3" * 32)
    return [row | {"__CURSOR": f"s={'c' * 32};i={n + 1:x}"} for n, row in enumerate(journal.lines)]


def test_a_gate_is_alerted_within_a_second(tmp_path, known, clock):
    rows = gated_rows()
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, Journal(rows, visible=0), known)
        begun = int(rows[0]["__REALTIME_TIMESTAMP"]) / 1e6
        at = {n: int(row["__REALTIME_TIMESTAMP"]) / 1e6 - begun for n, row in enumerate(rows)}
        opening, delay, start = at[len(rows) - 3], None, clock.steady
        while delay is None and clock.steady - start < opening + 5:
            watch.follower.visible = sum(1 for moment in at.values() if moment <= clock.steady - start)
            watch.round()
            if any(alert.name == "BreakerOpened" for alert in watch.tracker.open.values()):
                delay = clock.steady - start - opening
            clock.pass_(0.05)
    assert delay is not None
    assert 0 <= delay < 1


def drill(life: Life, after: float, signature=LIBRARY) -> list[Alert]:
    life.start(after)
    return life.end(after + 1, signature)


def test_each_drill_alerts_at_once_as_a_drill_and_makes_nothing_known():
    tracker = Life().tracker
    tried = Life(tracker, unit=f"{DRILL_PREFIX}library.service")
    for number in range(3):
        (alert,) = drill(tried, number * 30.0)
        assert (alert.name, alert.labels()["drill"], alert.state) == ("NewFailureSignature", "true", "new")
        assert "\n  a drill, class loader.libstdcxx-missing, state new, " in alert.as_text()
    assert (tracker.classes, tracker.nonfatal, tracker.wordings.known) == ({}, {}, {})
    real = Life(tracker, number=100)
    (alert,) = real.end(100)
    assert (alert.name, "drill" in alert.labels()) == ("NewFailureSignature", False)


def test_a_drill_is_resolved_after_a_while_and_never_counts_as_down():
    life = Life(unit=f"{DRILL_PREFIX}library.service")
    drill(life, 0)
    assert names(life.tick(DRILL_S - 1)) == []
    assert names(life.tick(DRILL_S + 2)) == ["resolved NewFailureSignature"]
    assert (life.tracker.open, life.tracker.units) == ({}, {})


def test_a_drill_is_delivered_while_alerts_are_held_back_and_takes_no_others_place():
    alerts = OpenAlerts()
    flooding = Alert("JobFailing", "x.service", "h", "critical", "s", T0)
    for number in range(MOST_OF_HOST):
        alerts.open(replace(flooding, unit=f"{number}.service"))
    end = replace(Life(unit=f"{DRILL_PREFIX}x.service").ended(1), why="drill")
    assert names(drilled(end, alerts)) == ["NewFailureSignature"]
    assert len(alerts.floods.delivered) == MOST_OF_HOST


def test_no_metric_has_a_drill(tmp_path, known, clock):
    rows = [{name: value.replace("a.service", f"{DRILL_PREFIX}a.service") for name, value in row.items()} for row in gated_rows()]
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, Journal(rows), known, units=("other.service",))
        for _ in range(4):
            watch.round()
            clock.pass_(2)
        assert [alert.unit for alert in watch.tracker.open.values()] == [f"{DRILL_PREFIX}a.service"]
        assert DRILL_PREFIX not in watch.metrics.text().decode()


OWN = [  # who fails, what the alert names; reason
    ("a.service", "loader.libstdcxx-missing", "the service that fails"),
    ("watch.service", "exit:exit-code/1", "watch itself, which had printed an alert about it"),
]


@pytest.mark.parametrize(("unit", "signature", "reason"), OWN, ids=[case[0] for case in OWN])
def test_what_watch_prints_does_not_explain_its_own_failure(tmp_path, known, clock, unit, signature, reason):
    rows = [{name: value.replace("a.service", unit) for name, value in row.items()} for row in gated_rows()]
    with closing(State.open(tmp_path)) as state:
        watch = watching(state, Journal(rows), known, own_unit="watch.service")
        for _ in range(4):
            watch.round()
            clock.pass_(2)
        assert {known_class for _, known_class in watch.tracker.classes} == {signature}, reason
