"""Evaluate the functions of single values: mathematics, clamping, rounding, and parts of dates."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from forensics.promql.rows import Row, Scalar, unnamed
from forensics.promql.series import Floats, Ints

MATHEMATICS: dict[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "floor": np.floor,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sgn": np.sign,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "deg": lambda values: values * 180 / np.pi,
    "rad": lambda values: values * np.pi / 180,
}


def clamp(rows: list[Row], low: Scalar, high: Scalar) -> list[Row]:
    """Limit values to a range; where that is empty there is no result."""
    possible = ~(high.values < low.values)
    clamped = (Row(row.labels, row.values, row.present & possible) for row in rows)
    return [unnamed(row, _larger(low.values, _smaller(high.values, row.values))) for row in clamped]


def clamp_min(rows: list[Row], low: Scalar) -> list[Row]:
    return [unnamed(row, _larger(low.values, row.values)) for row in rows]


def clamp_max(rows: list[Row], high: Scalar) -> list[Row]:
    return [unnamed(row, _smaller(high.values, row.values)) for row in rows]


def _larger(one: Floats, other: Floats) -> Floats:
    """Return the maximum as Go has it: infinity even against NaN."""
    return np.where((one == np.inf) | (other == np.inf), np.inf, np.maximum(one, other))


def _smaller(one: Floats, other: Floats) -> Floats:
    return np.where((one == -np.inf) | (other == -np.inf), -np.inf, np.minimum(one, other))


def rounded(rows: list[Row], nearest: Scalar | None = None) -> list[Row]:
    """Round half up, by the inverse of what to round to, as Prometheus does."""
    inverse = 1.0 / (np.ones(()) if nearest is None else nearest.values)
    return [unnamed(row, np.floor(row.values * inverse + 0.5) / inverse) for row in rows]


def _seconds(values: Floats) -> Ints:
    return np.trunc(values).astype(np.int64)


def _units(values: Floats, unit: str) -> NDArray[np.datetime64]:
    return _seconds(values).astype("datetime64[s]").astype(f"datetime64[{unit}]")


def _float(lengths: NDArray[np.timedelta64]) -> Floats:
    return np.asarray(lengths.astype(np.float64))


def _within(values: Floats, unit: str, larger: str) -> Floats:
    """Return which day of the month, or which hour of the day, and so on, from zero."""
    part = _units(values, unit)
    start = part.astype(f"datetime64[{larger}]").astype(f"datetime64[{unit}]")
    return _float(part - start)


def _days_in_month(values: Floats) -> Floats:
    month = _units(values, "M")
    return _float((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]"))


DATES: dict[str, Callable[[Floats], Floats]] = {
    "minute": lambda values: _within(values, "m", "h"),
    "hour": lambda values: _within(values, "h", "D"),
    "day_of_month": lambda values: _within(values, "D", "M") + 1,
    "day_of_year": lambda values: _within(values, "D", "Y") + 1,
    "day_of_week": lambda values: ((_units(values, "D").astype(np.int64) + 4) % 7).astype(np.float64),
    "days_in_month": _days_in_month,
    "month": lambda values: _within(values, "M", "Y") + 1,
    "year": lambda values: _units(values, "Y").astype(np.float64) + 1970,
}
