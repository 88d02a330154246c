"""Aggregate by order: topk, bottomk, quantile, and count_values, whose labels are values."""

from __future__ import annotations

import numpy as np

from forensics.promql.dense import quantile
from forensics.promql.errors import RefusedError, UnsupportedError
from forensics.promql.labels import Labels, replaced
from forensics.promql.rows import Row, Scalar, anywhere, somewhere
from forensics.promql.series import Bools, Floats

MOST_VALUES = 1000  # of count_values: each is a series of its own
MOST_CELLS = 40_000_000  # rows × steps


def _table(rows: list[Row]) -> tuple[Floats, Bools]:
    """Return values and presence, one line per step and one column per row."""
    shape = np.broadcast_shapes((1,), *(np.shape(row.values) for row in rows), *(np.shape(row.present) for row in rows))
    if len(rows) * shape[0] > MOST_CELLS:
        raise UnsupportedError(f"an order among {len(rows)} series at {shape[0]:,} steps")
    values = np.stack([np.broadcast_to(row.values, shape) for row in rows], axis=1)
    there = np.stack([np.broadcast_to(row.present, shape) for row in rows], axis=1)
    return values.astype(np.float64), there


def quantiles(rows: list[Row], share: Scalar) -> Floats:
    values, there = _table(rows)
    return quantile(values, there, share.values)


def how_many(number: Scalar) -> float:
    """Return the k of topk and bottomk. Prometheus refuses one that is no integer of 64 bits, here also one that changes is refused."""
    values = np.ravel(number.values)
    if not (np.abs(values) < 2**63).all():
        raise RefusedError("topk() or bottomk() of a number that is too large, or NaN")
    if (values != values[:1]).any():
        raise UnsupportedError("topk() or bottomk() of a number that changes")
    return float(values[0]) if len(values) else 0.0


def ranked(rows: list[Row], number: Scalar, *, largest: bool) -> list[Row]:
    """Keep the k largest or smallest of a group. Which of equal ones Prometheus keeps depends on its storage: that is refused."""
    if not anywhere(rows).any() or (k := how_many(number)) < 1:
        return []
    if k >= len(rows):
        return rows
    values, there = _table(rows)
    if np.isnan(values[there]).any():
        raise UnsupportedError("topk() or bottomk() of NaN")
    key = np.where(there, values if largest else -values, -np.inf)
    ordered = np.sort(key, axis=1)
    last, next_one = ordered[:, -int(k)], ordered[:, -int(k) - 1]
    if ((last == next_one) & (there.sum(axis=1) > k)).any():
        raise UnsupportedError("topk() or bottomk() of equal values")
    kept = there & ((key >= last[:, None]) | (there.sum(axis=1) <= k)[:, None])
    return somewhere(Row(row.labels, row.values, kept[:, column]) for column, row in enumerate(rows))


def count_values(labels: Labels, rows: list[Row], name: str) -> list[Row]:
    """Count the rows of a group by value; the value becomes a label."""
    if not name.isascii() or not name.isidentifier():
        raise UnsupportedError(f"count_values() with the label name {name!r}")
    values, there = _table(rows)
    distinct = np.unique(values[there]) + 0.0  # -0 is a value of its own, which `unique` does not know
    if not (np.rint(distinct) == distinct)[np.isfinite(distinct)].all():
        raise UnsupportedError("count_values() of values that are not whole")  # the last digit would decide
    if len(distinct) > MOST_VALUES:
        raise UnsupportedError(f"count_values() of more than {MOST_VALUES:,} values")
    result = []
    for value in [*distinct, -0.0] if 0.0 in distinct else distinct:
        equal = (values == value) | (np.isnan(values) & np.isnan(value))
        counted = (there & equal & ((value != 0) | (np.signbit(values) == np.signbit(value)))).sum(axis=1)
        result.append(Row(replaced(labels, name, shown_number(float(value))), counted.astype(np.float64), counted > 0))
    return result


def shown_number(value: float) -> str:
    """Write a number as Go's FormatFloat(value, 'f', -1, 64) does."""
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")
