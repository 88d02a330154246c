"""Each mistake and each rule has the line that a person would look at, whatever the style of YAML."""

from pathlib import Path

import pytest

from forensics.rules.rule_file import rules_of

HEAD = "groups:\n- name: a\n  rules:\n"


def mistakes(text):
    return [(mistake.line, mistake.text) for mistake in rules_of(Path("rules.yml"), text).mistakes]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (HEAD + "  - alert: X\n    expr: |\n      up ==\n      foo >\n      > 3\n", 8, "unexpected '>'"),
        (HEAD + "  - alert: X\n    expr: |-\n      # why\n\n      sum(\n        up\n", 9, "it ends too early|unclosed"),
        (HEAD + "  - alert: X\n    expr: >-\n      up ==\n\n      foo >\n      > 3\n", 9, "unexpected '>'"),
        (HEAD + "  - alert: X\n    expr: up ==\n      foo >\n      > 3\n", 7, "unexpected '>'"),
        (HEAD + '  - alert: X\n    expr: "up ==\n      foo >\n      > 3"\n', 7, "unexpected '>'"),
        (HEAD + "  - alert: X\n    expr: 'up\n      == \"\n      x'\n", 6, "unterminated"),
        (HEAD + "  - alert: X\n    expr: |\n      rate(x[5m]) > 1\n      and rates(y[5m])\n", 7, "unknown function with name 'rates'"),
        (HEAD + "  - alert: X\n    expr: up\n    exp: y\n", 6, "unknown key 'exp'"),
        (HEAD + "  - alert: X\n    expr: up\n    for: soon\n", 6, "'for' must be a duration"),
        (HEAD + "  - alert: X\n    expr: up\n    labels:\n      severity: page\n      severity: x\n", 8, "'severity' is there twice"),
        (HEAD + "  - alert: X\n    expr: up\n    annotations:\n      a: b\n      summary: '{{ $x }}'\n", 8, "undefined variable"),
        (HEAD + "  - alert: X\n", 4, "needs 'expr'"),
        (HEAD + "  - expr: up\n", 4, "needs 'alert' or 'record'"),
        (HEAD + "  - record: a:b\n    expr: up\n    for: 5m\n", 6, "a recording rule cannot have 'for'"),
        ("groups:\n- name: a\n  rules: []\n- name: a\n  rules: []\n", 4, "is used twice"),
        ("groups:\n\t- name: a\n", 2, "is not YAML"),
        ("a: &a [*a]\n", 1, "contains itself"),
    ],
)
def test_a_mistake_has_its_line(text, line, words):
    (found,) = mistakes(text)
    assert found[0] == line, found
    assert any(word in found[1] for word in words.split("|")), found


@pytest.mark.parametrize("expr", ["up == 0", "|\n      up == 0", ">\n      up\n      == 0", "'up == 0'", "|2-\n       up == 0"])
def test_a_rule_has_its_line_and_that_of_its_expression(expr):
    (rule,) = rules_of(Path("rules.yml"), f"{HEAD}  - alert: X\n    for: 1m\n    expr: {expr}\n").rules
    assert rule.line == 4
    assert rule.expr_line == (7 if expr[0] in "|>" else 6)
    assert rule.source == "rules.yml:4"


def test_the_other_rules_of_a_file_with_mistakes_are_kept():
    text = HEAD + "".join(f"  - alert: A{number}\n    expr: {'up ==' if number % 2 else 'up'}\n" for number in range(6))
    found = rules_of(Path("rules.yml"), text)
    assert [rule.alert for rule in found.rules] == ["A0", "A2", "A4"]
    assert [mistake.line for mistake in found.mistakes] == [7, 11, 15]


def test_documents_before_broken_yaml_are_kept():
    resource = "kind: PrometheusRule\nspec:\n  groups:\n  - name: a\n    rules:\n    - {alert: X, expr: up}\n"
    found = rules_of(Path("rules.yml"), f"{resource}---\ngroups: [\n")
    assert [rule.alert for rule in found.rules] == ["X"]
    assert [mistake.line for mistake in found.mistakes] == [9]
