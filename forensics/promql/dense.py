"""Evaluate functions that look at every sample of every window: in blocks of windows, one column per sample.

Sums are compensated in the order and way of Prometheus' own (Neumaier), so that differences of large sums agree with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forensics.promql.errors import UnsupportedError
from forensics.promql.series import Bools, Floats, Ints
from forensics.promql.windows import Range

MOST_SAMPLES = 300_000_000  # of all windows of a series: 3 to 10 s
BLOCK = 2_000_000  # samples in memory at once


@dataclass(frozen=True, slots=True)
class Windows:
    """A block of windows: values[window, i] is a sample where there[window, i]; times in ms."""

    values: Floats
    there: Bools
    times: Ints
    ends: Ints  # of the evaluations, not of the windows where these have an offset
    scalars: tuple[Floats, ...]


def each_window(
    series: Range, function: Callable[[Windows], Floats], *scalars: Floats, at: Ints | None = None, steady: Floats | None = None
) -> Floats:
    """Apply a function to all windows that are not empty; a result of one that is means nothing.

    steady: the results of windows whose samples are all equal, to which the function need not be applied.
    """
    window = series.window
    steps = len(window.ends)
    widest = max(int(window.count.max(initial=0)), 1)
    chosen = np.arange(steps) if steady is None else np.flatnonzero(np.broadcast_to(series.first_span != series.last_span, steps))
    if widest * len(chosen) > MOST_SAMPLES:
        raise UnsupportedError(f"{widest * len(chosen):,} samples in windows")
    moments = window.ends if at is None else at
    size = max(BLOCK // widest, 1)
    result = np.array(np.broadcast_to(np.zeros(()) if steady is None else steady, steps))
    for start in range(0, len(chosen), size):
        part = chosen[start : start + size]
        columns = window.first[part, None] + np.arange(widest)
        there = columns < window.after[part, None]
        samples = np.minimum(columns, len(window.grid) - 1)
        values = np.broadcast_to(series.samples.value_at(samples), samples.shape)
        own = tuple(np.broadcast_to(scalar, steps)[part] for scalar in scalars)
        result[part] = function(Windows(values, there, window.grid.times[samples], moments[part], own))
    return result


class Compensated:
    """A running sum per window, as Prometheus keeps it."""

    def __init__(self, count: int) -> None:
        self.sum = np.zeros(count)
        self.rest = np.zeros(count)

    def add(self, values: Floats, there: Bools) -> None:
        total = self.sum + values
        larger = np.abs(self.sum) >= np.abs(values)
        lost = np.where(larger, (self.sum - total) + values, (values - total) + self.sum)
        self.rest = np.where(there, self.rest + lost, self.rest)
        self.sum = np.where(there, total, self.sum)

    @property
    def total(self) -> Floats:
        return np.where(np.isinf(self.sum), self.sum, self.sum + self.rest)


def mean_as_in_version_2(series: Range) -> Floats:
    return each_window(series, _running_mean, steady=series.first)


def _running_mean(windows: Windows) -> Floats:
    """Add each sample's share to the mean so far; an infinite mean stays unless the other infinity or NaN comes."""
    mean = Compensated(len(windows.values))
    for column in range(windows.values.shape[1]):
        value, count = windows.values[:, column], column + 1
        infinite = np.isinf(mean.sum)
        stays = infinite & (np.isfinite(value) | (value == mean.sum))
        mean.add(value / count - mean.sum / count, windows.there[:, column] & ~stays)
    return mean.total


def stdvar_over_time(series: Range) -> Floats:
    return each_window(series, _variance, steady=series.first - series.first)


def stddev_over_time(series: Range) -> Floats:
    return np.sqrt(stdvar_over_time(series))


def _variance(windows: Windows) -> Floats:
    mean, squares = Compensated(len(windows.values)), Compensated(len(windows.values))
    for column in range(windows.values.shape[1]):
        value, there = windows.values[:, column], windows.there[:, column]
        difference = value - (mean.sum + mean.rest)
        mean.add(difference / (column + 1), there)
        squares.add(difference * (value - (mean.sum + mean.rest)), there)
    return np.asarray((squares.sum + squares.rest) / windows.there.sum(axis=1))


def quantile_over_time(series: Range, share: Floats) -> Floats:
    return each_window(series, lambda windows: quantile(windows.values, windows.there, windows.scalars[0]), share)


def quantile(values: Floats, there: Bools, share: Floats) -> Floats:
    """Interpolate between the two samples around the rank, along the last axis; NaN counts as the smallest."""
    unknown = np.isnan(values) & there
    ordered = np.sort(np.where(there, np.where(unknown, -np.inf, values), np.inf), axis=1)
    count, unknowns = there.sum(axis=1), unknown.sum(axis=1)
    rank = np.clip(np.nan_to_num(share), 0, 1) * (count - 1)
    lower = np.maximum(np.floor(rank), 0).astype(np.int64)
    upper = np.maximum(np.minimum(lower + 1, count - 1), 0)
    weight = rank - np.floor(rank)
    rows = np.arange(len(values))
    low, high = (np.where(index < unknowns, np.nan, ordered[rows, index]) for index in (lower, upper))
    result = low * (1 - weight) + high * weight
    result = np.where(share < 0, -np.inf, np.where(share > 1, np.inf, result))
    return np.where(np.isnan(share) | (count == 0), np.nan, result)
