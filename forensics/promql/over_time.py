"""Evaluate the functions *_over_time that need no look at each single window."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forensics.promql.dense import mean_as_in_version_2
from forensics.promql.series import Floats
from forensics.promql.windows import Range


def sum_over_time(series: Range) -> Floats:
    window = series.window
    end = np.maximum(window.after, window.first + 1)  # of empty windows one sample, which is not shown
    return series.samples.sums(window.first, end)


def avg_over_time(series: Range) -> Floats:
    if series.samples.constant:
        return series.first
    if series.window.version == 2:
        return mean_as_in_version_2(series)
    return sum_over_time(series) / np.maximum(series.window.count, 1)


def count_over_time(series: Range) -> Floats:
    return series.window.count.astype(np.float64)


def last_over_time(series: Range) -> Floats:
    return series.last


def present_over_time(series: Range) -> Floats:
    return np.ones_like(series.first)


def min_over_time(series: Range) -> Floats:
    return _extreme(series, np.fmin)


def max_over_time(series: Range) -> Floats:
    return _extreme(series, np.fmax)


def _extreme(series: Range, choose: Callable[[Floats, Floats], Floats]) -> Floats:
    """Choose over the spans of each window, from a table of choices over 1, 2, 4, … spans; NaN only where there is nothing else."""
    first, last = series.first_span, series.last_span
    levels = np.floor(np.log2(np.maximum(last - first + 1, 1))).astype(np.int64)
    result = np.empty(np.shape(levels))
    table = series.samples.values
    for level in range(int(levels.max(initial=0)) + 1):
        width = 1 << level
        at = levels == level
        result[at] = choose(table[first[at]], table[np.maximum(last[at] - width + 1, 0)])
        table = np.concatenate([choose(table[:-width], table[width:]), table[-width:]])
    return result
