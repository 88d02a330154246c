"""Find the steps at which a subquery evaluates what is in it, and take the results as samples."""

from __future__ import annotations

import numpy as np

from forensics.promql.errors import UnsupportedError
from forensics.promql.evaluation import Evaluation
from forensics.promql.grid import Grid
from forensics.promql.rows import Row
from forensics.promql.samples import samples_of
from forensics.promql.series import Ints
from forensics.promql.spans import numbers_in, united
from forensics.promql.tree import Subquery
from forensics.promql.windows import Range, Window

MOST_STEPS = 3_000_000


def inner_steps(node: Subquery, evaluation: Evaluation) -> Ints:
    """Return the multiples of the subquery's step that are in the window of any evaluation."""
    step = node.step or evaluation.default_step
    ends = evaluation.at - node.offset
    # a multiple at the opening of a window is left out later by Prometheus 3
    first, last = united(-((node.length - ends) // step), ends // step)
    total = int((last - first + 1).sum())
    if total > MOST_STEPS:
        raise UnsupportedError(f"a subquery of {total:,} steps")
    return step * numbers_in(first, last)


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
