"""Find the steps at which a result can change, so that the rest of the grid need not be evaluated.

A window in which nothing changes gives the same result at each step, unless a function depends on the time or on how many samples
the window happens to hold. Expressions with such functions are evaluated at all steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.promql.elementwise import DATES
from forensics.promql.samples import Samples
from forensics.promql.scraped import Scraped
from forensics.promql.selectors import Selector
from forensics.promql.series import Bools, Floats, Ints, milliseconds
from forensics.promql.syntax import Expression
from forensics.promql.tree import Call, Instant, Node, Range, Subquery, children
from forensics.promql.windows import LOOKBACK

# of equal samples their result is the same, however many there are
REGARDLESS_OF_COUNT = frozenset(
    {"rate", "increase", "delta", "irate", "idelta", "changes", "resets", "deriv", "predict_linear"}
    | {f"{kind}_over_time" for kind in ("min", "max", "last", "present", "absent", "stddev", "stdvar")}
)
OF_TIME = frozenset({"time", "timestamp"})


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back an expression looks at a selector's series: from `offset` to `offset + length` ms before each step."""

    selector: Selector
    length: int
    offset: int


@dataclass(frozen=True, slots=True)
class Spacing:
    """In ms: how far apart evaluations and scrapes are, and the steps of subqueries without one."""

    interval: int
    scrapes: int
    default_step: int

    @property
    def aligned(self) -> bool:
        """Return whether each window holds as many samples as the last one."""
        return self.interval % self.scrapes == 0


def points_of_interest(
    expression: Expression, scraped: Scraped, interval: float, phase: float = 0.0, *, default_step: float = 60.0
) -> Floats:
    """Return the steps to evaluate, in seconds, of one each `interval` while it is scraped: between them the result is that of the one before."""
    scrapes = scraped.scrapes
    at = np.arange(scrapes.since + phase, scrapes.until + 1e-6, interval)
    return at[interesting(expression, scraped, at, interval, default_step=default_step)]


def interesting(expression: Expression, scraped: Scraped, at: Floats, interval: float, *, default_step: float = 60.0) -> Bools:
    """Return which steps of `at` (seconds, ascending) to evaluate.

    Grids of one interval and several phases may be mixed: between those chosen, the result is that of the step an interval before.
    """
    spacing = Spacing(*(int(milliseconds(seconds)) for seconds in (interval, scraped.scrapes.interval, default_step)))
    reaches = _reaches(expression.tree, spacing)
    steps = milliseconds(at)
    if reaches is None or len(steps) == 0:
        return np.ones(len(steps), dtype=np.bool_)
    chosen = _ends_of_phases(steps, spacing.interval)
    for reach in set(reaches):
        for _labels, samples in scraped.select(reach.selector):
            begins, ends = _unsteady(samples, spacing.scrapes)
            chosen |= _covered(steps, begins + reach.offset, ends + reach.offset + reach.length + spacing.interval)
    return chosen


def _reaches(node: Node, spacing: Spacing) -> list[Reach] | None:
    """Return what a node looks at; null where its result can change although no sample does."""
    match node:
        case Instant():
            steady = spacing.aligned or spacing.scrapes < LOOKBACK
            return [Reach(node.selector, 0, node.offset)] if steady else None
        case Range():
            return [Reach(node.instant.selector, node.length, node.instant.offset)]
        case Subquery():
            return _reaches_of_subquery(node, spacing)
        case Call() if _varies(node, spacing):
            return None
    found: list[Reach] = []
    for child in children(node):
        reaches = _reaches(child, spacing)
        if reaches is None:
            return None
        found += reaches
    return found


def _varies(call: Call, spacing: Spacing) -> bool:
    """Return whether a function gives other results for equal samples."""
    if call.function in OF_TIME or (call.function in DATES and not call.arguments):
        return True
    return not spacing.aligned and any(_counts(call, argument, spacing) for argument in call.arguments)


def _counts(call: Call, argument: Node, spacing: Spacing) -> bool:
    """Return whether a function of a range depends on how many samples this has."""
    return isinstance(argument, Range) and not (call.function in REGARDLESS_OF_COUNT and argument.length >= 2 * spacing.scrapes)


def _reaches_of_subquery(node: Subquery, spacing: Spacing) -> list[Reach] | None:
    step = node.step or spacing.default_step
    if spacing.interval % step:
        return None
    inner = _reaches(node.inner, Spacing(step, spacing.scrapes, spacing.default_step))
    if inner is None:
        return None
    return [Reach(reach.selector, reach.length + node.length + step, reach.offset + node.offset) for reach in inner]


def _ends_of_phases(steps: Ints, interval: int) -> Bools:
    """Choose the first and the last step of each phase."""
    ends: Bools = (steps < steps[0] + interval) | (steps > steps[-1] - interval)
    return ends


def _unsteady(samples: Samples, spacing: int) -> tuple[Ints, Ints]:
    """Return the spans, in ms, in which samples change or are missing; also before the first one and after the last one."""
    times = samples.grid.times
    changes = times[samples.starts]
    gaps = np.empty(0, dtype=np.int64)
    if samples.grid.step is None or samples.grid.kept is not None:
        gaps = np.flatnonzero(np.diff(times) > spacing)
    far = np.iinfo(np.int64).max // 4
    begins = np.concatenate([changes, times[gaps], [-far, times[-1]]])
    ends = np.concatenate([changes, times[gaps + 1], [times[0], far]])
    return begins, ends


def _covered(steps: Ints, begins: Ints, ends: Ints) -> Bools:
    """Return which steps are within any of the spans."""
    edges = np.zeros(len(steps) + 1, dtype=np.int64)
    edges += np.bincount(np.searchsorted(steps, begins, side="left"), minlength=len(edges))
    edges -= np.bincount(np.searchsorted(steps, ends, side="right"), minlength=len(edges))
    covered: Bools = np.cumsum(edges)[:-1] > 0
    return covered
