"""Find the steps at which a result can change, so that the rest of the grid need not be evaluated.

A window in which nothing changes gives the same result at each step, unless a function depends on the time or on how many samples
the window happens to hold. Expressions with such functions are evaluated at all steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.promql.elementwise import DATES
from forensics.promql.samples import Samples
from forensics.promql.scraped import Scraped
from forensics.promql.selectors import Selector
from forensics.promql.series import Floats, Ints, milliseconds
from forensics.promql.spans import numbers_in, united
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
    """How far apart evaluations, scrapes, and the steps of subqueries without one are, in ms."""

    interval: int
    scrapes: int
    default_step: int


@dataclass(frozen=True, slots=True)
class Steps:
    """Evaluations in ms: the first, how many, how far apart."""

    first: int
    count: int
    interval: int

    def within(self, begins: Ints, ends: Ints) -> Ints:
        """Return the steps in any of the spans, and the first and the last step."""
        first = np.clip(-((self.first - begins) // self.interval), 0, self.count)
        last = np.clip((ends - self.first) // self.interval, -1, self.count - 1)
        edges = np.array([0, self.count - 1])
        return self.at(numbers_in(*united(np.append(first, edges), np.append(last, edges))))

    def at(self, numbers: Ints) -> Ints:
        return self.first + self.interval * numbers


def steps_between(since: float, until: float, interval: float, phase: float) -> Steps:
    first, last, between = (int(milliseconds(seconds)) for seconds in (since + phase, until, interval))
    return Steps(first, max((last - first) // between + 1, 0), between)


def points_of_interest(
    expression: Expression, scraped: Scraped, interval: float, phase: float = 0.0, *, default_step: float = 60.0
) -> Floats:
    """Return the steps to evaluate, in seconds: between them the result is that of the one before. `alerts` does better, group by group."""
    steps = steps_between(scraped.scrapes.since, scraped.scrapes.until, interval, phase)
    return interesting(expression, scraped, [steps], default_step=default_step)[0] / 1000


def interesting(expression: Expression, scraped: Scraped, phases: Sequence[Steps], *, default_step: float = 60.0) -> list[Ints]:
    """Return which steps of each phase to evaluate, in ms."""
    interval = phases[0].interval
    spacing = Spacing(interval, int(milliseconds(scraped.scrapes.interval)), int(milliseconds(default_step)))
    reaches = _reaches(expression.tree, spacing)
    if reaches is None:
        return [steps.at(np.arange(steps.count)) for steps in phases]
    begins, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for reach in set(reaches):
        for _labels, samples in scraped.select(reach.selector):
            first, last = _unsteady(samples, spacing.scrapes)
            begins.append(first + reach.offset)
            ends.append(last + reach.offset + reach.length + interval)
    return [steps.within(np.concatenate(begins), np.concatenate(ends)) for steps in phases]


def _reaches(node: Node, spacing: Spacing) -> list[Reach] | None:
    """Return what a node looks at; null where its result can change although no sample does."""
    match node:
        case Instant():
            steady = spacing.scrapes < LOOKBACK or spacing.interval % spacing.scrapes == 0
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
    return any(_counts(call, argument, spacing) for argument in call.arguments)


def _counts(call: Call, argument: Node, spacing: Spacing) -> bool:
    """Return whether a result depends on how many samples a window happens to hold."""
    match argument:
        case Range(length=length):
            distance = spacing.scrapes
        case Subquery(length=length, step=step):
            distance = step or spacing.default_step
        case _:
            return False
    return spacing.interval % distance != 0 and not (call.function in REGARDLESS_OF_COUNT and length >= 2 * distance)


def _reaches_of_subquery(node: Subquery, spacing: Spacing) -> list[Reach] | None:
    step = node.step or spacing.default_step
    inner = _reaches(node.inner, Spacing(step, spacing.scrapes, spacing.default_step))
    if inner is None:
        return None
    return [Reach(reach.selector, reach.length + node.length + step, reach.offset + node.offset) for reach in inner]


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
