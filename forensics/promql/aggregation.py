"""Aggregate the rows of a vector by labels, in the order of the rows and with the rounding of each version."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np

from forensics.promql.choosing import count_values, how_many, quantiles, ranked
from forensics.promql.errors import UnsupportedError
from forensics.promql.labels import NAME, Labels, drop, keep
from forensics.promql.matching import grouped
from forensics.promql.rows import Row, Scalar, anywhere
from forensics.promql.series import Floats
from forensics.promql.tree import Aggregation


def aggregated(node: Aggregation, rows: list[Row], parameter: Scalar | str | None, version: int) -> list[Row]:
    groups = grouped(rows, lambda labels: group_labels(node, labels, parameter))
    if node.operator in {"topk", "bottomk"} and isinstance(parameter, Scalar):
        if version == 2 or anywhere(rows).any():  # Prometheus 3 does not look at k where there is nothing to choose from
            how_many(parameter)
        return [row for group in groups.values() for row in ranked(group, parameter, largest=node.operator == "topk")]
    if node.operator == "count_values" and isinstance(parameter, str) and not (node.without and parameter in node.labels):
        return [row for labels, group in groups.items() for row in count_values(labels, group, parameter)]
    if node.operator == "quantile" and isinstance(parameter, Scalar):
        return [Row(labels, quantiles(group, parameter), anywhere(group)) for labels, group in groups.items()]
    combine = COMBINE.get(node.operator)
    if combine is None:
        raise UnsupportedError(f"{node.operator}()")
    return [Row(labels, combine(group, version), anywhere(group)) for labels, group in groups.items()]


def group_labels(node: Aggregation, labels: Labels, parameter: Scalar | str | None) -> Labels:
    if isinstance(parameter, str):
        labels = drop(labels, frozenset((parameter,)))  # count_values overwrites it before it groups
    return drop(labels, node.labels | {NAME}) if node.without else keep(labels, node.labels)


def count(rows: list[Row], _version: int) -> Floats:
    return sum((row.present.astype(np.float64) for row in rows), np.zeros(()))


def total(rows: list[Row], version: int) -> Floats:
    """Add one after the other; Prometheus 3 compensates what rounding takes (Neumaier)."""
    if len(rows) == 1:
        return rows[0].values
    values = [np.where(row.present, row.values, 0.0) for row in rows]
    plain, rest = values[0], np.zeros(())
    for value in values[1:]:
        added = plain + value
        lost = np.where(np.abs(plain) >= np.abs(value), (plain - added) + value, (value - added) + plain)
        plain, rest = added, rest + lost
    return plain if version == 2 else np.where(np.isfinite(plain), plain + rest, plain)


def average(rows: list[Row], version: int) -> Floats:
    if len(rows) == 1:
        return rows[0].values
    if version != 2:
        return total(rows, version) / count(rows, version)
    mean, counted = np.zeros(()), np.zeros(())
    for row in rows:
        counted = counted + row.present
        moved = mean + (row.values / counted - mean / counted)
        stays = np.isinf(mean) & (np.isfinite(row.values) | (row.values == mean))
        mean = np.where(row.present & ~stays, np.where(counted == 1, row.values, moved), mean)
    return mean


def variance(rows: list[Row], version: int) -> Floats:
    """Follow Welford; of an infinite first value Prometheus 2 does not notice that it has no variance."""
    number, mean, squares = np.zeros(()), np.zeros(()), np.zeros(())
    for row in rows:
        number = number + row.present
        first = number == 1
        start = np.where(np.isfinite(row.values) | (version == 2), 0.0, np.nan)
        difference = row.values - mean
        moved = mean + difference / number
        grown = squares + difference * (row.values - moved)
        squares = np.where(row.present, np.where(first, start, grown), squares)
        mean = np.where(row.present, np.where(first, row.values, moved), mean)
    return squares / number


def extreme(choose: Callable[[Floats, Floats], Floats]) -> Callable[[list[Row], int], Floats]:
    return lambda rows, _version: reduce(choose, (np.where(row.present, row.values, np.nan) for row in rows))


COMBINE: dict[str, Callable[[list[Row], int], Floats]] = {
    "sum": total,
    "avg": average,
    "count": count,
    "count_values": count,  # without the label that tells the values apart
    "min": extreme(np.fmin),
    "max": extreme(np.fmax),
    "group": lambda _rows, _version: np.ones(()),
    "stddev": lambda rows, version: np.sqrt(variance(rows, version)),
    "stdvar": variance,
}
