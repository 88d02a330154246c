"""Write rules as a file of Prometheus, each after comments that say what was proven of it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import wording
from forensics.generate.basis import Basis, commented, head
from forensics.generate.candidates import EXPORTERS
from forensics.generate.rules import UnitRules, common_rules
from forensics.generate.wanted import Wanted
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


def rules_file(basis: Basis, found: Sequence[UnitRules], wanted: Wanted) -> str:
    """Write the rules of all units, and those that notice when these cannot work."""
    of_units = [unit for unit in found if unit.rules]
    groups = [Group(f"tabby-forensics {unit.unit}", [(one.rule, one.sentences) for one in unit.rules]) for unit in of_units]
    common = [(one.rule, one.sentences) for one in common_rules([unit.unit for unit in of_units], wanted)]
    lines = head(basis, "Rules", "rules", _explained(found, wanted))
    return rules_text(commented(lines), [*groups, Group("tabby-forensics alerting", common)])


def _explained(found: Sequence[UnitRules], wanted: Wanted) -> Iterator[str]:
    within, interval = wording.duration(wanted.within_s), wording.duration(wanted.interval_s)
    yield (
        f"Proven: each rule, unless it says otherwise, fires within {within} of the start of the incidents that it names, and 0 times "
        f"outside of incidents in this history: replayed in the modes of Prometheus 2 and 3, with scrapes and evaluations each {interval} "
        "in 4 × 4 phases. T+45 s (26–53) is the middle and the range over these. A firing up to 10 min after an incident is its echo."
    )
    yield (
        "Tried: more than 5, 3, 2, 1 or 0 restarts in 5 min to 1 h, in a range that holds them twice at the slowest cycle of the unit, "
        "and the state failed. Chosen: the rule with the most restarts that is in time."
    )
    for exporter in (EXPORTERS[name] for name in wanted.exporters):
        yield f"Needs {exporter.program} with {exporter.needs}."
    yield "Check it with promtool check rules FILE; `generate tests` writes its unit tests; `replay --rules FILE` proves it again."
    yield from (f"Not in this file: {sentence}." for unit in found for sentence in unit.refused)


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
