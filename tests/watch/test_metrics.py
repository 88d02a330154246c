"""The exporter: names that promtool accepts, bounded labels, exact sums."""

import shutil
import subprocess

import pytest

from forensics.model.values import Signature
from forensics.policy.class_state import STATES
from forensics.watch.metrics import LASTING_S, MOST_SIGNATURES, MOST_UNITS, Metrics
from forensics.watch.tracker import Tracker
from tests.watch.stories import STEADY, Life


def filled(units=2, signatures=2) -> Metrics:
    metrics, tracker = Metrics(), Tracker()
    for unit in range(units):
        metrics.restart(f"u{unit}.service")
        life = Life(tracker, unit=f"u{unit}.service")
        for number in range(signatures):
            end = life.ended(number, Signature(f"mined:{number}", "t", "high"))
            tracker.settle((end,), ())
            metrics.attempt(end, tracker)
    metrics.units(tracker, 0.0)
    return metrics


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(f"tabby_forensics_{name}", labels)


def test_what_is_counted():
    metrics = filled()
    assert value(metrics, "unit_restarts_total", unit="u0.service") == 1
    assert value(metrics, "failures_total", unit="u1.service", signature="mined:1") == 1
    assert value(metrics, "attempt_duration_seconds_count", unit="u0.service") == 2
    assert value(metrics, "unit_up", unit="u0.service") == 0


def test_label_values_are_bounded():
    metrics = filled(units=MOST_UNITS + 5, signatures=1)
    assert value(metrics, "unit_restarts_total", unit="other") == 5
    metrics = filled(units=1, signatures=MOST_SIGNATURES + 5)
    assert value(metrics, "failures_total", unit="u0.service", signature="other") == 5


def test_a_class_of_the_baseline_starts_at_zero():
    metrics = Metrics()
    metrics.signature_label(metrics.unit_label("a.service"), "x.y", 5.0)
    assert value(metrics, "failures_total", unit="a.service", signature="x.y") == 0


def test_short_lived_units_without_failures_take_no_label():
    metrics, tracker = Metrics(), Tracker()
    for number in range(MOST_UNITS + 10):
        life = Life(tracker, unit=f"run-{number}.service")
        life.start(0)
        life.end(0.1, None, "clean")
        metrics.units(tracker, STEADY + 1)
    Life(tracker).start(0)
    metrics.units(tracker, STEADY + LASTING_S)
    assert value(metrics, "unit_up", unit="a.service") == 1
    assert value(metrics, "unit_restarts_total", unit="a.service") == 0
    assert b"run-" not in metrics.text()


def test_a_unit_that_the_tracker_forgot_is_down():
    metrics, life = Metrics(), Life()
    life.start(0)
    metrics.units(life.tracker, STEADY + LASTING_S)
    life.end(90, None, "clean")
    life.tick(400)
    assert life.tracker.units == {}
    metrics.units(life.tracker, STEADY + 400)
    assert value(metrics, "unit_up", unit="a.service") == 0


def test_a_unit_of_two_machines_is_up_while_one_of_them_has_it_up():
    metrics, tracker = Metrics(), Tracker()
    Life(tracker).loop(3)
    other = Life(tracker, machine="m2")
    other.start(0)
    metrics.units(tracker, STEADY + LASTING_S)
    assert value(metrics, "unit_up", unit="a.service") == 1
    assert value(metrics, "unit_loop_active", unit="a.service") == 1


def test_a_class_is_in_one_state():
    metrics = filled(units=1, signatures=1)
    states = {state: value(metrics, "class_state", unit="u0.service", signature="mined:0", state=state) for state in STATES}
    assert states == {"new": 1, "ongoing": 0, "regressed": 0, "escalating": 0}


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_accepts_the_metrics():
    done = subprocess.run(["promtool", "check", "metrics"], input=filled().text(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
