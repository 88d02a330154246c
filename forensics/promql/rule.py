"""Evaluate an alert's expression over a grid of steps, only where its result can change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.promql.components import components
from forensics.promql.engine import Vector, evaluate
from forensics.promql.errors import UndecidedError
from forensics.promql.interest import Steps, interesting, steps_between
from forensics.promql.scraped import Scraped
from forensics.promql.states import Firing, firings, in_order
from forensics.promql.syntax import Expression


@dataclass(frozen=True, slots=True)
class Evaluations:
    """When a rule is evaluated: each `interval` seconds from `since` to `until`, once for each phase."""

    since: float
    until: float
    interval: float = 15.0
    phases: tuple[float, ...] = (0.0,)

    def steps(self) -> list[Steps]:
        return [steps_between(self.since, self.until, self.interval, phase) for phase in self.phases]


@dataclass(frozen=True, slots=True)
class Settings:
    """How an alert is evaluated: `for`, `keep_firing_for`, the version of Prometheus, its evaluation_interval; durations in seconds."""

    hold_s: float
    keep_firing_s: float
    version: int
    default_step: float
    with_pending: bool


def alerts(
    expression: Expression,
    scraped: Scraped,
    evaluations: Evaluations,
    *,
    hold_s: float = 0.0,
    keep_firing_s: float = 0.0,
    version: int = 3,
    default_step: float = 60.0,
    with_pending: bool = False,
) -> tuple[tuple[Firing, ...], ...]:
    """Return for each phase the alerts that an expression raises: as `evaluate` and `firings` over all steps, but faster.

    Series that never meet are evaluated apart, each group only at the steps near its own changes.
    """
    settings = Settings(hold_s, keep_firing_s, version, default_step, with_pending)
    try:
        parts = [_alerts(expression, part, evaluations, settings, whole=False) for part in components(expression.tree, scraped)]
    except UndecidedError:
        parts = [_alerts(expression, scraped, evaluations, settings, whole=True)]
    return tuple(in_order([firing for part in parts for firing in part[phase]]) for phase in range(len(evaluations.phases)))


def _alerts(
    expression: Expression, scraped: Scraped, evaluations: Evaluations, settings: Settings, *, whole: bool
) -> list[tuple[Firing, ...]]:
    phases = interesting(expression, scraped, evaluations.steps(), default_step=settings.default_step)
    steps = np.concatenate(phases)
    order = np.argsort(steps, kind="stable")
    at, phase = steps[order] / 1000, np.repeat(np.arange(len(phases)), [len(own) for own in phases])[order]
    vectors = evaluate(expression, scraped, at, version=settings.version, default_step=settings.default_step, whole=whole)
    result = []
    for number in range(len(evaluations.phases)):
        own = phase == number
        result.append(
            firings(
                [Vector(vector.labels, vector.values[own], vector.present[own]) for vector in vectors],
                at[own],
                hold_s=settings.hold_s,
                keep_firing_s=settings.keep_firing_s,
                interval=evaluations.interval,
                with_pending=settings.with_pending,
            )
        )
    return result
