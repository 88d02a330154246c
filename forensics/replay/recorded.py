"""Put what recording rules record in place of its name, so that rules on recorded series can be replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from forensics.promql import Expression, SyntaxMistakeError, UnsupportedError, parse
from forensics.promql.tree import Aggregation, Binary, Call, Instant, Negation, Node, Range, Subquery

DEEPEST = 10  # rules on rules on rules


def with_recorded(expression: Expression, records: Mapping[str, str], depth: int = 0) -> Expression:
    """Replace recorded series that are selected without labels by the expressions that record them; a range becomes a subquery."""
    if not any(selector.metric in records for selector in expression.selectors) or depth == DEEPEST:
        return expression

    def replaced(node: Node) -> Node:
        match node:
            case Instant():
                return _recorded(node, records, depth) or node
            case Range(instant=instant, length=length):
                inner = _recorded(replace(instant, offset=0), records, depth)
                return node if inner is None else Subquery(inner, length, None, instant.offset)
            case _:
                return mapped(node, replaced)

    return Expression(expression.text, replaced(expression.tree))


def _recorded(node: Instant, records: Mapping[str, str], depth: int) -> Node | None:
    selector = node.selector
    text = None if selector.metric is None or selector.matchers or node.offset or node.fixed else records.get(selector.metric)
    if text is None:
        return None
    try:
        return with_recorded(parse(text), records, depth + 1).tree
    except (SyntaxMistakeError, UnsupportedError):
        return None


def mapped(node: Node, change: Callable[[Node], Node]) -> Node:
    """Return a node with its parts changed."""
    match node:
        case Negation(inner=inner) | Subquery(inner=inner):
            return replace(node, inner=change(inner))
        case Binary(left=left, right=right):
            return replace(node, left=change(left), right=change(right))
        case Call(arguments=arguments):
            return replace(node, arguments=tuple(change(argument) for argument in arguments))
        case Aggregation(inner=inner, parameter=parameter):
            return replace(node, inner=change(inner), parameter=None if parameter is None else change(parameter))
        case _:
            return node
