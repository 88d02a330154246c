"""Hold the samples of one series as spans of equal values, and sum over any window of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from forensics.promql.grid import Grid
from forensics.promql.series import Floats, Ints

NONE = np.empty(0, dtype=np.int64)
FIRST = np.zeros((), dtype=np.int64)  # the only span of a constant series; broadcasts
FEW = 20  # times that, and it costs less to look all up at once


@dataclass(eq=False)
class Samples:
    """The samples of a series, one at each time of the grid.

    starts, values: the samples from starts[i] up to the next start have values[i]. stale: times of stale markers.
    """

    grid: Grid
    starts: Ints
    values: Floats
    stale: Ints = field(default_factory=lambda: NONE)

    @property
    def constant(self) -> bool:
        return len(self.values) == 1

    @cached_property
    def ends(self) -> Ints:
        return np.append(self.starts[1:], len(self.grid))

    @cached_property
    def spans(self) -> Ints:
        """Return, for each sample, which span it belongs to."""
        return np.repeat(np.arange(len(self.starts), dtype=np.int64), self.ends - self.starts)

    def span_at(self, samples: Ints) -> Ints:
        """Return the span of each sample; one zero for all where the series is constant."""
        if self.constant:
            return FIRST
        if "spans" not in self.__dict__ and samples.size * FEW < len(self.grid):
            return np.searchsorted(self.starts, samples, side="right") - 1
        return self.spans[samples]

    def value_at(self, samples: Ints) -> Floats:
        return self.values[self.span_at(samples)]

    @cached_property
    def changes(self) -> Ints:
        """Count the changes up to each span; two NaN in a row are none."""
        previous, current = self.values[:-1], self.values[1:]
        return _counted((previous != current) & ~(np.isnan(previous) & np.isnan(current)))

    @cached_property
    def resets(self) -> Ints:
        return _counted(self.values[1:] < self.values[:-1])

    @cached_property
    def dropped(self) -> Floats:
        """Sum the values that were lost at resets up to each span."""
        lost = np.where(self.values[1:] < self.values[:-1], self.values[:-1], 0.0)
        return np.concatenate([[0.0], np.cumsum(lost)])

    def sums(self, first: Ints, end: Ints) -> Floats:
        """Sum the samples first … end-1 of each window, none of them empty; as exact as if each window were summed alone."""
        finite = np.isfinite(self.values)
        if not finite.all():
            total = self._instead(np.where(finite, self.values, 0.0)).sums(first, end)
            for special in (np.inf, -np.inf, np.nan):
                there = np.isnan(self.values) if np.isnan(special) else self.values == special
                count = self._instead(there.astype(np.float64)).sums(first, end)
                total = total + np.where(count > 0, special, 0.0)  # inf - inf is NaN, as it is sample by sample
            return total
        left, right = self.span_at(first), self.span_at(end - 1)
        if self._are_small_integers:
            return self._sum_up_to(right, end) - self._sum_up_to(left, first)
        whole, rest = self._prefix
        between = np.minimum(left + 1, right)
        edges = self.values[left] * (self.ends[left] - first) + self.values[right] * (end - self.starts[right])
        middle, error = _difference(whole[right], whole[between])
        inside = middle + (error + (rest[right] - rest[between]))
        return np.where(left == right, self.values[left] * (end - first), edges + inside)

    @cached_property
    def _are_small_integers(self) -> bool:
        """Return whether every sum of samples is exact."""
        return bool((np.rint(self.values) == self.values).all() and np.abs(self.values).max() * len(self.grid) < 2**53)

    def _sum_up_to(self, span: Ints, end: Ints) -> Floats:
        """Sum the samples before `end`, which is in the span or just after it."""
        return self._prefix[0][span] + self.values[span] * (end - self.starts[span])

    def _instead(self, values: Floats) -> Samples:
        return Samples(self.grid, self.starts, values)

    @cached_property
    def _prefix(self) -> tuple[Floats, Floats]:
        """Return the sums of all spans before each one, and what rounding took from them."""
        totals = np.concatenate([[0.0], (self.values * (self.ends - self.starts))[:-1]])
        whole = np.cumsum(totals)
        before = np.concatenate([[0.0], whole[:-1]])
        _, error = _sum(before, totals)
        return whole, np.cumsum(error)


def samples_of(grid: Grid, values: Floats) -> Samples:
    """Compress one value per sample to spans."""
    same = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    starts = np.concatenate([[0], np.flatnonzero(~same) + 1]).astype(np.int64)
    return Samples(grid, starts, values[starts])


def _counted(hits: np.ndarray) -> Ints:
    return np.concatenate([[0], np.cumsum(hits)]).astype(np.int64)


def _sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Add two numbers; also return the rounding error (Knuth's TwoSum)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _difference(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    return _sum(a, -b)
