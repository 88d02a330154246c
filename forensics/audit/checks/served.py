"""Prepare what Prometheus has, so that many rules can be judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forensics.audit.checks.targets import is_about_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.prometheus import Prometheus, Target
from forensics.model.controls import Replayed
from forensics.promql import Matcher, Selector, UnsupportedError
from forensics.rules import Rule

UNIT_LABELS = {"node_systemd_": "name", "systemd_": "name", "tabby_forensics_": "unit"}  # prefix of a metric → the label with the unit
PER_TARGET = ("up", "probe_", "scrape_")  # metrics that each target has
Labels = Mapping[str, str]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Served:
    """What Prometheus has. counts: of series, by selector; null where a configuration does not show them. targets: about the unit."""

    found: Inventory
    prometheus: Prometheus
    counts: Mapping[str, int] | None
    labels: Mapping[str, tuple[Labels, ...]]  # of the unit's series, by metric
    targets: tuple[Target, ...]
    errors: Mapping[Key, str]  # of rules that are loaded
    replayed: Mapping[Key, Replayed]

    @property
    def unit(self) -> str:
        return self.found.subject.unit

    def count(self, selector: str | None) -> int:
        """Return how many series Prometheus has; 0 where that was not asked."""
        return (self.counts or {}).get(selector or "", 0)

    def of_unit(self, selector: Selector) -> list[Labels]:
        """Return the labels of the unit's series and targets that a selector accepts."""
        metric = selector.metric or ""
        of_targets = [target.labels for target in self.targets] if metric.startswith(PER_TARGET) else []
        return [labels for labels in (*self.labels.get(metric, ()), *of_targets) if accepts(selector, labels)]


def served(found: Inventory, prometheus: Prometheus) -> Served:
    series = prometheus.series
    return Served(
        found,
        prometheus,
        None if series is None else {each.selector: each.count for each in series},
        {each.selector: each.labels for each in series or () if each.labels},
        tuple(target for target in prometheus.targets or () if is_about_unit(found, target)),
        {key_of(state.rule): state.last_error for state in prometheus.rules or ()},
        {(each.control, each.source): each for each in found.journal.replayed if each.kind == "rule"},
    )


def key_of(rule: Rule) -> Key:
    """Identify a rule: two may have one name. The same key has what was replayed of it."""
    return rule.name, rule.source or f"{rule.file}:{rule.line}"


def unit_label(metric: str) -> str:
    """Return the label that holds the unit in the series of a metric, "" of a metric that is not about units."""
    return next((label for prefix, label in UNIT_LABELS.items() if metric.startswith(prefix)), "")


def accepts(selector: Selector, labels: Labels) -> bool | None:
    """Whether the matchers accept the labels; null where a regular expression cannot be evaluated."""
    answers = [accepts_value(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers]
    return False if False in answers else None if None in answers else True


def accepts_value(matcher: Matcher, value: str) -> bool | None:
    try:
        return matcher.accepts(value)
    except UnsupportedError:
        return None
