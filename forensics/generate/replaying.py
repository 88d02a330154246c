"""Replay single rules and limits on the incidents of a unit, so that what is generated can be proven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forensics.generate.proof import VERSIONS, Replay
from forensics.history_replay import for_replay
from forensics.model.controls import Replayed
from forensics.pipeline import Investigation
from forensics.promql import Evaluations, Expression, Scraped, Scrapes, Selector, StepSeries, alerts, evaluate, parse, points_of_interest
from forensics.promql.labels import labels_of
from forensics.replay import scenes_of
from forensics.replay.alert_rules import Engine, replay_rule
from forensics.replay.firing import AFTER_S
from forensics.replay.limiters import StartLimit
from forensics.replay.limits import replay_start_limit
from forensics.replay.reel import Prometheus
from forensics.replay.scene import Scene
from forensics.replay.selection import Cache, select
from forensics.replay.series import Model
from forensics.replay.stacks import replay_stacks
from forensics.replay.template import reach_s
from forensics.rules import Rule

SOURCE = "generated"
PHASES = 4  # of scrapes and of evaluations, each


@dataclass(frozen=True, slots=True)
class Stage:
    """The incidents of all units, ready to replay on. interval_s: of scrapes and evaluations."""

    scenes: Mapping[str, tuple[Scene, ...]]
    interval_s: float = 15.0
    cache: Cache = field(default_factory=Cache)

    def engine(self, scene: Scene, version: int) -> Engine:
        return Engine(Prometheus(self.interval_s, self.interval_s, version, PHASES), Model(since=scene.window[0]), self.cache)

    def rules(self, unit: str) -> Replay:
        """Return a function that replays rules on the incidents of a unit."""

        def replayed(rules: Sequence[Rule], version: int) -> dict[str, list[Replayed]]:
            return {
                scene.incident.id: [replay_rule(scene, rule, self.engine(scene, version)) for rule in rules] for scene in self.scenes[unit]
            }

        return replayed

    def limit(self, unit: str, limit: StartLimit) -> dict[str, Replayed]:
        """Replay a start limit on the incidents of a unit."""
        return {scene.incident.id: replay_start_limit(scene, limit, SOURCE) for scene in self.scenes[unit]}

    def stacked(self, unit: str, limit: StartLimit, rule: Rule) -> dict[str, list[Replayed]]:
        """Replay a rule on what a start limit leaves of the incidents of a unit, in each version; only where it then fires."""
        return {
            scene.incident.id: [
                row for version in VERSIONS for row in replay_stacks(scene, limit, [rule], self.engine(scene, version), SOURCE)
            ]
            for scene in self.scenes[unit]
        }

    def series(self, scene: Scene, expression: Expression) -> tuple[StepSeries, ...]:
        """Return the series that an expression selects of the unit of an incident; none where it selects no unit's."""
        if not any(selector.metric for selector in expression.selectors):
            return ()
        rebuilt = select(expression, scene.histories, (), Model(since=scene.window[0]), self.cache).series
        return tuple(one for one in rebuilt if any(_selects(selector, one) for selector in expression.selectors))


@dataclass(frozen=True, slots=True)
class Noise:
    """What a rule does over the whole window, in the worst of all phases and versions. highest: value in quiet times, of a comparison."""

    outside: int
    inside: int
    quiet_s: float
    highest: float | None = None
    threshold: float | None = None


def stage_of(investigation: Investigation, interval_s: float = 15.0) -> Stage:
    """Prepare all incidents for replay."""
    scenes: dict[str, list[Scene]] = {}
    for scene in scenes_of(for_replay(investigation)):
        scenes.setdefault(scene.incident.unit, []).append(scene)
    return Stage({unit: tuple(of_unit) for unit, of_unit in scenes.items()}, interval_s)


def noise(stage: Stage, unit: str, rule: Rule) -> Noise:
    """Follow a rule through the whole window in every phase and version."""
    expression = parse(rule.expr)
    worst = [_noise(stage, scene, expression, rule) for scene in _one_of_each_host(stage.scenes[unit])]
    highest = [one.highest for one in worst if one.highest is not None]
    threshold = expression.comparison.threshold if expression.comparison else None
    counts = sum(one.outside for one in worst), sum(one.inside for one in worst), sum(one.quiet_s for one in worst)
    return Noise(*counts, max(highest, default=None), threshold)


def _selects(selector: Selector, series: StepSeries) -> bool:
    return selector.metric == series.name and selector.accepts(labels_of(series.name, series.labels))


def _one_of_each_host(scenes: Sequence[Scene]) -> list[Scene]:
    """Return the first scene of each unit of this name; all scenes of a unit share its histories."""
    first: dict[tuple[str, str], Scene] = {}
    for scene in scenes:
        first.setdefault((scene.incident.machine, scene.incident.manager), scene)
    return list(first.values())


def _noise(stage: Stage, scene: Scene, expression: Expression, rule: Rule) -> Noise:
    phases = tuple(stage.interval_s * number / PHASES for number in range(PHASES))
    since, until = scene.window
    series = stage.series(scene, expression)
    outside, inside, highest = [0], [0], []
    for phase in phases:
        scraped = Scraped(series, Scrapes(since, until, stage.interval_s, phase, scene.machine.off))
        for version in VERSIONS:
            evaluations = Evaluations(since, until, stage.interval_s, phases)
            for raised in alerts(
                expression, scraped, evaluations, hold_s=rule.hold_s, keep_firing_s=rule.keep_firing_s,
                version=version, default_step=stage.interval_s,
            ):  # fmt: skip
                fired = [(one.fires or 0.0, until if one.resolves is None else one.resolves) for one in raised]
                quiet = Counter(_is_quiet(scene, *span) for span in fired)
                outside.append(quiet[True])
                inside.append(quiet[False])
            highest += _highest(scene, expression, scraped, version)
    quiet_s = until - since - sum(max(0.0, min(end, until) - max(start, since)) for start, end in scene.spans)
    return Noise(max(outside), max(inside), quiet_s, max(highest, default=None))


def _highest(scene: Scene, expression: Expression, scraped: Scraped, version: int) -> list[float]:
    """Return the highest value that is compared in quiet times, at the steps where it can change."""
    comparison = expression.comparison
    if comparison is None or comparison.operator[0] != ">":
        return []
    interval_s, echo_s = scraped.scrapes.interval, max(AFTER_S, reach_s(expression))
    at = points_of_interest(comparison.compared, scraped, interval_s)
    for start, end in scene.spans:
        at = at[(at < start) | (at > end + echo_s)]
    vectors = evaluate(comparison.compared, scraped, at, version=version, default_step=interval_s)
    return [float(vector.values[vector.present].max()) for vector in vectors if vector.present.any()]


def _is_quiet(scene: Scene, fires: float, resolves: float) -> bool:
    """Whether a firing has nothing to do with an incident, also not as the echo that a range gives it."""
    return not any(fires <= end + AFTER_S and resolves >= start for start, end in scene.spans)
