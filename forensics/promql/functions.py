"""List what is evaluated: each function of PromQL with the code that evaluates it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from forensics.promql import dense, over_time, rates, regression
from forensics.promql.elementwise import DATES, MATHEMATICS, clamp, clamp_max, clamp_min, rounded
from forensics.promql.errors import UnsupportedError
from forensics.promql.evaluation import Evaluation
from forensics.promql.labels import nameless
from forensics.promql.relabel import absent_labels, label_join, label_replace
from forensics.promql.rows import Row, Scalar, anywhere, unnamed
from forensics.promql.series import Floats
from forensics.promql.tree import Call, Instant
from forensics.promql.windows import EVERYWHERE, Range

LAST_DATE = 1e11  # seconds: the year 5138
Value = list[Row] | list[Range] | Scalar | str

# of one range vector: the function and how many samples a window must have
RANGES: dict[str, tuple[Callable[[Range], Floats], int]] = {
    "rate": (rates.rate, 2),
    "increase": (rates.increase, 2),
    "delta": (rates.delta, 2),
    "irate": (rates.irate, 2),
    "idelta": (rates.idelta, 2),
    "changes": (rates.changes, 1),
    "resets": (rates.resets, 1),
    "deriv": (regression.deriv, 2),
    "sum_over_time": (over_time.sum_over_time, 1),
    "avg_over_time": (over_time.avg_over_time, 1),
    "count_over_time": (over_time.count_over_time, 1),
    "min_over_time": (over_time.min_over_time, 1),
    "max_over_time": (over_time.max_over_time, 1),
    "last_over_time": (over_time.last_over_time, 1),
    "present_over_time": (over_time.present_over_time, 1),
    "stddev_over_time": (dense.stddev_over_time, 1),
    "stdvar_over_time": (dense.stdvar_over_time, 1),
}


def over_ranges(call: Call, ranges: list[Range]) -> list[Row]:
    function, samples = RANGES[call.function]
    return [_row(call, series, function(series), samples) for series in ranges]


def _row(call: Call, series: Range, values: Floats, samples: int) -> Row:
    labels = series.labels if call.function == "last_over_time" else nameless(series.labels)
    return Row(labels, values, series.window.any if samples == 1 else series.window.two)


def _quantile_over_time(_evaluation: Evaluation, call: Call, share: Scalar, ranges: list[Range]) -> list[Row]:
    return [_row(call, series, dense.quantile_over_time(series, share.values), 1) for series in ranges]


def _predict_linear(evaluation: Evaluation, call: Call, ranges: list[Range], seconds: Scalar) -> list[Row]:
    return [_row(call, series, regression.predict_linear(series, seconds.values, at=evaluation.at), 2) for series in ranges]


def _absent(_evaluation: Evaluation, call: Call, rows: list[Row]) -> list[Row]:
    return [Row(absent_labels(call.arguments[0]), np.ones(()), ~anywhere(rows))]


def _absent_over_time(_evaluation: Evaluation, call: Call, ranges: list[Range]) -> list[Row]:
    found = anywhere(Row(series.labels, np.ones(()), series.window.any) for series in ranges)
    return [Row(absent_labels(call.arguments[0]), np.ones(()), ~found)]


def _time(evaluation: Evaluation, _call: Call) -> Scalar:
    return Scalar(evaluation.at / 1000)


def _timestamp(evaluation: Evaluation, call: Call, rows: list[Row]) -> list[Row]:
    """Return the time of the sample for a selector, that of the evaluation for all else."""
    argument = call.arguments[0]
    if not isinstance(argument, Instant):
        return [unnamed(row, evaluation.at / 1000) for row in rows]
    times = {
        labels: evaluation.lookup(samples.grid, argument.offset).sampled_at / 1000
        for labels, samples in evaluation.scraped.select(argument.selector)
    }
    return [unnamed(row, times[row.labels]) for row in rows]


def _vector(_evaluation: Evaluation, _call: Call, scalar: Scalar) -> list[Row]:
    return [Row((), scalar.values, EVERYWHERE)]


def _scalar(_evaluation: Evaluation, _call: Call, rows: list[Row]) -> Scalar:
    """Return the value of the only row; NaN where there is none, or more than one."""
    count, value = np.zeros(()), np.zeros(())
    for row in rows:
        count, value = count + row.present, np.where(row.present, row.values, value)
    return Scalar(np.where(count == 1, value, np.nan))


def _dates(evaluation: Evaluation, call: Call, rows: list[Row] | None = None) -> list[Row]:
    part = DATES[call.function]
    if rows is None:
        return [Row((), part(evaluation.at / 1000), EVERYWHERE)]
    if not all((~row.present | (np.abs(row.values) < LAST_DATE)).all() for row in rows):
        raise UnsupportedError(f"{call.function}() of a number that is no time")  # Prometheus gives what the processor makes of it
    return [unnamed(row, part(row.values)) for row in rows]


def _mathematics(_evaluation: Evaluation, call: Call, rows: list[Row]) -> list[Row]:
    return [unnamed(row, MATHEMATICS[call.function](row.values)) for row in rows]


def _plain(function: Callable[..., Value]) -> Callable[..., Value]:
    """Adapt a function that needs neither the evaluation nor the call."""
    return lambda _evaluation, _call, *arguments: function(*arguments)


# each gets the evaluation, the call, and its evaluated arguments
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(RANGES, lambda _evaluation, call, ranges: over_ranges(call, ranges)),
    **dict.fromkeys(MATHEMATICS, _mathematics),
    **dict.fromkeys(DATES, _dates),
    "quantile_over_time": _quantile_over_time,
    "predict_linear": _predict_linear,
    "absent": _absent,
    "absent_over_time": _absent_over_time,
    "time": _time,
    "timestamp": _timestamp,
    "pi": lambda _evaluation, _call: Scalar(np.full((), np.pi)),
    "vector": _vector,
    "scalar": _scalar,
    "clamp": _plain(clamp),
    "clamp_min": _plain(clamp_min),
    "clamp_max": _plain(clamp_max),
    "round": _plain(rounded),
    "label_replace": _plain(label_replace),
    "label_join": _plain(label_join),
    "sort": _plain(lambda rows: rows),
    "sort_desc": _plain(lambda rows: rows),
}
