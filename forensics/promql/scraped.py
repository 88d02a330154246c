"""Turn step series into the samples that Prometheus would have stored, and find those that a selector selects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from forensics.promql.grid import Grid, scrape_grid
from forensics.promql.labels import Labels, labels_of
from forensics.promql.samples import Samples
from forensics.promql.selectors import Selector
from forensics.promql.series import Scrapes, StepSeries

Selected = tuple[tuple[Labels, Samples], ...]


class Scraped:
    """The samples of all series, scraped at one interval and phase. Series are sampled when a selector first selects them.

    selected: what selectors select, where that is known.
    """

    def __init__(self, series: Sequence[StepSeries], scrapes: Scrapes, selected: Mapping[Selector, Selected] | None = None) -> None:
        self.scrapes = scrapes
        self._series = series
        self._samples: dict[int, Samples | None] = {}
        self._selected = dict(selected or {})

    @cached_property
    def grid(self) -> Grid:
        return scrape_grid(self.scrapes)

    @cached_property
    def _by_name(self) -> dict[str, list[tuple[Labels, int]]]:
        index: dict[str, list[tuple[Labels, int]]] = {}
        for position, series in enumerate(self._series):
            index.setdefault(series.name, []).append((labels_of(series.name, series.labels), position))
        return {name: sorted(found) for name, found in index.items()}

    def select(self, selector: Selector) -> Selected:
        """Return the series that a selector selects, by their labels; those that were never scraped are left out."""
        if selector not in self._selected:
            names = self._by_name if selector.metric is None else (selector.metric,)
            found = [pair for name in names for pair in self._by_name.get(name, ()) if selector.accepts(pair[0])]
            sampled = [(labels, self._sampled(position)) for labels, position in found]
            self._selected[selector] = tuple((labels, samples) for labels, samples in sampled if samples is not None)
        return self._selected[selector]

    def _sampled(self, position: int) -> Samples | None:
        if position not in self._samples:
            self._samples[position] = sample(self._series[position], self.grid)
        return self._samples[position]


def sample(series: StepSeries, grid: Grid) -> Samples | None:
    """Sample a step series at each scrape; null where no scrape finds it."""
    changes = np.rint(np.asarray(series.times, dtype=np.float64) * 1e6).astype(np.int64)
    starts = grid.before(-(-changes // 1000))  # the first scrape at or after a change shows it
    last = np.append(starts[1:] != starts[:-1], True) & (starts < len(grid))  # of several changes between two scrapes
    starts, values = starts[last], np.asarray(series.values, dtype=np.float64)[last]
    differs = np.append(True, (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1])))[: len(values)]
    starts, values = starts[differs], values[differs]
    if len(starts) == 0:
        return None
    if starts[0] == 0 and not np.isnan(values).any():
        return Samples(grid, starts, values)
    return _shown_at_times(grid, starts, values)


def _shown_at_times(grid: Grid, starts: np.ndarray, values: np.ndarray) -> Samples | None:
    """Return the samples of a series that is not shown at each scrape, with the stale markers where it vanishes."""
    ends = np.append(starts[1:], len(grid))
    hidden = np.isnan(values)
    shown = np.repeat(~hidden, ends - starts)
    times = grid.times[starts[0] :][shown]
    if len(times) == 0:
        return None
    lengths = np.where(hidden, 0, ends - starts)
    begins = np.cumsum(lengths) - lengths
    stale = grid.times[starts[hidden & (np.arange(len(starts)) > 0)]]
    return Samples(Grid(times), begins[~hidden], values[~hidden], stale)
