"""The generated unit tests are green on the real promtool, of Prometheus 2 and where it is there of 3, and red when a rule is changed."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.generate.candidates import EXPORTERS, down_rules, failed_rules, missing_rule, restart_rules, watchdog_rule
from forensics.generate.promtool_tests import Excerpt, excerpt_test, promtool_text, rendered, selector
from forensics.generate.rule_file import Group, rules_text
from forensics.promql import StepSeries
from tests.generate.promtools import PROMTOOLS

UNIT = "tabby.service"
NODE = EXPORTERS["node"]
LABELS = {"name": UNIT, "instance": "alpha:9100", "job": "node"}
RULES = [
    *(rule for rule in restart_rules(UNIT, NODE, 13.0) if rule.expr.endswith("[5m]) > 2")),
    next(failed_rules(UNIT, NODE)),
    next(down_rules(UNIT, "blackbox-tabby")),
    missing_rule([UNIT], NODE),
    watchdog_rule(),
]


def loop(start, cycle_s, restarts, before=0.0):
    """The restart counter of a loop that begins at `start`."""
    times = start + cycle_s * np.arange(1, restarts + 1)
    return StepSeries(NODE.restarts, LABELS, np.concatenate([[0.0], times]), before + np.arange(restarts + 1.0))


def states(start):
    """A unit that fails for good at `start`."""
    labels = {**LABELS, "state": "failed", "type": "simple"}
    return StepSeries(NODE.state, labels, np.array([0.0, start]), np.array([0.0, 1.0]))


def probe(start, until):
    labels = {"job": "blackbox-tabby", "instance": "http://127.0.0.1:5000/health", "unit": UNIT}
    return StepSeries("probe_success", labels, np.array([0.0, start, until]), np.array([1.0, 0.0, 1.0]))


EXCERPTS = [
    Excerpt("a loop", 600.0, 2100.0, [loop(1200.0, 12.9, 60, before=7), states(1500.0), probe(1200.0, 1700.0)]),
    Excerpt("a slow loop", 600.0, 3000.0, [loop(1203.7, 49.4, 30), states(9999.0)]),
    Excerpt("one restart", 600.0, 2100.0, [loop(1210.0, 10.0, 1, before=3), states(9999.0), probe(1210.0, 1260.0)]),
    Excerpt("nothing is exported", 600.0, 2100.0, []),
]


def written(folder, rules, excerpts):
    (folder / "rules.yml").write_text(rules_text("# rules\n", [Group("g", [(rule, []) for rule in rules])]))
    tests = [excerpt_test(excerpt, rules, 15.0) for excerpt in excerpts]
    (folder / "tests.yml").write_text(promtool_text("# tests\n", "rules.yml", tests, 15.0))
    return tests


def promtool(program, folder):
    return subprocess.run([program, "test", "rules", str(folder / "tests.yml")], capture_output=True, text=True, check=False)


@pytest.mark.real
@pytest.mark.skipif(not PROMTOOLS, reason="Prometheus is not installed")
@pytest.mark.parametrize("program", PROMTOOLS)
def test_they_are_green(tmp_path, program):
    written(tmp_path, RULES, EXCERPTS)
    done = promtool(program, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.real
@pytest.mark.skipif(not PROMTOOLS, reason="Prometheus is not installed")
@pytest.mark.parametrize(
    ("number", "change", "why"),
    [
        (0, {"expr": RULES[0].expr.replace("> 2", "> 0")}, "fires at one restart"),
        (0, {"expr": RULES[0].expr.replace("> 2", "> 12")}, "fires too late"),
        (0, {"expr": RULES[0].expr.replace("node_systemd_service", "systemd_unit")}, "never fires"),
        (1, {"hold_s": 600.0}, "fires too late"),
        (2, {"hold_s": 0.0}, "fires at one failed probe"),
        (3, {"expr": "absent(node_systemd_service_restart_total)", "hold_s": 0.0}, "fires at once"),
    ],
)
def test_they_are_red_when_a_rule_is_changed(tmp_path, number, change, why):
    written(tmp_path, RULES, EXCERPTS)
    changed = [replace(rule, **change) if position == number else rule for position, rule in enumerate(RULES)]
    (tmp_path / "rules.yml").write_text(rules_text("", [Group("g", [(rule, []) for rule in changed])]))
    assert promtool(PROMTOOLS[0], tmp_path).returncode != 0, why


def test_each_rule_is_checked_to_fire_and_not_to(tmp_path):
    tests = written(tmp_path, RULES, EXCERPTS)
    fires, silent = set(), set()
    for test in tests:
        for check in test["alert_rule_test"]:
            (fires if check["exp_alerts"] else silent).add(check["alertname"])
    names = {rule.alert for rule in RULES}
    assert fires == names
    assert silent == names - {"Watchdog"}


def test_the_firing_is_checked_with_a_margin_of_a_scrape(tmp_path):
    (test, *_) = written(tmp_path, RULES[:1], EXCERPTS[:1])
    silent, firing = (check["eval_time"] for check in test["alert_rule_test"])
    assert (silent, firing) == ("615s", "660s")  # it fires at 630 s in Prometheus 2, at 645 s in 3


def test_texts_are_filled_in_as_prometheus_does():
    text = '{{ $labels.name }} on {{ $labels.instance }}: {{ $value | printf "%.0f" }}, {{ $labels.none }}.'
    assert rendered(text, LABELS, 3.157) == "tabby.service on alpha:9100: 3, ."
    assert rendered(text, LABELS, 2.5) == "tabby.service on alpha:9100: 2, ."  # Go rounds half to even too


def test_a_label_cannot_end_its_string():
    assert selector(StepSeries("x", {"a": 'b"c\\d\ne'}, np.array([0.0]), np.array([0.0]))) == 'x{a="b\\"c\\\\d\\ne"}'


@pytest.mark.real
@pytest.mark.skipif(not PROMTOOLS, reason="Prometheus is not installed")
@settings(max_examples=8)
@given(st.floats(1200, 1215), st.floats(5, 90), st.integers(1, 80), st.integers(0, 20))
def test_any_loop_gives_green_tests(tmp_path_factory, start, cycle_s, restarts, before):
    folder = tmp_path_factory.mktemp("any")
    written(folder, RULES, [Excerpt("any", 600.0, 2400.0, [loop(start, cycle_s, restarts, before), states(start + 300)])])
    for program in PROMTOOLS:
        done = promtool(program, folder)
        assert done.returncode == 0, done.stdout + done.stderr
