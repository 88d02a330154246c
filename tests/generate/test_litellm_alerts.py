"""The breaker's alerts as its sinks take them, its health checks, its metrics."""

import json
import shutil
import subprocess

import pytest

from forensics.generate import litellm_alerts as alerts
from forensics.generate import litellm_checks as checks
from forensics.generate.litellm_breaker import Breaker
from tests.generate.litellm_requests import NAME, Requests
from tests.http_recorder import Recorder
from tests.servers import free_port, http_get, running_server, wait_for

ALERT = alerts.Alert(NAME, "tabby.service", "alpha", "5 failures in a row", 1_765_000_000.0)
RESOLVED = alerts.Alert(NAME, "tabby.service", "alpha", "it answers again", 1_765_000_000.0, 1_765_000_060.0)
# kind, where in the body the summary is
BODIES = [
    ("alertmanager", lambda body: body[0]["annotations"]["summary"]),
    ("webhook", lambda body: body["annotations"]["summary"]),
    ("ntfy", lambda body: body["title"]),
    ("slack", lambda body: body["text"]),
    ("discord", lambda body: body["content"]),
]


def test_each_kind_of_sink_is_tested():
    assert {kind for kind, _ in BODIES} == set(alerts.SINKS)


@pytest.mark.parametrize(("kind", "summary"), BODIES)
def test_a_sink_gets_both_alerts_in_their_order(kind, summary):
    with Recorder() as recorder:
        sink = {"kind": kind, "url": f"{recorder.url}/x", "token": "T0PS3CR3T"}
        for alert in (ALERT, RESOLVED):
            alerts.send(sink, alert)
        assert [summary(body) for body in recorder.got] == [
            "LiteLLM no longer asks tabby: 5 failures in a row; its fallbacks answer",
            "LiteLLM asks tabby again: it answers again",
        ]


def test_a_sink_that_is_busy_is_tried_again_and_one_that_refuses_is_not(monkeypatch, caplog):
    monkeypatch.setattr(alerts.time, "sleep", lambda _: None)
    with Recorder(answers=[503, 429, 200, 400]) as recorder:
        sink = {"kind": "webhook", "url": f"{recorder.url}/T0PS3CR3T"}
        alerts.send(sink, ALERT)
        assert [status for status, _ in recorder.bodies] == [503, 429, 200]
        alerts.send(sink, ALERT)
        assert len(recorder.bodies) == 4
    assert "the alert about tabby was not taken by the webhook: HTTP 400" in caplog.text
    assert "T0PS3CR3T" not in caplog.text


def test_a_redirect_is_not_followed():
    with Recorder(answers=[302]) as recorder:
        alerts.send({"kind": "webhook", "url": recorder.url}, ALERT)
        assert recorder.paths == ["/"]


@pytest.mark.real
@pytest.mark.skipif(shutil.which("prometheus-alertmanager") is None, reason="prometheus-alertmanager is not installed")
def test_alertmanager_takes_and_resolves_the_alert(tmp_path):
    (tmp_path / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    url = f"http://127.0.0.1:{free_port()}"
    command = ["prometheus-alertmanager", f"--web.listen-address={url[7:]}", "--cluster.listen-address=", "--config.file=alertmanager.yml"]

    def active():
        return [alert["labels"]["deployment"] for alert in json.loads(http_get(f"{url}/api/v2/alerts"))]

    with running_server([*command, f"--storage.path={tmp_path}"], url, tmp_path):
        for alert, expected in ((ALERT, [NAME]), (RESOLVED, [])):
            alerts.send({"kind": "alertmanager", "url": url}, alert)
            wait_for(lambda expected=expected: active() == expected, 10)


@pytest.fixture
def opened():
    requests = Requests()
    requests.fail(5)
    requests.clock.now += 60
    requests.begin()
    return requests


# status of the health check, whether the server is taken for healthy, why
HEALTH = [
    (200, True, ""),
    (503, False, "TabbyAPI's issues"),
    (404, True, "no such path: it answers"),
    (401, True, "it wants a key: it answers"),
]


@pytest.mark.parametrize(("status", "healthy", "why"), HEALTH)
def test_what_a_health_check_shows(status, healthy, why, monkeypatch):
    with Recorder() as server:
        monkeypatch.setattr(server, "look_up", lambda _: (status, b""))
        assert checks.answers(f"{server.url}/health", 5) is healthy, why


def test_a_server_that_does_not_answer_is_not_healthy():
    assert not checks.answers(f"http://127.0.0.1:{free_port()}/health", 1)


def test_the_metrics_are_as_prometheus_reads_them(opened, tmp_path):
    file = tmp_path / "tabby_breaker.prom"
    checks.write_metrics(file, opened.breakers)
    assert [line for line in file.read_text().splitlines() if not line.startswith("#")] == [
        'tabby_breaker_state{deployment="tabby"} 1',
        'tabby_breaker_bad_checks{deployment="tabby"} 0',
        'tabby_breaker_opened_total{deployment="tabby"} 1',
        'tabby_breaker_probes_total{deployment="tabby"} 1',
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["tabby_breaker.prom"]
    collected = {sample.name: sample.value for family in checks.Collector(opened.breakers).collect() for sample in family.samples}
    assert collected["tabby_breaker_opened_total"] == 1
    assert collected["tabby_breaker_state"] == 1


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_promtool_finds_no_fault_with_the_metrics(opened):
    text = checks.metrics_text({**opened.breakers.all, 'odd"name\\': Breaker()})
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_metrics_that_cannot_be_written_are_logged(opened, tmp_path, caplog):
    checks.write_metrics(tmp_path / "none" / "x.prom", opened.breakers)
    assert "cannot be written" in caplog.text
