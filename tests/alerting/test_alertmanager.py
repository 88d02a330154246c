"""The sink against a real Alertmanager, and the exporter against a real Prometheus that tells it."""

import json
import time
import urllib.parse
from contextlib import contextmanager

import pytest

from forensics.alerting.alert import Alert
from forensics.alerting.sinks import KINDS
from forensics.alerting.sinks.sink import UnreachableError
from forensics.watch.exporter import serve
from forensics.watch.metrics import Metrics
from tests.http_recorder import Recorder
from tests.servers import NEEDS_PROMETHEUS, free_port, http_get, running_server, wait_for

pytestmark = [*NEEDS_PROMETHEUS, pytest.mark.slow]
LOOP = Alert("RestartLoop", "a.service", "hydra", "critical", "a.service restarts again and again", time.time(), count=3)


@contextmanager
def alertmanager(folder, hook, port=None):
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    folder.mkdir(exist_ok=True)
    (folder / "alertmanager.yml").write_text(
        f"""route: {{receiver: hook, group_by: [alertname, unit, signature], group_wait: 0s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: hook, webhook_configs: [{{url: '{hook}', send_resolved: true}}]}}]
"""
    )
    options = ["--storage.path=data", f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]
    with running_server(["prometheus-alertmanager", "--config.file=alertmanager.yml", *options], url, folder):
        yield url


def test_an_alert_fires_and_is_resolved_with_its_words(tmp_path):
    with Recorder() as hook, alertmanager(tmp_path / "am", hook.url) as url:
        sink = KINDS["alertmanager"][0](url)
        assert sink.send(LOOP) == "HTTP 200"
        wait_for(lambda: len(hook.got) == 1)
        sink.send(LOOP)  # posted again: still one alert
        (known,) = json.loads(http_get(f"{url}/api/v2/alerts"))
        assert known["labels"] == LOOP.labels()
        sink.send(Alert(**{field: getattr(LOOP, field) for field in LOOP.__slots__} | {"ended_at": time.time()}))
        wait_for(lambda: len(hook.got) == 2)
    firing, resolved = hook.got
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert resolved["alerts"][0]["annotations"] == firing["alerts"][0]["annotations"] == LOOP.annotations()


def test_an_alertmanager_that_is_gone_is_unreachable(tmp_path):
    with Recorder() as hook, alertmanager(tmp_path / "am", hook.url) as url:
        pass
    with pytest.raises(UnreachableError):
        KINDS["alertmanager"][0](url).send(LOOP)


def test_a_prometheus_that_scrapes_the_exporter_tells_of_a_loop(tmp_path):
    metrics = Metrics()
    metrics.unit_label("a.service")
    server = serve(metrics, "127.0.0.1", 0)
    rule = "increase(tabby_forensics_unit_restarts_total[1m]) > 2"
    (tmp_path / "rules.yml").write_text(f"groups: [{{name: t, rules: [{{alert: UnitRestartLoop, expr: '{rule}'}}]}}]\n")
    port = free_port()
    try:
        with Recorder() as hook, alertmanager(tmp_path / "am", hook.url) as url:
            (tmp_path / "prometheus.yml").write_text(
                f"""global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
alerting: {{alertmanagers: [{{api_version: v2, static_configs: [{{targets: ['{url.removeprefix("http://")}']}}]}}]}}
rule_files: [rules.yml]
scrape_configs: [{{job_name: t, static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]}}]
"""
            )
            base = f"http://127.0.0.1:{port}"
            options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address=127.0.0.1:{port}"]
            with running_server(["prometheus", *options], base, tmp_path):
                query = f"{base}/api/v1/query?query={urllib.parse.quote('tabby_forensics_unit_restarts_total')}"
                wait_for(lambda: json.loads(http_get(query))["data"]["result"])
                for _ in range(5):
                    metrics.restart("a.service")
                wait_for(lambda: hook.got)
    finally:
        server.close()
    assert hook.got[0]["alerts"][0]["labels"]["unit"] == "a.service"
