"""A file that wants to cost more than it is long gets one sentence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forensics.rules import judge_rules
from forensics.rules.rule_file import rules_of
from forensics.rules.yaml_nodes import MOST_NODES, YamlError, documents


def laughs(start, ninefold):
    """Write nine lists, each of nine times the one before."""
    lines = [f"a: &a {start}"]
    lines += [f"{new}: &{new} " + ninefold.format(",".join([f"*{old}"] * 9)) for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (laughs("[x]", "[{}]") + "\ngroups: *i\n", "counting what its aliases repeat"),
        (laughs("{alert: x, expr: up}", "{{<<: [{}]}}") + "\ngroups: [{name: a, rules: [*i]}]\n", "counting what its aliases repeat"),
        ("groups: &a [*a]\n", "contains itself"),
        ("groups: &a {rules: {b: *a}}\n", "contains itself"),
        ("[" * 100_000, "is not YAML|nested"),
        ("- " * 100_000, "nested more than 100 levels deep"),
        ("\n".join(" " * level + "a:" for level in range(300)), "nested more than 100 levels deep"),
        ("- x\n" * (MOST_NODES + 1), "has more than 500,000 values"),
        ("groups: *a\n", "there is no anchor for *a"),
        ("groups: \x01\n", "is not YAML"),
        ("%YAML 9.9\n---\ngroups: []\n", "is not YAML"),
    ],
)
def test_a_bomb_is_refused(text, words):
    found = rules_of(Path("rules.yml"), text)
    assert found.rules == []
    (mistake,) = found.mistakes
    assert any(word in mistake.text for word in words.split("|")), mistake


def test_no_tag_is_obeyed(tmp_path):
    mark = tmp_path / "mark"
    text = f'groups: !!python/object/apply:os.system ["touch {mark}"]\n'
    assert rules_of(Path("rules.yml"), text).rules == []
    assert not mark.exists()


def test_an_alias_that_is_used_often_is_no_bomb():
    text = "labels: &l {a: b}\ngroups:\n- name: a\n  rules:\n" + "".join(
        f"  - {{alert: A{number}, expr: up, labels: *l}}\n" for number in range(2000)
    )
    assert len(rules_of(Path("rules.yml"), text).rules) == 2000


@given(st.text(alphabet="ab:-[]{}&*!|>'\"# \n?,<", max_size=60))
def test_no_text_is_worse_than_a_mistake(text):
    rules_of(Path("rules.yml"), text)


@given(
    st.recursive(st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3))
)
def test_json_is_read_as_it_is(value):
    import json

    def plain(node):
        if hasattr(node, "items"):
            return [plain(item) for item in node.items]
        return {key.value: plain(part) for key, part in node.pairs} if hasattr(node, "pairs") else node.value

    text = json.dumps([value], ensure_ascii=True)
    try:
        (root,) = documents(text)
    except YamlError:
        assert any(escape in text for escape in ("\\ud", "\\u0", "\\b", "\\f", "\\uf")), text  # half a pair, or what YAML refuses in a text
    else:
        assert plain(root) == [value]


@given(st.text(alphabet="up{}()[]=~\"'a1m, +-*/<>!orand", max_size=40))
def test_no_expression_is_worse_than_a_mistake(expr):
    import json

    found = rules_of(Path("rules.yml"), f"groups: [{{name: a, rules: [{{alert: X, expr: {json.dumps(expr)}}}]}}]")
    assert len(found.rules) + bool(found.mistakes) == 1
    judge_rules(found.rules)
