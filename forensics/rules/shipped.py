"""Give the rules that `replay` tries when it is given none, for one unit."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from forensics.rules.rule import Rule
from forensics.rules.rule_file import rules_of

_FILE = Path(__file__).with_name("shipped.yml")
EXAMPLE = "tabbyapi"  # the unit that the rules about one unit name
# the groups of the file, each named after a project → where its rules are
SOURCES = {
    "seed": "the incident report that this program began with",
    "node-mixin": "prometheus/node_exporter docs/node-mixin",
    "awesome-prometheus-alerts": "samber/awesome-prometheus-alerts",
    "site-reliability-workbook": "The Site Reliability Workbook, chapter 5",
    "tabby-forensics": "tabby-forensics",
}


def shipped_rules(unit: str = f"{EXAMPLE}.service") -> tuple[Rule, ...]:
    """Return the shipped rules, those about one unit for the given one."""
    return tuple(_for_unit(rule, unit.rpartition(".")[0] or unit) for rule in _shipped())


@lru_cache(maxsize=1)
def _shipped() -> tuple[Rule, ...]:
    return tuple(rules_of(_FILE, _FILE.read_text(encoding="utf-8")).rules)


def _for_unit(rule: Rule, stem: str) -> Rule:
    source = f"shipped: {rule.group}"
    name = rule.alert.replace("TabbyAPI", stem.title().replace("-", "")) if stem != EXAMPLE else rule.alert
    escaped = stem.replace("\\", "\\\\").replace('"', '\\"')  # units have escapes of their own: dev-disk\x2d1
    return replace(rule, alert=name, expr=rule.expr.replace(EXAMPLE, escaped), file="shipped.yml", source=source)
