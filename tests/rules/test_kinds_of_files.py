"""Rule files, Kubernetes resources, several documents, directories, patterns, standard input."""

import io
import os
import sys
from pathlib import Path

import pytest

from forensics.errors import UsageError
from forensics.rules import read_rules
from forensics.rules.finding import LONGEST_FILE
from forensics.rules.rule_file import rules_of

RULES = (
    "groups:\n- name: a\n  interval: 30s\n  labels: {team: x, severity: y}\n  rules:\n  - {alert: X, expr: up, labels: {severity: page}}\n"
)
RESOURCE = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: x}
spec:
  groups:
  - name: a
    partial_response_strategy: warn
    rules:
    - alert: Y
      expr: up
"""


def names(found):
    return [rule.name for rule in found.rules]


def test_a_rule_has_the_settings_of_its_group():
    (rule,) = rules_of(Path("a.yml"), RULES).rules
    assert (rule.group, rule.interval_s, rule.labels) == ("a", 30.0, {"team": "x", "severity": "page"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RESOURCE, ["Y"]),
        (f"kind: Deployment\n---\n{RESOURCE}---\n{RESOURCE.replace('Y', 'Z')}", ["Y", "Z"]),
        ("kind: List\nitems:\n- " + RESOURCE.replace("\n", "\n  "), ["Y"]),
        ("kind: PrometheusRuleList\nitems:\n- " + RESOURCE.replace("\n", "\n  "), ["Y"]),
        ("kind: Deployment\n", []),
    ],
)
def test_kubernetes_resources(text, expected):
    found = rules_of(Path("a.yml"), text)
    assert names(found) == expected
    assert found.mistakes == []


def test_a_resource_says_what_is_wrong_with_it():
    found = rules_of(Path("a.yml"), RESOURCE.replace("expr: up", "expr: up =="))
    assert [mistake.line for mistake in found.mistakes] == [10]


def test_later_documents_of_a_rule_file_are_never_loaded():
    found = rules_of(Path("a.yml"), f"{RULES}---\n{RULES}")
    assert names(found) == ["X", "X"]
    assert [mistake.text for mistake in found.mistakes] == [
        "Prometheus reads only the first YAML document of a rule file; the rules below are never loaded"
    ]


def test_merged_keys_count_and_own_ones_go_first():
    text = "groups:\n- name: a\n  rules:\n  - &x {alert: A, expr: up, for: 5m}\n  - {<<: [*x, {labels: {a: b}}], alert: B}\n"
    first, second = rules_of(Path("a.yml"), text).rules
    assert (second.alert, second.expr, second.hold_s, second.labels) == ("B", first.expr, 300.0, {"a": "b"})


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "rules/below").mkdir(parents=True)
    (tmp_path / "rules/a.yml").write_text(RULES)
    (tmp_path / "rules/below/b.yaml").write_text(RESOURCE)
    (tmp_path / "rules/values.yaml").write_text("replicas: 1\n")
    (tmp_path / "rules/tests.yml").write_text("rule_files: [a.yml]\ntests: []\n")
    (tmp_path / "rules/.git").mkdir()
    (tmp_path / "rules/.git/c.yml").write_text(RULES)
    (tmp_path / "rules/notes.txt").write_text("groups: nothing")
    return tmp_path / "rules"


def test_a_directory_is_read_with_what_is_below_it(tree):
    found = read_rules([tree])
    assert names(found) == ["X", "Y"]
    assert found.files == (str(tree / "a.yml"), str(tree / "below/b.yaml"))
    assert found.mistakes == ()


def test_a_pattern_names_files(tree):
    assert names(read_rules([tree / "**/*.yaml"])) == ["Y"]


def test_a_file_that_is_named_twice_is_read_once(tree):
    assert names(read_rules([tree / "a.yml", tree, tree / "*.yml"])) == ["X", "Y"]


def test_a_named_file_without_rules_is_a_mistake(tree):
    (mistake,) = read_rules([tree / "values.yaml", tree / "a.yml"]).mistakes
    assert str(mistake) == f"{tree / 'values.yaml'}: has no rules: neither 'groups:' nor a PrometheusRule"


def test_standard_input_is_read(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(RULES.encode())))
    found = read_rules([Path("-")])
    assert [rule.source for rule in found.rules] == ["-:6"]


@pytest.mark.parametrize(("name", "words"), [("nothing.yml", "does not exist"), ("*.nothing", "matches no file")])
def test_what_is_not_there_is_a_usage_error(tree, name, words):
    with pytest.raises(UsageError, match=words):
        read_rules([tree / "a.yml", tree / name])


def test_a_directory_without_rules_is_a_usage_error(tmp_path):
    (tmp_path / "a.yml").write_text("a: b\n")
    with pytest.raises(UsageError, match="There is no rule file in"):
        read_rules([tmp_path])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (os.mkfifo, "is a pipe"),
        (lambda path: path.symlink_to("/dev/zero"), "is a device"),
        (lambda path: path.write_bytes(b"groups: \xff\n"), "is not UTF-8 at byte 8"),
        (lambda path: path.touch() or os.truncate(path, LONGEST_FILE + 1), "is longer than 8,388,608 bytes"),
        (lambda path: path.symlink_to("nowhere.yml"), "cannot be read"),
        (lambda path: path.write_text("groups: \x00"), "is not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_and_the_others_are_judged(tree, make, words):
    make(tree / "z.yml")
    found = read_rules([tree])
    assert names(found) == ["X", "Y"]
    (mistake,) = found.mistakes
    assert words in mistake.text
    assert mistake.file == tree / "z.yml"


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    (tmp_path / "a.yml").write_text("\ufeff" + RULES, encoding="utf-8")
    assert names(read_rules([tmp_path / "a.yml"])) == ["X"]
