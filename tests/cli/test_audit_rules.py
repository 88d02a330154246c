"""`audit rules` as the CI of a rules repository calls it."""

import json
import subprocess
import sys

import pytest

from tests.cli.running import assert_one_sentence, run, run_in_own_process

SEED = """groups:
  - name: tabbyapi
    rules:
      - alert: TabbyAPIDown
        expr: up{job="tabbyapi"} == 0
        for: 1m
      - alert: TabbyAPIRestartLoop
        expr: increase(systemd_unit_start_total{name="tabbyapi.service"}[10m]) > 5
"""
GOOD = """groups:
- name: a
  rules:
  - {alert: Restarts, expr: "increase(node_systemd_service_restart_total[5m]) > 2"}
  - {alert: Mine, expr: "my_metric > 1 and my_other_metric > 2"}
"""


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "seed.yml").write_text(SEED)
    (tmp_path / "good.yml").write_text(GOOD)
    return tmp_path


def test_the_rules_of_the_seed(rules):
    result = run("audit", "rules", str(rules / "seed.yml"))
    assert result.returncode == 3
    assert result.stdout == (
        f"{rules}/seed.yml:4: TabbyAPIDown asks for a target that there cannot be\n"
        "  up: no target can have job='tabbyapi': TabbyAPI serves no /metrics, so that Prometheus cannot scrape it; probe it "
        "(blackbox_exporter: probe_success) or name the job of another exporter (--prometheus-config tells which there are)\n"
        "\n"
        f"{rules}/seed.yml:7: TabbyAPIRestartLoop can never fire\n"
        "  systemd_unit_start_total: systemd_exporter has no such metric\n"
        "  nearest: systemd_service_restart_total       systemd_exporter, with --systemd.collector.enable-restart-count\n"
        "           node_systemd_service_restart_total  node_exporter, with --collector.systemd "
        "--collector.systemd.enable-restarts-metrics\n"
        "           systemd_unit_cpu_seconds_total      systemd_exporter\n"
        "\n"
        "2 rules in 1 file: 1 can never fire, 1 asks for a target that there cannot be.\n"
    )


def test_as_json_every_finding_has_file_line_and_the_nearest_metrics(rules):
    result = run("audit", "rules", "--format", "json", str(rules))
    answer = json.loads(result.stdout)
    assert answer["schema_version"] == 1
    assert answer["files"] == [f"{rules}/good.yml", f"{rules}/seed.yml"]
    assert answer["counts"] == {
        "dead": 1, "always-fires": 0, "partly-dead": 0, "no-target": 1, "mistake": 0, "doubtful": 0, "unknown-metric": 2, "flag": 1,
    }  # fmt: skip
    (dead,) = [finding for finding in answer["findings"] if finding["kind"] == "dead"]
    assert (dead["file"], dead["line"], dead["rule"], dead["metric"]) == (
        f"{rules}/seed.yml",
        7,
        "TabbyAPIRestartLoop",
        "systemd_unit_start_total",
    )
    assert dead["nearest"][0] == {
        "metric": "systemd_service_restart_total",
        "exporter": "systemd_exporter",
        "flag": "--systemd.collector.enable-restart-count",
    }
    assert [(rule["rule"], rule["outcome"]) for rule in answer["rules"]] == [
        ("Restarts", "can fire"),
        ("Mine", "can fire"),
        ("TabbyAPIDown", "can fire"),
        ("TabbyAPIRestartLoop", "never fires"),
    ]
    assert [selector["verdict"] for rule in answer["rules"] for selector in rule["selectors"]] == [
        "known",
        "not covered",
        "not covered",
        "no target",
        "dead",
    ]


def test_unknown_metrics_and_flags_are_summed_up(rules):
    result = run("audit", "rules", str(rules / "good.yml"))
    assert result.returncode == 0
    assert result.stdout == (
        "Off by default, so that these need a flag of their exporter:\n"
        "  node_systemd_service_restart_total  --collector.systemd --collector.systemd.enable-restarts-metrics"
        f"  ({rules}/good.yml:4)\n"
        "\n"
        "2 rules in 1 file: none is dead.\n"
        "Selectors: 1 known, 2 not in the catalogue.\n"
    )


def test_unknown_metrics_are_listed_where_they_fail_the_build(rules):
    result = run("audit", "rules", "--fail-on", "unknown-metric", str(rules / "good.yml"))
    assert result.returncode == 3
    assert f"{rules}/good.yml:5: Mine uses a metric that is not in the catalogue\n  my_metric: " in result.stdout


@pytest.mark.parametrize(
    ("file", "fail_on", "exit_code"),
    [
        ("seed.yml", "dead", 3),
        ("seed.yml", "none", 0),
        ("seed.yml", "mistake,unknown-metric", 0),
        ("seed.yml", "no-target", 3),
        ("good.yml", "dead,always-fires,partly-dead,no-target,mistake,doubtful", 0),
        ("good.yml", "flag", 3),
    ],
)
def test_only_what_is_asked_for_fails_the_build(rules, file, fail_on, exit_code):
    assert run("audit", "rules", "--fail-on", fail_on, str(rules / file)).returncode == exit_code


def test_a_file_with_a_mistake_fails_and_its_good_rules_are_judged(rules):
    (rules / "bad.yml").write_text(SEED.replace("up{", "up{{"))
    result = run("audit", "rules", str(rules / "bad.yml"))
    assert result.returncode == 3
    assert f"{rules}/bad.yml:5: TabbyAPIDown: the expression is not PromQL" in result.stdout
    assert f"{rules}/bad.yml:7: TabbyAPIRestartLoop can never fire" in result.stdout
    assert result.stdout.endswith("Prometheus loads no rule of a file with a mistake.\n")


def test_many_mistakes_of_a_file_are_counted(rules):
    (rules / "bad.yml").write_text("groups:\n- name: a\n  rules:\n" + "  - alert: X\n" * 14)
    result = run("audit", "rules", str(rules / "bad.yml"))
    assert result.stdout.count("needs 'expr'") == 10
    assert f"{rules}/bad.yml: 4 more mistakes (--format json has all)\n" in result.stdout
    assert len(json.loads(run("audit", "rules", "--format", "json", str(rules / "bad.yml")).stdout)["findings"]) == 14


def test_a_configuration_decides_about_targets(rules):
    config = rules / "prometheus.yml"
    config.write_text("scrape_configs:\n- job_name: node\n- job_name: vllm\n")
    result = run("audit", "rules", "--prometheus-config", str(config), str(rules / "seed.yml"))
    assert f"no target can have job='tabbyapi': the jobs of {config} are 'node' or 'vllm'" in result.stdout
    assert "seed.yml:4: TabbyAPIDown can never fire" in result.stdout
    config.write_text("scrape_configs:\n- job_name: tabbyapi\n")
    assert "TabbyAPIDown" not in run("audit", "rules", "--prometheus-config", str(config), str(rules / "seed.yml")).stdout


def test_a_rendered_chart_comes_from_standard_input():
    result = run("audit", "rules", "-", input=SEED)
    assert "-:7: TabbyAPIRestartLoop can never fire" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.yml"], "does not exist"),
        (["--fail-on", "bad", "seed.yml"], "There is no kind of finding 'bad'"),
        (["--format", "xml", "seed.yml"], "There is no format 'xml'"),
        (["--prometheus-config", "seed.yml", "seed.yml"], "is not a configuration of Prometheus"),
    ],
)
def test_a_usage_error_is_one_sentence(rules, monkeypatch, arguments, words):
    monkeypatch.chdir(rules)
    assert_one_sentence(run("audit", "rules", *arguments), 2, words)


def test_names_are_harmless_and_secrets_hidden(rules):
    evil = 'groups: [{name: a, rules: [{alert: "x\\e[31m\\ny AKIAIOSFODNN7EXAMPLE", expr: node_cpu}]}]\n'
    (rules / "evil.yml").write_text(evil)
    for format_ in ("term", "json"):
        shown = run("audit", "rules", "--format", format_, str(rules / "evil.yml")).stdout
        assert "\x1b" not in shown
        assert "AKIAIOSFODNN7EXAMPLE" not in shown
        assert "x y ⟨access-key-1⟩" in shown
    assert "AKIAIOSFODNN7EXAMPLE" in run("audit", "rules", "--no-redact", str(rules / "evil.yml")).stdout


def test_neither_polars_nor_a_network_is_loaded(rules):
    program = "import sys; from forensics.cli import main\ntry:\n main()\nfinally:\n print(*sys.modules, file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", program, "audit", "rules", str(rules)], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert not {"polars", "pyarrow", "http.client", "urllib.request"} & set(done.stderr.split())


def test_it_runs_by_itself(rules):
    assert run_in_own_process("audit", "rules", str(rules)).returncode == 3
