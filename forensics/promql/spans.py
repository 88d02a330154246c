"""Unite overlapping spans of whole numbers."""

from __future__ import annotations

import numpy as np

from forensics.promql.series import Ints


def united(first: Ints, last: Ints) -> tuple[Ints, Ints]:
    """Return the spans that cover the same numbers, ascending and apart; one whose last is before its first covers none."""
    some = first <= last
    order = np.argsort(first[some], kind="stable")
    first, last = first[some][order], np.maximum.accumulate(last[some][order])
    if len(first) == 0:
        return first, last
    opens = np.append(True, first[1:] > last[:-1] + 1)
    return first[opens], last[np.append(np.flatnonzero(opens)[1:] - 1, len(first) - 1)]


def numbers_in(first: Ints, last: Ints) -> Ints:
    """Return all numbers of spans that are ascending and apart."""
    lengths = last - first + 1
    return np.repeat(first - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
