"""Evaluate an expression at any steps; each step is evaluated for itself, as a rule is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forensics.promql.aggregation import aggregated
from forensics.promql.arithmetic import scalars, vector_and_scalar
from forensics.promql.errors import UnsupportedError
from forensics.promql.evaluation import Evaluation
from forensics.promql.functions import FUNCTIONS, Value
from forensics.promql.labels import Labels
from forensics.promql.matching import SETS, pairs, sets
from forensics.promql.rows import Row, Scalar, joined, somewhere, unnamed
from forensics.promql.scraped import Scraped
from forensics.promql.series import Bools, Floats, milliseconds
from forensics.promql.subqueries import inner_steps, subquery_ranges
from forensics.promql.syntax import Expression
from forensics.promql.tree import Aggregation, Binary, Call, Instant, Negation, Node, Number, Range, Subquery, Text, walk
from forensics.promql.windows import EVERYWHERE
from forensics.promql.windows import Range as RangeSeries

MOST_CELLS = 2_000_000  # series × steps at once: some ten of these are in memory


@dataclass(frozen=True, slots=True, eq=False)
class Vector:
    """One series of the result: its value at each step, and whether it has one."""

    labels: Mapping[str, str]
    values: Floats
    present: Bools


def evaluate(
    expression: Expression, scraped: Scraped, at: Floats, *, version: int = 3, default_step: float = 60.0, whole: bool = True
) -> tuple[Vector, ...]:
    """Evaluate at each time of `at` (seconds, ascending), as Prometheus of that major version does.

    default_step: of subqueries without one, Prometheus' evaluation_interval in seconds. whole: `scraped` has all series, not a group.
    Returns the series that are present at any step, by their labels.
    """
    steps = milliseconds(at)
    size = max(MOST_CELLS // max(_rows(expression.tree, scraped), 1), 1)
    found: dict[Labels, list[tuple[int, Row]]] = {}
    for start in range(0, max(len(steps), 1), size):
        evaluation = Evaluation(scraped, steps[start : start + size], version, int(milliseconds(default_step)), whole)
        for row in rows_of(expression.tree, evaluation):
            found.setdefault(row.labels, []).append((start, row))
    return tuple(_vector(labels, parts, len(steps), size) for labels, parts in sorted(found.items()))


def _rows(tree: Node, scraped: Scraped) -> int:
    """Count the series that take memory at each step: a constant one does so only where it is combined with the time."""
    nodes = list(walk(tree))
    of_time = any(isinstance(node, Call) and node.function == "time" for node in nodes)
    selectors = [node.selector for node in nodes if isinstance(node, Instant)]
    return sum(of_time or not samples.constant for selector in selectors for _, samples in scraped.select(selector))


def _vector(labels: Labels, parts: list[tuple[int, Row]], steps: int, size: int) -> Vector:
    """Put the blocks of a series together; it is absent in those that have no row of it."""
    if steps <= size:
        row = parts[0][1]
        return Vector(dict(labels), np.broadcast_to(row.values, (steps,)), np.broadcast_to(row.present, (steps,)))
    values, present = np.zeros(steps), np.zeros(steps, dtype=np.bool_)
    for start, row in parts:
        values[start : start + size], present[start : start + size] = row.values, row.present
    return Vector(dict(labels), values, present)


def rows_of(node: Node, evaluation: Evaluation) -> list[Row]:
    """Evaluate what a rule may be: a vector, or a scalar, which has no labels."""
    with np.errstate(all="ignore"):
        match _value(node, evaluation):
            case Scalar(values=values):
                return [Row((), values, EVERYWHERE)]
            case list() as rows if not isinstance(node, Range | Subquery):
                return somewhere(rows)
            case _:
                raise UnsupportedError("a rule that is neither a vector nor a scalar")


def _value(node: Node, evaluation: Evaluation) -> Any:
    return EVALUATORS[type(node)](node, evaluation)


def _instant(node: Instant, evaluation: Evaluation) -> list[Row]:
    if node.fixed:
        raise UnsupportedError("the @ modifier")
    rows = []
    for labels, samples in evaluation.scraped.select(node.selector):
        lookup = evaluation.lookup(samples.grid, node.offset)
        rows.append(Row(labels, samples.value_at(lookup.sample), lookup.present_in(samples)))
    return rows


def _range(node: Range, evaluation: Evaluation) -> list[RangeSeries]:
    if node.instant.fixed:
        raise UnsupportedError("the @ modifier")
    return [
        RangeSeries(labels, samples, evaluation.window(samples.grid, node.length, node.instant.offset))
        for labels, samples in evaluation.scraped.select(node.instant.selector)
    ]


def _subquery(node: Subquery, evaluation: Evaluation) -> list[RangeSeries]:
    if node.fixed:
        raise UnsupportedError("the @ modifier")
    inner = inner_steps(node, evaluation)
    return subquery_ranges(node, evaluation, inner, _value(node.inner, evaluation.at_steps(inner)))


def _call(node: Call, evaluation: Evaluation) -> Value:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise UnsupportedError(f"{node.function}()")
    result = function(evaluation, node, *(_value(argument, evaluation) for argument in node.arguments))
    return joined(result) if isinstance(result, list) else result


def _negation(node: Negation, evaluation: Evaluation) -> Value:
    value = _value(node.inner, evaluation)
    if isinstance(value, Scalar):
        return Scalar(-value.values)
    return joined([unnamed(row, -row.values) for row in value])


def _binary(node: Binary, evaluation: Evaluation) -> Value:
    left, right = _value(node.left, evaluation), _value(node.right, evaluation)
    if node.matching.fill:
        raise UnsupportedError("fill()")
    if isinstance(left, Scalar) and isinstance(right, Scalar):
        return scalars(node, left, right)
    if isinstance(left, Scalar):
        return joined(vector_and_scalar(node, right, left, evaluation.version, swapped=True))
    if isinstance(right, Scalar):
        return joined(vector_and_scalar(node, left, right, evaluation.version, swapped=False))
    return sets(node, left, right) if node.operator in SETS else pairs(node, left, right, evaluation.version, whole=evaluation.whole)


def _aggregation(node: Aggregation, evaluation: Evaluation) -> list[Row]:
    parameter = None if node.parameter is None else _value(node.parameter, evaluation)
    return somewhere(aggregated(node, _value(node.inner, evaluation), parameter, evaluation.version))


EVALUATORS: dict[type, Callable[[Any, Evaluation], Any]] = {
    Number: lambda node, _evaluation: Scalar(np.full((), node.value)),
    Text: lambda node, _evaluation: node.value,
    Instant: _instant,
    Range: _range,
    Subquery: _subquery,
    Negation: _negation,
    Binary: _binary,
    Call: _call,
    Aggregation: _aggregation,
}
