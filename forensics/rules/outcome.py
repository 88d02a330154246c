"""Decide what dead selectors make of a whole rule: it can never fire, it always fires, or a part of it is without effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from forensics.promql import Selector
from forensics.promql.tree import Aggregation, Binary, Call, Instant, Negation, Node, Number, Range, Subquery, Text

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
}
_WITHOUT_INPUT = {"time", "pi", "vector", "scalar", "now"}  # they have a result whatever they are given


@dataclass(frozen=True, slots=True)
class Result:
    """What an expression gives at every moment. is_empty: never a series; is_certain: always one, of this value where it is fixed.

    by_absence: certain because absent() is asked for what can never be there.
    """

    is_empty: bool = False
    is_certain: bool = False
    value: float | None = None
    by_absence: bool = False


EMPTY, UNSURE = Result(is_empty=True), Result()


def result(node: Node, dead: Mapping[Selector, bool]) -> Result:
    """Follow an expression from its selectors, of which some are dead, to what it can give."""
    match node:
        case Instant():
            given = EMPTY if dead.get(node.selector) else UNSURE
        case Range():
            given = result(node.instant, dead)
        case Negation() | Subquery() | Aggregation():
            given = replace(result(node.inner, dead), value=None)
        case Call():
            given = _call(node, [result(argument, dead) for argument in node.arguments])
        case Binary():
            given = _binary(node, result(node.left, dead), result(node.right, dead))
        case Number():
            given = Result(is_certain=True, value=node.value)
        case Text():
            given = Result(is_certain=True)
    return given


def _call(node: Call, given: list[Result]) -> Result:
    if node.function in {"absent", "absent_over_time"}:
        return Result(is_certain=True, value=1.0, by_absence=True) if given[0].is_empty else UNSURE
    if node.function in _WITHOUT_INPUT or not given:
        return Result(is_certain=True)
    inputs = given[:1] if node.function == "info" else given
    if any(each.is_empty for each in inputs):
        return EMPTY
    by_absence = any(each.by_absence for each in inputs)
    return Result(is_certain=all(each.is_certain for each in inputs) and by_absence, by_absence=by_absence)


def _binary(node: Binary, left: Result, right: Result) -> Result:
    match node.operator:
        case "or":
            certain = next((side for side in (left, right) if side.is_certain), UNSURE)
            return EMPTY if left.is_empty and right.is_empty else certain
        case "unless":
            return left if left.is_empty or right.is_empty else UNSURE
        case _ if node.matching.fill:
            return UNSURE
        case _:
            return EMPTY if left.is_empty or right.is_empty else _combined(node, left, right)


def _combined(node: Binary, left: Result, right: Result) -> Result:
    """Combine two sides of which neither is always empty, by arithmetic, comparison or `and`."""
    both = Result(is_certain=True, by_absence=left.by_absence or right.by_absence)
    if not (left.is_certain and right.is_certain):
        return UNSURE
    if node.operator not in _COMPARE or node.boolean:
        return both
    if left.value is None or right.value is None:
        return UNSURE
    return replace(both, value=left.value) if _COMPARE[node.operator](left.value, right.value) else EMPTY
