"""Find when a rule first fires in an incident, over the phases of scrapes and evaluations, and when it fires outside of any."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.promql import Evaluations, Expression, Firing, Scraped, Scrapes, StepSeries, Vector, alerts, evaluate
from forensics.replay.history import Floats
from forensics.replay.scene import First, Scene
from forensics.replay.selection import reach_s

FIRST_LOOK_S = 900.0  # how far after the start phases are followed at first
FARTHER = 4  # times that, until each phase has fired
LOOKBACK_S = 300.0  # Prometheus' lookback delta
AFTER_S = 600.0  # a firing that begins so soon after an incident belongs to it: rules look back
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Prometheus:
    """How rules are evaluated. phases: of scrapes and of evaluations, each."""

    scrape_s: float = 15.0
    evaluation_s: float = 15.0
    version: int = 3
    phases: int = 4


@dataclass(frozen=True, slots=True)
class Watched:
    """A rule's expression with its series, ready to be evaluated. hold_s: `for`; keep_s: `keep_firing_for`."""

    expression: Expression
    series: tuple[StepSeries, ...]
    prometheus: Prometheus
    hold_s: float = 0.0
    keep_s: float = 0.0

    def scraped(self, since: float, until: float, phase: float, scene: Scene) -> Scraped:
        """Scrape from as far back as an evaluation at `since` ends."""
        step = self.prometheus.scrape_s
        first = max(since - reach_s(self.expression) - 2 * LOOKBACK_S, scene.window[0])
        return Scraped(self.series, Scrapes(_aligned(first, step), until + step, step, phase, scene.machine.off))

    def alerts(self, scraped: Scraped, since: float, until: float, phases: tuple[float, ...], scene: Scene) -> list[list[Alert]]:
        """Return for each phase of the evaluations the alerts that fire while Prometheus runs."""
        prometheus = self.prometheus
        found = alerts(
            self.expression, scraped, Evaluations(since, until, prometheus.evaluation_s, phases),
            hold_s=self.hold_s, keep_firing_s=self.keep_s, version=prometheus.version, default_step=prometheus.evaluation_s,
        )  # fmt: skip
        return [list(_awake(firings, scene)) for firings in found]

    def vectors(self, at: Floats, scene: Scene) -> Sequence[Vector]:
        """Evaluate at each of these steps, in the middle phase of the scrapes."""
        scraped = self.scraped(float(at[0]), float(at[-1]), middle_phase(self.prometheus), scene)
        return evaluate(
            self.expression, scraped, at, version=self.prometheus.version, default_step=self.prometheus.evaluation_s
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alert:
    """A firing alert; resolves: infinite while it still fires."""

    fires: float
    resolves: float
    labels: Labels


@dataclass(frozen=True, slots=True)
class Found:
    """What the phases show. first: null where no phase fires; already: the rule was firing when the incident began, in all phases.

    quiet, quiet_hours: firings in the quiet times for which this incident answers, in the middle phase.
    """

    first: First | None
    already: bool
    labels: Labels
    quiet: int
    quiet_hours: float


def follow(watched: Watched, scene: Scene) -> Found:
    """Follow a rule through all phases of its scrapes and evaluations, and through the whole window in the middle one."""
    key = (watched.expression, watched.prometheus, watched.hold_s, watched.keep_s)
    raised = scene.once(key, lambda: _in_the_middle_phase(watched, scene))
    quiet = [alert for alert in raised if _is_quiet(alert, watched, scene)]
    hours = sum(min(alert.resolves, scene.window[1]) - alert.fires for alert in quiet) / 3600
    middle, phases = _first(raised, scene), first_fires(watched, scene)
    firsts = [*phases, *([middle] if middle else [])]
    if not firsts:
        return Found(None, already=False, labels=(), quiet=len(quiet), quiet_hours=hours)
    after = sorted(_after(alert, scene) for alert in firsts)
    chosen = _after(middle, scene) if middle else float(np.median(after))
    first = First(chosen, after[0], after[-1], 1 - len(phases) / watched.prometheus.phases**2)
    already = all(alert.fires < scene.start for alert in firsts)
    return Found(first, already, firsts[0].labels, len(quiet), hours)


def first_fires(watched: Watched, scene: Scene) -> list[Alert]:
    """Follow each phase until it fires, farther and farther into the incident; return the first alert of those that do."""
    count = watched.prometheus.phases
    firsts: dict[tuple[int, int], Alert] = {}
    for until in _horizons(scene):
        for scraped in range(count):
            if any((scraped, evaluated) not in firsts for evaluated in range(count)):
                for evaluated, alert in _by_evaluation_phase(watched, scene, scraped, until):
                    firsts.setdefault((scraped, evaluated), alert)
        if len(firsts) == count**2:
            break
    return list(firsts.values())


def _by_evaluation_phase(watched: Watched, scene: Scene, scraped: int, until: float) -> Iterator[tuple[int, Alert]]:
    """Yield each phase of the evaluations in which the rule fires in the incident, with its first alert there."""
    prometheus = watched.prometheus
    phases = tuple(prometheus.evaluation_s * number / prometheus.phases for number in range(prometheus.phases))
    before = watched.hold_s + watched.keep_s + 2 * prometheus.evaluation_s  # to know what is pending
    since = _aligned(max(scene.start - before, scene.window[0]), prometheus.evaluation_s)
    samples = watched.scraped(since, until, prometheus.scrape_s * scraped / prometheus.phases, scene)
    for number, raised in enumerate(watched.alerts(samples, since, until, phases, scene)):
        if (first := _first(raised, scene)) is not None:
            yield number, first


def _in_the_middle_phase(watched: Watched, scene: Scene) -> list[Alert]:
    """Return all alerts of the window, of evaluations at whole intervals."""
    since, until = _aligned(scene.window[0], watched.prometheus.evaluation_s), scene.window[1]
    samples = watched.scraped(since, until, middle_phase(watched.prometheus), scene)
    (raised,) = watched.alerts(samples, since, until, (0.0,), scene)
    return raised


def middle_phase(prometheus: Prometheus) -> float:
    """Return the phase of scrapes, in whole seconds, that stands for all."""
    return float(prometheus.scrape_s // 2)


def _first(raised: Sequence[Alert], scene: Scene) -> Alert | None:
    """Return the first alert that fires in the incident, or fired before and still does."""
    inside = [alert for alert in raised if alert.fires <= scene.until and alert.resolves > scene.start]
    return min(inside, key=lambda alert: alert.fires, default=None)


def _after(alert: Alert, scene: Scene) -> float:
    return max(alert.fires - scene.start, 0.0)


def _is_quiet(alert: Alert, watched: Watched, scene: Scene) -> bool:
    """Whether an alert counts as noise: outside of incidents, and after windows that look back have been filled."""
    since = scene.window[0] + reach_s(watched.expression)
    outside = not any(alert.fires <= end + AFTER_S and alert.resolves >= start for start, end in scene.spans)
    return outside and alert.fires >= since and scene.answers_for[0] < alert.fires <= scene.answers_for[1]


def grid(watched: Watched, scene: Scene) -> Floats:
    """Return the steps of one phase over the whole incident, while Prometheus runs."""
    step = watched.prometheus.evaluation_s
    at = np.arange(_aligned(scene.start, step), scene.until + step, step)
    for start, end in scene.machine.off:
        at = at[(at <= start) | (at >= end)]
    return at


def _awake(firings: Sequence[Firing], scene: Scene) -> Iterator[Alert]:
    """Yield the alerts; one that would fire while the host is off does so afterwards, if it still holds."""
    for firing in firings:
        fires, resolves = float(firing.fires or 0.0), np.inf if firing.resolves is None else firing.resolves
        for start, end in scene.machine.off:
            fires = end if start < fires < end else fires
        if fires < resolves:
            yield Alert(fires, resolves, tuple(sorted(firing.labels.items())))


def _horizons(scene: Scene) -> list[float]:
    """Return until when the phases are followed, in turn."""
    ends = [FIRST_LOOK_S]
    while scene.start + ends[-1] < scene.until:
        ends.append(ends[-1] * FARTHER)
    return [min(scene.start + look, scene.until) for look in ends]


def _aligned(time: float, step: float) -> float:
    return float(np.floor(time / step) * step)
