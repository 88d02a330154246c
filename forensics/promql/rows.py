"""Define evaluated values: a vector is a list of rows, a scalar an array; either has one number per step, or one for all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from forensics.promql.errors import RefusedError
from forensics.promql.labels import Labels, nameless, shown
from forensics.promql.series import Bools, Floats


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One series of an instant vector. values and present broadcast to the steps; values mean nothing where it is not present."""

    labels: Labels
    values: Floats
    present: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    values: Floats


def unnamed(row: Row, values: Floats) -> Row:
    return Row(nameless(row.labels), values, row.present)


def somewhere(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.present.any()]


def anywhere(rows: Iterable[Row]) -> Bools:
    """Return at which steps any row is present."""
    found: Bools = np.zeros((), dtype=np.bool_)
    for row in rows:
        found = found | row.present
    return found


def joined(rows: list[Row]) -> list[Row]:
    """Make one row of those with the same labels; Prometheus refuses two of them at one step."""
    if len({row.labels for row in rows}) == len(rows):
        return rows
    by_labels: dict[Labels, Row] = {}
    for row in rows:
        other = by_labels.get(row.labels)
        by_labels[row.labels] = row if other is None else _either(other, row)
    return list(by_labels.values())


def _either(one: Row, other: Row) -> Row:
    if (one.present & other.present).any():
        raise RefusedError(f"two series with the same labels {shown(one.labels)}")
    return Row(one.labels, np.where(one.present, one.values, other.values), one.present | other.present)
