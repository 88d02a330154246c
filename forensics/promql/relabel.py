"""Evaluate the functions of labels: label_replace, label_join, and what absent() knows of the missing series."""

from __future__ import annotations

import re

import regex  # type: ignore[import-untyped]

from forensics.promql.errors import UnsupportedError
from forensics.promql.labels import Labels, get, labels_of, replaced
from forensics.promql.rows import Row, joined
from forensics.promql.selectors import LONGEST_MATCH_S, compiled
from forensics.promql.tree import Instant, Node, Range

REFERENCE = re.compile(r"\$(?:\$|(?P<plain>[A-Za-z0-9_]+)|\{(?P<braced>[A-Za-z0-9_]+)\})?")


def label_replace(rows: list[Row], target: str, replacement: str, source: str, pattern: str) -> list[Row]:
    """Set a label from another one where the pattern matches it."""
    _check_label(target, "label_replace()")
    return joined([Row(_replaced(row.labels, target, replacement, source, pattern), row.values, row.present) for row in rows])


def _replaced(labels: Labels, target: str, replacement: str, source: str, pattern: str) -> Labels:
    try:
        found = compiled(pattern).fullmatch(get(labels, source), timeout=LONGEST_MATCH_S)
    except TimeoutError as error:
        raise UnsupportedError(f"the regular expression {pattern[:60]!r}, which takes too long") from error
    return labels if found is None else replaced(labels, target, _expanded(replacement, found))


def _expanded(template: str, found: regex.Match[str]) -> str:
    """Expand $1, ${1}, $name and $$ as Go does: an unknown group is empty, a lone $ is dropped with what follows unreadable."""

    def group(reference: re.Match[str]) -> str:
        name = reference["plain"] or reference["braced"]
        if name is None:
            return "$"
        if name.isdigit():
            return (found[int(name)] or "") if int(name) <= found.re.groups else ""
        return (found[name] or "") if name in found.re.groupindex else ""

    return REFERENCE.sub(group, template)


def label_join(rows: list[Row], target: str, separator: str, *sources: str) -> list[Row]:
    """Set a label to the values of others, joined."""
    _check_label(target, "label_join()")
    return joined(
        [
            Row(replaced(row.labels, target, separator.join(get(row.labels, source) for source in sources)), row.values, row.present)
            for row in rows
        ]
    )


def _check_label(name: str, function: str) -> None:
    if not name.isascii() or not name.isidentifier():
        raise UnsupportedError(f"{function} with the label name {name!r}")


def absent_labels(node: Node) -> Labels:
    """Return the labels that a missing series would have: those that its selector demands by = and by nothing else."""
    instant = node.instant if isinstance(node, Range) else node
    if not isinstance(instant, Instant):
        return ()
    demanded: dict[str, str] = {}
    once: set[str] = set()
    for matcher in instant.selector.matchers:
        if matcher.operator == "=" and matcher.label not in once:
            demanded[matcher.label] = matcher.value
            once.add(matcher.label)
        else:
            demanded.pop(matcher.label, None)
    return tuple(pair for pair in labels_of("", demanded) if pair[0] != "__name__")
