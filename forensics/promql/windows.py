"""Find the samples that each evaluation can use: the last one for an instant, those of a window for a range."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forensics.promql.grid import Grid
from forensics.promql.labels import Labels
from forensics.promql.samples import Samples
from forensics.promql.series import Bools, Floats, Ints

LOOKBACK = 300_000  # ms; --query.lookback-delta
EVERYWHERE = np.ones((), dtype=np.bool_)  # present at each step; broadcasts


def present(mask: Bools) -> Bools:
    """Return a mask that costs nothing to combine where it is true everywhere."""
    return EVERYWHERE if mask.all() else mask


@dataclass(eq=False)
class Window:
    """The samples of a grid in (end - length, end] of each step, or, for Prometheus 2, in [end - length, end]; times in ms."""

    grid: Grid
    ends: Ints
    length: int
    version: int

    @cached_property
    def after(self) -> Ints:
        """Return the number of the first sample after each window."""
        return self.grid.up_to(self.ends)

    @cached_property
    def begin(self) -> Ints:
        opens = self.ends - self.length
        return self.grid.before(opens) if self.version == 2 else self.grid.up_to(opens)

    @cached_property
    def count(self) -> Ints:
        return self.after - self.begin

    @cached_property
    def any(self) -> Bools:
        return present(self.count > 0)

    @cached_property
    def two(self) -> Bools:
        return present(self.count > 1)

    @cached_property
    def first(self) -> Ints:
        """Return the first sample of each window; any other one where it is empty."""
        return np.minimum(self.begin, len(self.grid) - 1)

    @cached_property
    def last(self) -> Ints:
        return np.maximum(self.after - 1, 0)

    @cached_property
    def sampled(self) -> Floats:
        """Return the seconds between first and last sample, one where there are not two."""
        seconds = (self.grid.times[self.last] - self.grid.times[self.first]) / 1000
        return np.where(self.count > 1, seconds, 1.0)

    @cached_property
    def average(self) -> Floats:
        """Return the average seconds between two samples."""
        return self.sampled / np.maximum(self.count - 1, 1)

    @cached_property
    def to_start(self) -> Floats:
        return (self.grid.times[self.first] - (self.ends - self.length)) / 1000

    @cached_property
    def to_end(self) -> Floats:
        """Return the seconds from the last sample to which a rate is extrapolated: half a spacing if the end is far."""
        seconds = (self.ends - self.grid.times[self.last]) / 1000
        return np.where(seconds < self.average * 1.1, seconds, self.average / 2)


@dataclass(eq=False)
class Range:
    """One series of a range vector."""

    labels: Labels
    samples: Samples
    window: Window

    @cached_property
    def first_span(self) -> Ints:
        return self.samples.span_at(self.window.first)

    @cached_property
    def last_span(self) -> Ints:
        return self.samples.span_at(self.window.last)

    @cached_property
    def first(self) -> Floats:
        return self.samples.values[self.first_span]

    @cached_property
    def last(self) -> Floats:
        return self.samples.values[self.last_span]


@dataclass(eq=False)
class Lookup:
    """The last sample of a grid at or before each time, where it is not older than the lookback."""

    grid: Grid
    times: Ints
    version: int

    @cached_property
    def sample(self) -> Ints:
        return np.maximum(self.grid.up_to(self.times) - 1, 0)

    @cached_property
    def sampled_at(self) -> Ints:
        return self.grid.times[self.sample]

    @cached_property
    def present(self) -> Bools:
        age = self.times - self.sampled_at  # negative where there is no sample yet
        return present((age >= 0) & (age <= LOOKBACK if self.version == 2 else age < LOOKBACK))

    def present_in(self, samples: Samples) -> Bools:
        """Leave out the steps at which a stale marker came after the last sample."""
        if len(samples.stale) == 0:
            return self.present
        marker = np.searchsorted(samples.stale, self.times, side="right") - 1
        return self.present & ~((marker >= 0) & (samples.stale[np.maximum(marker, 0)] > self.sampled_at))
