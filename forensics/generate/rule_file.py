"""Write rules as a file of Prometheus, each after comments that say what was proven of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from forensics.generate.basis import commented
from forensics.generate.yaml_text import yaml_text
from forensics.rules import Rule


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the file. rules: each with the sentences above it."""

    name: str
    rules: Sequence[tuple[Rule, Sequence[str]]]


def rules_text(head: str, groups: Iterable[Group]) -> str:
    """Write the file. head: comments."""
    return head + "groups:\n" + "".join(_group(group) for group in groups)


def _group(group: Group) -> str:
    begin = yaml_text([{"name": group.name}], 2) + "    rules:\n"
    return begin + "".join(_commented_rule(rule, sentences) for rule, sentences in group.rules)


def _commented_rule(rule: Rule, sentences: Sequence[str]) -> str:
    return textwrap.indent(commented(sentences), " " * 6) + yaml_text([rule_fields(rule)], 6)


def rule_fields(rule: Rule) -> dict[str, Any]:
    """Return the fields of an alerting rule as its file has them."""
    fields: dict[str, Any] = {"alert": rule.alert, "expr": rule.expr}
    if rule.hold_s:
        fields["for"] = f"{rule.hold_s:.0f}s"
    return {**fields, "labels": dict(rule.labels), "annotations": dict(rule.annotations)}
