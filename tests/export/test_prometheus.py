"""History in Prometheus' formats, judged by promtool, a real Prometheus and a real node_exporter."""

import itertools
import json
import re
import shutil
import subprocess
import urllib.parse
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.golden import make
from forensics import resources
from forensics.export.openmetrics import QUIET_S, _Steps, openmetrics_text
from forensics.export.textfile import prometheus_text
from forensics.pipeline import investigate
from forensics.query import Query, Sources
from forensics.timespec import parse_time
from tests.export.failing_unit import BOOT, investigate_journal, write_journal
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


def test_over_a_clock_that_jumps_by_55_years_only_what_happened_is_written(tmp_path):
    file = write_journal(tmp_path, restarts=4)
    before = file.read_text().replace('"__REALTIME_TIMESTAMP": "1765', '"__REALTIME_TIMESTAMP": "0000')  # as on a board without a clock
    after = write_journal(tmp_path, restarts=4).read_text().replace(BOOT, "d" * 32)
    file.write_text(before + after)
    pieces = openmetrics_text(investigate(Query(Sources((), (file,)), tmp_path / "store", datetime.now(UTC))), 60)
    text = "".join(itertools.islice(pieces, 100))
    assert text.endswith("# EOF\n")
    times = sorted({int(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")})
    assert times[0] < 3600
    assert times[-1] > 1_765_000_000
    assert len(times) < 300
    assert re.findall(r"^tabby_forensics_unit_restarts_total\{.*?\} (\d+) \d+$", text, re.MULTILINE)[-1] == "8"


@given(st.lists(st.integers(0, 200_000), max_size=30), st.sampled_from([1, 7, 60, 3600, 86_400]))
def test_the_sampled_steps_are_those_near_an_event(times, step):
    steps = _Steps(step, 0, 200_000 // step + 1)
    grid = np.arange(steps.last + 1) * step
    expected = grid[np.any([np.zeros(len(grid)), *(np.abs(grid - time) <= max(QUIET_S, step) for time in times)], axis=0)]
    assert steps.near(np.array(times, np.float64)).tolist() == expected.tolist()


@pytest.mark.parametrize(("kind", "expected"), [("restart-loop", 1), ("outage", 0), ("failing-job", 0), ("recurring", 0)])
def test_a_loop_is_active_only_in_an_incident_that_is_a_loop(tmp_path, kind, expected):
    found = investigate_journal(tmp_path, restarts=5)
    incidents = tuple(replace(incident, kind=kind, ongoing=True, end=None) for incident in found.report.incidents)
    found = replace(found, report=replace(found.report, incidents=incidents))
    assert len(incidents) == 1
    assert f'unit_loop_active{{unit="a.service"}} {expected}.0' in prometheus_text(found).decode()
    values = re.findall(r"^tabby_forensics_unit_loop_active\{.*?\} (\d+) \d+$", "".join(openmetrics_text(found, 1)), re.MULTILINE)
    assert ("1" in values) == bool(expected)


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
    source = Sources((seed / "journal",))
    query = Query(source, folder / "store", datetime.now(UTC), since=since, until=until, pattern_folders=(resources.folder("patterns"),))
    found = investigate(query)
    (folder / "history.om").write_text("".join(openmetrics_text(found, 60)))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1458h"]  # it reads the text for each block
    subprocess.run([*command, "history.om", "data"], check=True, capture_output=True, cwd=folder)
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
