"""Find the selectors of rules, and write them as PromQL."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from forensics.promql import Selector, SyntaxMistakeError, UnsupportedError, parse
from forensics.promql.tree import Instant, Node, walk
from forensics.rules import Rule


def tree_of(rule: Rule) -> Node | None:
    """Return the syntax tree of a rule's expression; null of one that cannot be parsed."""
    return _tree(rule.expr)


@lru_cache(maxsize=4096)
def _tree(expression: str) -> Node | None:
    try:
        return parse(expression).tree
    except (SyntaxMistakeError, UnsupportedError):
        return None


def selectors_of(rule: Rule) -> tuple[Selector, ...]:
    """Return the selectors of a rule's expression; none of one that cannot be parsed."""
    tree = tree_of(rule)
    return () if tree is None else tuple(dict.fromkeys(node.selector for node in walk(tree) if isinstance(node, Instant)))


def written(selector: Selector) -> str:
    """Write a selector as PromQL."""
    matchers = ", ".join(f'{matcher.label}{matcher.operator}"{_escaped(matcher.value)}"' for matcher in selector.matchers)
    return f"{selector.metric or ''}{{{matchers}}}" if matchers else f"{selector.metric or ''}"


def to_count(rules: Iterable[Rule]) -> tuple[list[str], list[str]]:
    """Return the metrics of the rules, and the selectors with more than a metric."""
    found = [selector for rule in rules for selector in selectors_of(rule) if selector.metric]
    metrics = dict.fromkeys(selector.metric for selector in found if selector.metric)
    return list(metrics), list(dict.fromkeys(written(selector) for selector in found if selector.matchers))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
