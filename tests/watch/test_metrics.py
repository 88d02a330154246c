"""The exporter: names that promtool accepts, bounded labels, only two pages."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from forensics.errors import ForensicsError
from forensics.model.values import Signature
from forensics.policy.class_state import STATES
from forensics.watch.metrics import LASTING_S, MOST_SIGNATURES, MOST_UNITS, STUCK_S, Metrics, serve
from forensics.watch.tracker import Tracker
from tests.watch.stories import STEADY, Life

opened = urllib.request.build_opener().open


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


def test_an_address_that_is_in_use_is_an_error_with_a_sentence():
    server = serve(Metrics(), "127.0.0.1", 0)
    with pytest.raises(ForensicsError, match=rf"127.0.0.1:{server.server_port}: Address already in use"):
        serve(Metrics(), "127.0.0.1", server.server_port)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("listens", "reached_at"),
    [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]"), ("::", "127.0.0.1")],
)
def test_the_exporter_listens_on_ipv4_and_ipv6(listens, reached_at):
    server = serve(Metrics(), listens, 0)
    try:
        with opened(f"http://{reached_at}:{server.server_port}/healthz") as page:
            assert page.read() == b"ok\n"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(("host", "shown"), [("2001:db8::1", r"\[2001:db8::1\]:1"), ("no.such.host.invalid", "no.such.host.invalid:1")])
def test_an_address_of_another_host_is_an_error_with_a_sentence(host, shown):
    with pytest.raises(ForensicsError, match=f"cannot listen on {shown}: "):
        serve(Metrics(), host, 1)


def test_a_watch_that_hangs_is_not_healthy():
    metrics = Metrics(alive_at=time.monotonic() - STUCK_S - 1)
    server = serve(metrics, "127.0.0.1", 0)
    try:
        with pytest.raises(urllib.error.HTTPError) as error:
            opened(f"http://127.0.0.1:{server.server_port}/healthz")
        assert error.value.code == 503
        error.value.close()
    finally:
        server.shutdown()
        server.server_close()


def test_the_server_has_only_two_pages():
    server = serve(filled(), "127.0.0.1", 0)
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        with opened(f"{base}/metrics") as page:
            assert b"tabby_forensics_build_info" in page.read()
        with opened(f"{base}/healthz") as page:
            assert page.read() == b"ok\n"
        with pytest.raises(urllib.error.HTTPError) as error:
            opened(f"{base}/../etc/passwd")
        assert error.value.code == 404
        error.value.close()
    finally:
        server.shutdown()
        server.server_close()
