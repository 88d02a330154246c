"""Derive the labels of the alert that a rule would raise about the audited unit."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.audit.checks.served import Served, unit_label
from forensics.audit.inventory.selectors import selectors_of, tree_of
from forensics.promql.tree import Aggregation, walk
from forensics.rules import Rule


def alert_labels(served: Served, rule: Rule) -> tuple[dict[str, str], bool]:
    """Return the labels that the alert would have, and whether there are no others: known only from series or targets."""
    selectors = selectors_of(rule)
    known = next((labels for selector in selectors for labels in served.of_unit(selector)), None)
    labels = {**served.prometheus.external_labels, **_surviving(rule, known or {})}
    if known is None:
        labels.update({label: served.unit for selector in selectors if (label := unit_label(selector.metric or ""))})
    own = {name: value for name, value in rule.labels.items() if "{{" not in value}
    return {**labels, **own, "alertname": rule.alert}, known is not None and len(own) == len(rule.labels)


def _surviving(rule: Rule, labels: Mapping[str, str]) -> dict[str, str]:
    """Keep the labels that the outermost aggregation of the expression keeps."""
    tree = tree_of(rule)
    aggregation = None if tree is None else next((node for node in walk(tree) if isinstance(node, Aggregation)), None)
    if aggregation is None:
        return dict(labels)
    return {name: value for name, value in labels.items() if (name in aggregation.labels) != aggregation.without}
