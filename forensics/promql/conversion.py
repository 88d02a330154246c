"""Turn promql-parser's tree into ours; each of its attributes is a copy, so that this is done once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import promql_parser as parser

from forensics.promql.errors import SyntaxMistakeError, UnsupportedError
from forensics.promql.labels import NAME
from forensics.promql.selectors import Matcher, Selector
from forensics.promql.tree import Aggregation, Binary, Call, Instant, Matching, Negation, Node, Number, Range, Subquery, Text

MOST_LEVELS = 150  # Python recurses too, four calls per level
MATCH_OPERATORS = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}
GROUPS = {"ManyToOne": "left", "OneToMany": "right"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node is: below how many others, and whether one of them is absent()."""

    level: int = 0
    absent: bool = False

    def below(self, function: str = "") -> Place:
        if self.level == MOST_LEVELS:
            raise UnsupportedError(f"an expression of more than {MOST_LEVELS} levels")
        return Place(self.level + 1, self.absent or function in {"absent", "absent_over_time"})


def converted(node: parser.Expr, place: Place) -> Node:
    convert = CONVERTERS.get(type(node))
    if convert is None:
        raise UnsupportedError(type(node).__name__)
    return convert(node, place)


def _range(node: parser.MatrixSelector, place: Place) -> Range:
    return Range(_instant(node.vector_selector, place), _milliseconds(node.range))


def _subquery(node: parser.SubqueryExpr, place: Place) -> Subquery:
    step = None if node.step is None else _milliseconds(node.step)
    inner = converted(node.expr, place.below())
    return Subquery(inner, _milliseconds(node.range), step, _milliseconds(node.offset), fixed=node.at is not None)


def _call(node: parser.Call, place: Place) -> Call:
    function = node.func.name
    inside = place.below(function)
    return Call(function, tuple(converted(argument, inside) for argument in node.args))


def _milliseconds(duration: timedelta | None) -> int:
    return 0 if duration is None else duration // timedelta(milliseconds=1)


def _instant(node: parser.VectorSelector, place: Place) -> Instant:
    if node.matchers.or_matchers:
        raise SyntaxMistakeError("'or' between label matchers is not PromQL")
    matchers = [
        Matcher(matcher.name, MATCH_OPERATORS[str(matcher.op).rpartition(".")[2]], matcher.value) for matcher in node.matchers.matchers
    ]
    names = [matcher for matcher in matchers if matcher.label == NAME and matcher.operator == "="]
    metric = node.name
    if metric is None and len(names) == 1:
        metric = names[0].value
        matchers.remove(names[0])
    return Instant(Selector(metric, tuple(matchers), place.absent), _milliseconds(node.offset), fixed=node.at is not None)


def _binary(node: parser.BinaryExpr, place: Place) -> Binary:
    left, right = converted(node.lhs, place.below()), converted(node.rhs, place.below())
    if node.modifier is None:
        return Binary(str(node.op), left, right)
    modifier = node.modifier
    fill = modifier.fill_values is not None and (modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None)
    matching = Matching(
        on=modifier.matching is not None and str(modifier.matching.type).endswith("Include"),
        labels=frozenset(modifier.matching.labels if modifier.matching is not None else ()),
        group=GROUPS.get(str(modifier.card).rpartition(".")[2], ""),
        include=tuple(modifier.group_labels or ()),
        fill=fill,
    )
    return Binary(str(node.op), left, right, bool(modifier.return_bool), matching)


def _aggregation(node: parser.AggregateExpr, place: Place) -> Aggregation:
    return Aggregation(
        str(node.op),
        converted(node.expr, place.below()),
        None if node.param is None else converted(node.param, place.below()),
        without=node.modifier is not None and str(node.modifier.type).endswith("Without"),
        labels=frozenset(node.modifier.labels if node.modifier is not None else ()),
    )


CONVERTERS: dict[type, Callable[[Any, Place], Node]] = {
    parser.ParenExpr: lambda node, place: converted(node.expr, place.below()),
    parser.NumberLiteral: lambda node, _place: Number(node.val),
    parser.StringLiteral: lambda node, _place: Text(node.val),
    parser.VectorSelector: _instant,
    parser.MatrixSelector: _range,
    parser.SubqueryExpr: _subquery,
    parser.UnaryExpr: lambda node, place: Negation(converted(node.expr, place.below())),
    parser.BinaryExpr: _binary,
    parser.Call: _call,
    parser.AggregateExpr: _aggregation,
}
