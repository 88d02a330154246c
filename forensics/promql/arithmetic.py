"""Apply binary operators to numbers, and to a vector and a scalar."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forensics.promql.labels import nameless
from forensics.promql.rows import Row, Scalar
from forensics.promql.series import Bools, Floats
from forensics.promql.tree import Binary

COMPARISONS: dict[str, Callable[[Floats, Floats], Bools]] = {
    "==": np.equal,
    "!=": np.not_equal,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
}
ARITHMETIC: dict[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.fmod,
    "^": np.power,
    "atan2": np.arctan2,
}


def number(operator: str, left: Floats, right: Floats) -> Floats:
    """Apply an operator; a comparison gives 0 or 1."""
    if operator in COMPARISONS:
        return COMPARISONS[operator](left, right).astype(np.float64)
    return ARITHMETIC[operator](left, right)


def makes_new_metric(operator: str, version: int) -> bool:
    """Return whether a result loses the metric's name, as that of arithmetic does; Prometheus 2 forgot atan2."""
    return operator in ARITHMETIC and not (operator == "atan2" and version == 2)


def scalars(binary: Binary, left: Scalar, right: Scalar) -> Scalar:
    return Scalar(number(binary.operator, left.values, right.values))


def vector_and_scalar(binary: Binary, rows: list[Row], scalar: Scalar, version: int, *, swapped: bool) -> list[Row]:
    """Apply an operator to each row; a comparison without bool keeps the rows for which it holds."""
    drops = binary.boolean or makes_new_metric(binary.operator, version)
    result = []
    for row in rows:
        left, right = (scalar.values, row.values) if swapped else (row.values, scalar.values)
        if binary.operator in COMPARISONS and not binary.boolean:
            result.append(Row(row.labels, row.values, row.present & COMPARISONS[binary.operator](left, right)))
        else:
            result.append(Row(nameless(row.labels) if drops else row.labels, number(binary.operator, left, right), row.present))
    return result
