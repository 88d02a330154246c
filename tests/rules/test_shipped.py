"""The rules that `replay` tries by itself are rules that Prometheus loads, each with its project."""

import shutil
import subprocess
from pathlib import Path

import pytest

from forensics.rules import DEAD, NO_TARGET, judge, shipped_rules
from forensics.rules.rule_file import rules_of
from forensics.rules.shipped import SOURCES

FILE = Path(__file__).resolve().parents[2] / "forensics/rules/shipped.yml"


def test_every_rule_has_a_project():
    rules = shipped_rules()
    assert len(rules) == 25
    assert {rule.group for rule in rules} == SOURCES.keys()
    assert all(rule.source == f"shipped: {rule.group}" for rule in rules)
    assert len({rule.alert for rule in rules}) == len(rules)


def test_none_has_a_mistake():
    assert rules_of(FILE, FILE.read_text()).mistakes == []


def test_only_the_two_rules_of_the_seed_cannot_fire():
    cannot = {rule.alert: verdict.verdict for rule in shipped_rules() for verdict in judge(rule) if verdict.verdict in {DEAD, NO_TARGET}}
    assert cannot == {"TabbyAPIDown": NO_TARGET, "TabbyAPIRestartLoop": DEAD}


def test_rules_about_one_unit_name_the_unit_that_is_asked_for():
    rules = {rule.alert: rule.expr for rule in shipped_rules("vllm-a.service")}
    assert rules["VllmADown"] == 'up{job="vllm-a"} == 0'
    assert rules["UnitActivating"] == 'node_systemd_unit_state{name="vllm-a.service", state="activating"} == 1'
    assert not any("tabbyapi" in expr for expr in rules.values())
    assert rules["RestartsOften"] == {rule.alert: rule.expr for rule in shipped_rules()}["RestartsOften"]


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_promtool_accepts_them():
    done = subprocess.run(["promtool", "check", "rules", str(FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "SUCCESS: 25 rules found" in done.stdout
