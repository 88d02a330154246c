"""Every rule that is tried is a rule that Prometheus accepts, on metrics that exporters have, and selects the unit."""

import shutil
import subprocess

import promql_parser
import pytest
import yaml

from forensics.generate.candidates import (
    EXPORTERS,
    class_rules,
    down_rules,
    failed_rules,
    missing_rule,
    restart_rules,
    watchdog_rule,
)
from forensics.generate.rule_file import Group, rules_text
from forensics.rules import read_rules

UNITS = ["tabbyapi.service", r"dev-by\x2dlabel.service", "job@.service"]


def all_rules(unit):
    for exporter in EXPORTERS.values():
        yield from restart_rules(unit, exporter, 49.4)
        yield from failed_rules(unit, exporter)
        yield missing_rule(UNITS, exporter)
    yield from down_rules(unit, "blackbox-x")
    yield from class_rules(unit, "torch.abi-mismatch")
    yield watchdog_rule()


@pytest.mark.parametrize("unit", UNITS)
def test_every_candidate_is_promql(unit):
    for rule in all_rules(unit):
        promql_parser.parse(rule.expr)


@pytest.mark.real
@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed")
def test_promtool_accepts_every_candidate(tmp_path):
    rules = [(rule, ["a comment"]) for unit in UNITS for rule in all_rules(unit)]
    file = tmp_path / "rules.yml"
    file.write_text(rules_text("# head\n", [Group("all", rules)]))
    done = subprocess.run(["promtool", "check", "rules", "--lint=none", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_a_file_reads_back_as_its_rules(tmp_path):
    rules = list(all_rules(UNITS[1]))
    file = tmp_path / "rules.yml"
    file.write_text(rules_text("# head\n", [Group("all", [(rule, ["x\ny"]) for rule in rules])]))
    read = read_rules([file])
    assert read.mistakes == ()
    pairs = zip(read.rules, rules, strict=True)
    assert all(
        (a.expr, a.alert, a.hold_s, a.labels, a.annotations) == (b.expr, b.alert, b.hold_s, b.labels, b.annotations) for a, b in pairs
    )


def test_a_range_holds_the_restarts_it_counts_twice():
    for rule in restart_rules("a.service", EXPORTERS["node"], 49.4):
        threshold = int(rule.expr.rpartition(" ")[2])
        minutes = int(rule.expr.partition("[")[2].partition("m]")[0]) if "m]" in rule.expr else 60
        assert minutes * 60 >= 2 * (threshold + 1) * 49.4


def test_a_loop_that_is_too_slow_for_every_range_has_no_rule_on_many_restarts():
    exprs = [rule.expr for rule in restart_rules("a.service", EXPORTERS["node"], 1500)]
    assert [expr[-3:] for expr in exprs] == ["> 0"]


def test_no_annotation_shows_a_raw_value():
    for unit in UNITS:
        for rule in all_rules(unit):
            assert "{{ $value }}" not in str(rule.annotations)


def test_each_rule_has_the_labels_that_are_routed_and_grouped_by():
    for rule in all_rules("a.service"):
        assert rule.labels["severity"] in {"critical", "warning", "none"}
        assert rule.labels["severity"] != "critical" or rule.labels["unit"] == "a.service"


def test_comments_are_above_their_rule():
    text = rules_text("", [Group("g", [(watchdog_rule(), ["Proven: it always fires."])])])
    assert "      # Proven: it always fires.\n      - alert: Watchdog\n" in text
    assert yaml.safe_load(text)["groups"][0]["rules"][0]["expr"] == "vector(1)"
