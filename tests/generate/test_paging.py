"""The files generated for the seed incident page: a real Prometheus and Alertmanager see its first minute, a receiver gets the alert.

The minute is played SPEED times as fast, so that the test takes half a minute; TABBY_TEST_SPEED=1 plays it as it was.
"""

import os
import re
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import polars as pl
import pytest

from fixtures.golden import make
from forensics.generate.alertmanager import alertmanager_text, head_lines
from forensics.generate.basis import basis_of, commented
from forensics.generate.receivers import parse_receiver
from forensics.generate.rule_file import rules_file
from forensics.generate.rules import find_rules
from forensics.generate.wanted import Wanted
from forensics.pipeline import investigate
from forensics.query import Query, Sources
from forensics.resources import folder
from tests.http_recorder import Recorder
from tests.servers import NEEDS_PROMETHEUS, free_port, running_server, wait_for

pytestmark = [*NEEDS_PROMETHEUS, pytest.mark.slow]
SPEED = float(os.environ.get("TABBY_TEST_SPEED", "3"))
UNIT = "tabbyapi.service"


@pytest.fixture(scope="module")
def month(seed, tmp_path_factory):
    """Investigate the seed month."""
    source = Sources((seed / "journal",), ()) if (seed / "journal").is_dir() else Sources((), (seed / "seed.export",))
    since, until = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (make.WINDOW[1], make.WINDOW[3]))
    query = Query(source, tmp_path_factory.mktemp("month"), until, since=since, until=until, pattern_folders=(folder("patterns"),))
    return investigate(query)


class Player:
    """Stands in for node_exporter: shows the restart counter of the unit as it was, from its first scrape on."""

    def __init__(self, restarts_s, speed):
        self.began = None
        player = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                player.began = player.began or time.monotonic()
                played = (time.monotonic() - player.began) * speed
                count = sum(at <= played for at in restarts_s)
                page = f'# TYPE node_systemd_service_restart_total counter\nnode_systemd_service_restart_total{{name="{UNIT}"}} {count}\n'
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextmanager
def alertmanager(place, text):
    address = f"127.0.0.1:{free_port()}"
    place.mkdir()
    (place / "alertmanager.yml").write_text(text)
    options = ["--config.file=alertmanager.yml", "--storage.path=data", f"--web.listen-address={address}", "--cluster.listen-address="]
    with running_server(["prometheus-alertmanager", *options], f"http://{address}", place):
        yield address


@contextmanager
def prometheus(place, rules, exporter, alertmanager_address):
    address = f"127.0.0.1:{free_port()}"
    place.mkdir()
    (place / "rules.yml").write_text(rules)
    (place / "prometheus.yml").write_text(f"""global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
rule_files: [rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{alertmanager_address}']}}]}}]}}
scrape_configs: [{{job_name: node, static_configs: [{{targets: ['{exporter}'], labels: {{host: hydra-ai}}}}]}}]
""")
    options = ["--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    with running_server(["prometheus", *options], f"http://{address}", place):
        yield


def test_the_first_minute_of_the_seed_incident_pages(month, tmp_path):
    basis = basis_of(month)
    restarts = month.restarts.filter(pl.col("incident").is_not_null())["time"].head(40)
    # the counter's steps, in seconds from the first failed start, 12.9 s before the first restart
    player = Player([(restart - basis.incidents[0].start).total_seconds() for restart in restarts], SPEED)
    with Recorder() as hook:
        to = parse_receiver(f"webhook:{hook.url}/hook")
        routes = alertmanager_text(commented(head_lines(basis, to, None)), to)
        rules = rules_file(basis, find_rules(basis, Wanted()), Wanted())
        with alertmanager(tmp_path / "am", routes) as address, prometheus(tmp_path / "prom", rules, player.address, address):
            wait_for(lambda: any(page["commonLabels"].get("alertname") == "UnitRestartLoop" for page in hook.got), 120)
            took = time.monotonic() - player.began
    page = next(page for page in hook.got if page["commonLabels"]["alertname"] == "UnitRestartLoop")
    print(f"paged {took:.1f} s after the first scrape, played {SPEED:g} times as fast")  # noqa: T201
    assert page["status"] == "firing"
    assert page["groupLabels"] == {"alertname": "UnitRestartLoop", "host": "hydra-ai", "unit": UNIT}
    assert page["commonLabels"]["severity"] == "critical"
    (alert,) = page["alerts"]
    assert re.fullmatch(rf"{UNIT} on 127.0.0.1:\d+ was restarted about [2-5] times in 5 min\.", alert["annotations"]["description"])
    assert {page["commonLabels"]["alertname"] for page in hook.got} == {"UnitRestartLoop"}
    assert took < 60 / SPEED + 15
