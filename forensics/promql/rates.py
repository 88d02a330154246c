"""Evaluate the functions of counters and of differences: rate, increase, delta, irate, idelta, changes, resets."""

from __future__ import annotations

import numpy as np

from forensics.promql.series import Floats
from forensics.promql.windows import Range


def extrapolated(series: Range, *, counter: bool, per_second: bool) -> Floats:
    """Extrapolate the difference of first and last sample to the whole window, in Prometheus' own order of operations."""
    window = series.window
    difference = series.last - series.first
    if counter:
        difference = difference + (series.samples.dropped[series.last_span] - series.samples.dropped[series.first_span])
    factor = (window.sampled + _to_start(series, difference, counter=counter) + window.to_end) / window.sampled
    if per_second:
        factor = factor / (window.length / 1000)
    return difference * factor


def _to_start(series: Range, difference: Floats, *, counter: bool) -> Floats:
    """Return the seconds before the first sample to which to extrapolate.

    A counter was never below zero, so not further than where it would have been zero. Prometheus 3 checks that last.
    """
    window = series.window
    limit = window.average * 1.1
    if not counter:
        return np.where(window.to_start < limit, window.to_start, window.average / 2)
    rising = (difference > 0) & (series.first >= 0)
    to_zero = np.where(rising, window.sampled * (series.first / difference), np.inf)
    if window.version == 2:
        nearer = np.where(to_zero < window.to_start, to_zero, window.to_start)
        return np.where(nearer < limit, nearer, window.average / 2)
    start = np.where(window.to_start >= limit, window.average / 2, window.to_start)
    return np.where(to_zero < start, to_zero, start)


def rate(series: Range) -> Floats:
    return extrapolated(series, counter=True, per_second=True)


def increase(series: Range) -> Floats:
    return extrapolated(series, counter=True, per_second=False)


def delta(series: Range) -> Floats:
    return extrapolated(series, counter=False, per_second=False)


def idelta(series: Range) -> Floats:
    return series.last - _last_but_one(series)


def irate(series: Range) -> Floats:
    before = _last_but_one(series)
    times, last = series.window.grid.times, series.window.last
    seconds = (times[last] - times[np.maximum(last - 1, 0)]) / 1000
    return np.where(series.last < before, series.last, series.last - before) / seconds


def _last_but_one(series: Range) -> Floats:
    return series.samples.value_at(np.maximum(series.window.last - 1, 0))


def changes(series: Range) -> Floats:
    counted = series.samples.changes
    return (counted[series.last_span] - counted[series.first_span]).astype(np.float64)


def resets(series: Range) -> Floats:
    counted = series.samples.resets
    return (counted[series.last_span] - counted[series.first_span]).astype(np.float64)
