"""Derive the labels of the alert that a rule would raise about the audited unit."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.audit.checks.targets import targets_of_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.prometheus import Prometheus
from forensics.audit.inventory.selectors import selectors_of
from forensics.promql import Matcher, Selector, SyntaxMistakeError, UnsupportedError, parse
from forensics.promql.tree import Aggregation, walk
from forensics.rules import Rule

UNIT_LABELS = {"node_systemd_": "name", "systemd_": "name", "tabby_forensics_": "unit"}  # prefix of a metric → the label with the unit
PER_TARGET = ("up", "probe_", "scrape_")  # metrics that each target has


def alert_labels(found: Inventory, prometheus: Prometheus, rule: Rule) -> tuple[dict[str, str], bool]:
    """Return the labels that the alert would have, and whether there are no others: known only from series or targets."""
    selectors = selectors_of(rule)
    known = next((labels for selector in selectors for labels in _series_of(found, prometheus, selector)), None)
    labels = {**prometheus.external_labels, **_surviving(rule, known or {})}
    if known is None:
        labels.update({label: found.subject.unit for selector in selectors if (label := unit_label(selector.metric or ""))})
    own = {name: value for name, value in rule.labels.items() if "{{" not in value}
    return {**labels, **own, "alertname": rule.alert}, known is not None and len(own) == len(rule.labels)


def unit_label(metric: str) -> str:
    """Return the label that holds the unit in the series of a metric, "" of a metric that is not about units."""
    return next((label for prefix, label in UNIT_LABELS.items() if metric.startswith(prefix)), "")


def labels_of_unit(prometheus: Prometheus, metric: str) -> tuple[Mapping[str, str], ...]:
    """Return the labels of the audited unit's series of a metric, as far as they were kept."""
    return next((series.labels for series in prometheus.series or () if series.selector == metric), ())


def _series_of(found: Inventory, prometheus: Prometheus, selector: Selector) -> list[Mapping[str, str]]:
    metric = selector.metric or ""
    series = list(labels_of_unit(prometheus, metric))
    if metric.startswith(PER_TARGET):
        series += [target.labels for target in targets_of_unit(found)]
    return [labels for labels in series if accepts(selector, labels)]


def accepts(selector: Selector, labels: Mapping[str, str]) -> bool | None:
    """Whether the matchers accept the labels; null where a regular expression cannot be evaluated."""
    answers = [accepts_value(matcher, labels.get(matcher.label, "")) for matcher in selector.matchers]
    return False if False in answers else None if None in answers else True


def accepts_value(matcher: Matcher, value: str) -> bool | None:
    try:
        return matcher.accepts(value)
    except UnsupportedError:
        return None


def _surviving(rule: Rule, labels: Mapping[str, str]) -> dict[str, str]:
    """Keep the labels that the outermost aggregation of the expression keeps."""
    try:
        tree = parse(rule.expr).tree
    except (SyntaxMistakeError, UnsupportedError):
        return dict(labels)
    aggregation = next((node for node in walk(tree) if isinstance(node, Aggregation)), None)
    if aggregation is None:
        return dict(labels)
    return {name: value for name, value in labels.items() if (name in aggregation.labels) != aggregation.without}
