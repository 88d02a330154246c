"""Evaluate deriv and predict_linear: the least-squares line through each window."""

from __future__ import annotations

import numpy as np

from forensics.promql.dense import Compensated, Windows, each_window
from forensics.promql.series import Floats, Ints
from forensics.promql.windows import Range


def deriv(series: Range) -> Floats:
    return each_window(series, lambda windows: _regression(windows, windows.times[:, 0])[0], steady=_flat(series.first))


def predict_linear(series: Range, seconds: Floats, *, at: Ints) -> Floats:
    def predict(windows: Windows) -> Floats:
        slope, intercept = _regression(windows, windows.ends)
        return slope * windows.scalars[0] + intercept

    flat = _flat(series.first)
    return each_window(series, predict, seconds, at=at, steady=flat * seconds + (series.first + flat))


def _regression(windows: Windows, origin: Ints) -> tuple[Floats, Floats]:
    """Return slope and value at the origin of the least-squares line."""
    sums = [Compensated(len(windows.values)) for _ in range(4)]
    for column in range(windows.values.shape[1]):
        there, y = windows.there[:, column], windows.values[:, column]
        x = (windows.times[:, column] - origin) / 1000
        for total, term in zip(sums, (x, y, x * y, x * x), strict=True):
            total.add(term, there)
    x, y, xy, xx = (total.sum + total.rest for total in sums)
    count = windows.there.sum(axis=1)
    slope = (xy - x * y / count) / (xx - x * x / count)
    first = windows.values[:, 0]
    flat = _flat(first)
    constant = ((windows.values == first[:, None]) | ~windows.there).all(axis=1)
    return np.where(constant, flat, slope), np.where(constant, first + flat, y / count - slope * x / count)


def _flat(values: Floats) -> Floats:
    """Return the slope where all samples have one value: none; that of infinity or NaN is unknown."""
    return np.where(np.isfinite(values), 0.0, np.nan)
