"""Find the steps at which a subquery evaluates what is in it, and take the results as samples."""

from __future__ import annotations

import numpy as np

from forensics.promql.errors import UnsupportedError
from forensics.promql.evaluation import Evaluation
from forensics.promql.grid import Grid
from forensics.promql.rows import Row
from forensics.promql.samples import samples_of
from forensics.promql.series import Ints
from forensics.promql.tree import Subquery
from forensics.promql.windows import Range, Window

MOST_STEPS = 3_000_000


def inner_steps(node: Subquery, evaluation: Evaluation) -> Ints:
    """Return the multiples of the subquery's step that are in the window of any evaluation."""
    step = node.step or evaluation.default_step
    ends = evaluation.at - node.offset
    first, last = -((node.length - ends) // step), ends // step  # a multiple at the opening is left out later by Prometheus 3
    last = np.maximum(last, first - 1)
    if len(ends) == 0:
        return np.empty(0, dtype=np.int64)
    opens = np.append(True, first[1:] > np.maximum.accumulate(last)[:-1] + 1)
    begins, closes = first[opens], np.maximum.accumulate(last)[np.append(np.flatnonzero(opens)[1:] - 1, len(ends) - 1)]
    lengths = closes - begins + 1
    total = int(lengths.sum())
    if total > MOST_STEPS or int(lengths.max()) > MOST_STEPS:
        raise UnsupportedError(f"a subquery of {total:,} steps")
    return step * (np.repeat(begins - (np.cumsum(lengths) - lengths), lengths) + np.arange(total))


def subquery_ranges(node: Subquery, evaluation: Evaluation, inner: Ints, rows: list[Row]) -> list[Range]:
    """Make range vectors of the inner results; rows that are always there share a grid and with it the windows."""
    ends = evaluation.at - node.offset
    everywhere = Window(Grid(inner), ends, node.length, evaluation.version)
    ranges = []
    for row in rows:
        there = np.broadcast_to(row.present, inner.shape)
        if not there.any():
            continue
        values = np.broadcast_to(np.asarray(row.values, dtype=np.float64), inner.shape)
        if there.all():
            ranges.append(Range(row.labels, samples_of(everywhere.grid, values), everywhere))
        else:
            window = Window(Grid(inner[there]), ends, node.length, evaluation.version)
            ranges.append(Range(row.labels, samples_of(window.grid, values[there]), window))
    return ranges
