"""`replay` shows what controls would have done; a user's mistakes are named, and the rest is replayed."""

import json

import pytest

from tests.attempts.building import Journal
from tests.cli.journals import export_format
from tests.cli.running import assert_one_sentence, run

RULES = """groups:
  - name: ours
    rules:
      - alert: Loop
        expr: increase(node_systemd_service_restart_total[5m]) > 2
        labels: {severity: page}
      - alert: Broken
        expr: increase(
      - alert: Failed
        expr: node_systemd_unit_state{state="failed"} == 1
        for: 5m
"""
ROUTES = """route:
  receiver: nobody
  group_wait: 10s
  routes:
    - receiver: pager
      matchers: ['severity="page"']
receivers:
  - name: nobody
  - name: pager
    webhook_configs: [{url: 'http://127.0.0.1:1/'}]
"""


@pytest.fixture(scope="module")
def looping(tmp_path_factory) -> list[str]:
    """The options for a service that held for twenty minutes and then failed sixty times."""
    journal = Journal()
    journal.manager("started", "run-0")
    journal.manager("stopping", "run-0", after=1200)
    journal.manager("stopped", "run-0", JOB_TYPE="stop", JOB_RESULT="done")
    for number in range(1, 61):
        journal.now += 60_000_000 if number == 1 else 0
        journal.fails(f"run-{number}", number)
    folder = tmp_path_factory.mktemp("looping")
    (folder / "x.export").write_text(export_format(journal))
    return ["--file", str(folder / "x.export"), "--store", str(folder / "store"), "--tz", "UTC"]


def replayed(looping, *options) -> dict[str, dict]:
    result = run("replay", *looping, "--format", "json", *options)
    assert result.returncode == 0, result.stderr
    (incident,) = json.loads(result.stdout)["incidents"]
    return {row["id"]: row for row in incident["replay"]}


def test_shipped_controls_are_replayed_on_each_incident(looping):
    rows = replayed(looping)
    assert rows["limit:5/300"]["status"] == "fires"
    assert rows["rule:NodeSystemdServiceFailed"]["status"] == "never"
    assert list(rows["limit:5/300"])[:5] == ["id", "control", "kind", "source", "status"]


def test_the_terminal_shows_what_fires_first_and_why_others_do_not(looping):
    text = run("replay", *looping, env={"COLUMNS": "160"}).stdout
    assert "app.service on h, from 2025-12-07" in text
    assert text.index("StartLimit 5/300 s") < text.index("Would not have fired") < text.index("PrometheusTargetMissing ")
    assert "Assumed" in text


def test_own_rules_take_the_place_of_shipped_ones_and_mistakes_are_named(looping, tmp_path):
    (tmp_path / "ours.yml").write_text(RULES)
    result = run("replay", *looping, "--format", "json", "--rules", str(tmp_path / "ours.yml"))
    assert result.returncode == 0
    assert f"{tmp_path}/ours.yml:8: Broken:" in result.stderr
    rows = {row["id"]: row for row in json.loads(result.stdout)["incidents"][0]["replay"]}
    assert {id_ for id_ in rows if id_.startswith("rule:")} == {"rule:Loop", "rule:Failed"}
    assert rows["rule:Loop"]["source"] == f"{tmp_path}/ours.yml:4"


def test_routes_decide_whether_an_alert_is_delivered(looping, tmp_path):
    (tmp_path / "ours.yml").write_text(RULES)
    (tmp_path / "alertmanager.yml").write_text(ROUTES)
    rows = replayed(
        looping, "--rules", str(tmp_path), "--alertmanager", str(tmp_path / "alertmanager.yml"), "--limit", "5/300"
    )  # fmt: skip
    assert rows["rule:Loop"]["delivered_after_s"] == rows["rule:Loop"]["after_s"] + 10
    stack = rows["stack:5/300+Failed"]
    assert stack["delivered_after_s"] is None
    assert "'nobody', which has no integration" in stack["reason"]


def test_limits_probes_polls_and_routers_are_the_users(looping, tmp_path):
    (tmp_path / "app.service").write_text("[Unit]\nStartLimitIntervalSec=5min\nStartLimitBurst=4\n[Service]\nRestart=no\nRestartSec=30\n")
    rows = replayed(
        looping, "--limit", "7/10min", "--probe", "30s,for=2m", "--kuma", "20s,retries=1", "--litellm", "2/30s,requests=5s",
        "--unit-file", str(tmp_path / "app.service"),
    )  # fmt: skip
    assert rows["limit:7/600"]["source"] == "--limit"
    assert {"probe:30/120", "poll:20/1", "litellm:cooldown 2/30", f"policy:{tmp_path}/app.service"} <= set(rows)
    assert rows[f"limit:{tmp_path}/app.service"]["refusals"] == 1
    assert "limit:5/300" not in rows


def test_the_versions_of_prometheus_differ_by_a_scrape(looping):
    early, late = (replayed(looping, "--prometheus-version", version)["rule:RestartsOften"]["earliest_s"] for version in "32")
    assert early <= late


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--limit", "five"], ["'five'", "5/300"]),
        (["--probe", "15s,for"], ["15s,for=1m"]),
        (["--kuma", "soon"], ["60s,retries=2"]),
        (["--litellm", "4"], ["4/60s"]),
        (["--scrape", "0.5s"], ["'0.5s'", "15s"]),
        (["--prometheus-version", "4"], ["'4'", "2", "3"]),
        (["--rules", "/nowhere.yml"], ["/nowhere.yml"]),
        (["--alertmanager", "/nowhere.yml"], ["/nowhere.yml"]),
        (["--unit-file", "/nowhere.service"], ["/nowhere.service"]),
        (["--format", "html"], ["'html'", "term"]),
    ],
)
def test_a_wrong_option_is_named(looping, options, words):
    assert_one_sentence(run("replay", *looping, *options), 2, *words)


def test_a_window_without_incidents_says_so(tmp_path):
    journal = Journal()
    journal.manager("started", "run-0")
    journal.writes("run-0", "hello", after=1200)
    (tmp_path / "x.export").write_text(export_format(journal))
    result = run("replay", "--file", str(tmp_path / "x.export"), "--store", str(tmp_path / "store"))
    assert result.stdout.strip() == "There is no incident in this window to replay controls on."


def test_secrets_in_rules_do_not_leave(looping, tmp_path):
    rules = tmp_path / "ours.yml"
    rules.write_text(RULES.replace('state="failed"', 'state="failed", name="password=hunter2secret"'))
    assert "hunter2secret" not in run("replay", *looping, "--format", "json", "--rules", str(rules)).stdout
    private = tmp_path / "out.json"
    assert run("replay", *looping, "--format", "json", "--rules", str(rules), "--no-redact", "-o", str(private)).returncode == 0
    assert "hunter2secret" in private.read_text()
    assert private.stat().st_mode & 0o077 == 0
