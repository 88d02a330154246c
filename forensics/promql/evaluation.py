"""Hold what one evaluation works on: samples, steps, version; windows are found once for all series and selectors."""

from __future__ import annotations

from dataclasses import dataclass, field

from forensics.promql.grid import Grid
from forensics.promql.scraped import Scraped
from forensics.promql.series import Ints
from forensics.promql.windows import Lookup, Window


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The steps of an expression. at: ms, ascending.

    default_step: of subqueries without one, Prometheus' evaluation_interval in ms. whole: all series are here, not only a group of them.
    """

    scraped: Scraped
    at: Ints
    version: int
    default_step: int
    whole: bool = True
    _windows: dict[tuple[Grid, int, int], Window] = field(default_factory=dict)
    _lookups: dict[tuple[Grid, int], Lookup] = field(default_factory=dict)

    def window(self, grid: Grid, length: int, offset: int) -> Window:
        key = (grid, length, offset)
        if key not in self._windows:
            self._windows[key] = Window(grid, self.at - offset, length, self.version)
        return self._windows[key]

    def lookup(self, grid: Grid, offset: int) -> Lookup:
        key = (grid, offset)
        if key not in self._lookups:
            self._lookups[key] = Lookup(grid, self.at - offset, self.version)
        return self._lookups[key]

    def at_steps(self, at: Ints) -> Evaluation:
        """Return an evaluation of the same samples at other steps."""
        return Evaluation(self.scraped, at, self.version, self.default_step, self.whole)
