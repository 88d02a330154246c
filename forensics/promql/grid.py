"""Count the samples up to any time, fast where they are evenly spaced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.promql.errors import UnsupportedError
from forensics.promql.series import Ints, Scrapes, milliseconds

MOST_SCRAPES = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The times of samples in milliseconds, ascending. Two series scraped alike share one grid, so that windows are found once.

    step: the spacing, null where it varies. kept: of an even spacing with gaps, how many of the first n slots have a sample.
    """

    times: Ints
    origin: int = 0
    step: int | None = None
    kept: Ints | None = None

    def __len__(self) -> int:
        return len(self.times)

    def up_to(self, times: Ints) -> Ints:
        """Count the samples at or before each time."""
        if self.step is None:
            return np.searchsorted(self.times, times, side="right")
        return self._slots((times - self.origin) // self.step + 1)

    def before(self, times: Ints) -> Ints:
        """Count the samples before each time."""
        if self.step is None:
            return np.searchsorted(self.times, times, side="left")
        return self._slots(-((self.origin - times) // self.step))

    def _slots(self, slots: Ints) -> Ints:
        if self.kept is None:
            return np.clip(slots, 0, len(self.times))
        return self.kept[np.clip(slots, 0, len(self.kept) - 1)]


def even_grid(origin: int, step: int, slots: int) -> Grid:
    return Grid(origin + step * np.arange(slots, dtype=np.int64), origin, step)


def scrape_grid(scrapes: Scrapes) -> Grid:
    """Return when samples are taken: an even spacing without the missing spans."""
    step = int(milliseconds(scrapes.interval))
    origin, until = (int(milliseconds(time)) for time in (scrapes.since + scrapes.phase, scrapes.until))
    slots = (until - origin) // step + 1 if step > 0 else MOST_SCRAPES + 1
    if slots > MOST_SCRAPES:
        raise UnsupportedError(f"more than {MOST_SCRAPES:,} scrapes")
    grid = even_grid(origin, step, max(slots, 0))
    if not scrapes.missing:
        return grid
    keep = np.ones(len(grid), dtype=np.bool_)
    for start, end in scrapes.missing:
        keep[grid.before(milliseconds(start)) : grid.up_to(milliseconds(end))] = False
    return Grid(grid.times[keep], origin, step, np.concatenate([[0], np.cumsum(keep)]).astype(np.int64))
