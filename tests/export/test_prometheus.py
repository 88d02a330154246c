"""History in Prometheus' formats, judged by promtool, a real Prometheus and a real node_exporter."""

import json
import re
import shutil
import subprocess
import urllib.parse
from datetime import UTC, datetime

import pytest

from fixtures.golden import make
from forensics.export.openmetrics import openmetrics_text
from forensics.export.textfile import prometheus_text
from forensics.pipeline import investigate
from forensics.query import Query, Sources
from forensics.timespec import parse_time
from tests.export.failing_unit import investigate_journal
from tests.servers import NEEDS_PROMETHEUS, free_port, http_get, running_server

SAMPLE = re.compile(r'^[a-z_]+(?:\{[a-z_]+="(?:[^"\\\n]|\\.)*"(?:,[a-z_]+="(?:[^"\\\n]|\\.)*")*\})? \d+ \d+$')


def test_every_line_is_a_sample_however_hostile_the_names_are(tmp_path):
    found = investigate_journal(tmp_path, host='h"} 1\n# EOF\\')
    lines = "".join(openmetrics_text(found, 60)).splitlines()
    assert lines[-1] == "# EOF"
    assert lines.count("# EOF") == 1
    assert [line for line in lines if not line.startswith("# ") and not SAMPLE.match(line)] == []


def test_a_counter_begins_at_zero_and_ends_at_the_number_of_restarts(tmp_path):
    text = "".join(openmetrics_text(investigate_journal(tmp_path), 1))
    values = [int(value) for value in re.findall(r"^tabby_forensics_unit_restarts_total\{.*?\} (\d+) \d+$", text, re.MULTILINE)]
    assert (values[0], values[-1]) == (0, 3)
    assert values == sorted(values)


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_to_say_about_the_textfile(tmp_path):
    text = prometheus_text(investigate_journal(tmp_path))
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert b'tabby_forensics_unit_restarts_total{unit="a.service"} 3.0' in text


@pytest.mark.real
@pytest.mark.skipif(shutil.which("prometheus-node-exporter") is None, reason="prometheus-node-exporter is not installed")
def test_node_exporter_takes_the_textfile(tmp_path):
    folder = tmp_path / "collected"
    folder.mkdir()
    (folder / "tabby.prom").write_bytes(prometheus_text(investigate_journal(tmp_path)))
    port = free_port()
    command = ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{port}", "--collector.disable-defaults", "--collector.textfile"]
    with running_server([*command, f"--collector.textfile.directory={folder}"], f"http://127.0.0.1:{port}", tmp_path):
        page = http_get(f"http://127.0.0.1:{port}/metrics").decode()
    assert 'tabby_forensics_unit_restarts_total{unit="a.service"} 3' in page
    assert "node_textfile_scrape_error 0" in page


@pytest.fixture(scope="module")
def seed_answers(seed, tmp_path_factory):
    """Query → value, of a Prometheus that was given the seed incident."""
    if not (seed / "journal").is_dir():
        pytest.skip("systemd-journal-remote is not installed: there are no real journal files of the seed incident")
    folder = tmp_path_factory.mktemp("prometheus")
    since, until = (
        parse_time(make.WINDOW[make.WINDOW.index(name) + 1], now=datetime.now(UTC), zone=UTC) for name in ("--since", "--until")
    )
    found = investigate(Query(Sources((seed / "journal",)), folder / "store", datetime.now(UTC), since=since, until=until))
    (folder / "history.om").write_text("".join(openmetrics_text(found, 60)))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "history.om", "data"]
    subprocess.run(command, check=True, capture_output=True, cwd=folder)
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    url = f"http://127.0.0.1:{free_port()}"
    options = ["--storage.tsdb.path=data", "--storage.tsdb.retention.time=100y", f"--web.listen-address={url.removeprefix('http://')}"]

    with running_server(["prometheus", "--config.file=prometheus.yml", *options], url, folder):

        def asked(query: str, at: float) -> dict[str, float]:
            page = http_get(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query, 'time': at})}")
            rows = json.loads(page)["data"]["result"]
            return {row["metric"].get("signature", ""): float(row["value"][1]) for row in rows}

        yield found.report, asked


@pytest.mark.slow
class TestSeed:
    pytestmark = NEEDS_PROMETHEUS

    def test_the_increase_over_the_incident_is_the_reports_number(self, seed_answers):
        report, asked = seed_answers
        (incident,) = report.incidents
        start = incident.start.timestamp() // 60 * 60 - 60
        end = incident.end.timestamp() // 60 * 60 + 120
        span = f"[{end - start:.0f}s]"
        total = asked(f"sum(increase(tabby_forensics_unit_restarts_total{span}))", end)
        assert total[""] == pytest.approx(incident.restarts, abs=0.5)
        by_class = asked(f"sum by (signature) (increase(tabby_forensics_class_restarts_total{span}))", end)
        expected = {row.signature: row.restarts for row in incident.classes}
        assert {name: round(value) for name, value in by_class.items() if round(value)} == expected

    def test_the_loop_is_active_within_the_incident_only(self, seed_answers):
        report, asked = seed_answers
        (incident,) = report.incidents
        query = "sum(tabby_forensics_unit_loop_active)"
        assert asked(query, incident.start.timestamp() + 600) == {"": 1}
        assert asked(query, incident.start.timestamp() - 600) == {"": 0}
