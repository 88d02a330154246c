"""Cut the stretches of history on which generated rules are tested: the incidents' first minutes, and the restarts of quiet times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

import numpy as np

from forensics import wording
from forensics.generate.basis import Basis, commented, head
from forensics.generate.promtool_tests import Excerpt, excerpt_test, promtool_text
from forensics.generate.replaying import Stage, stage_of
from forensics.generate.rules import UnitRules, common_rules
from forensics.generate.wanted import Wanted
from forensics.promql import StepSeries, parse
from forensics.replay.firing import AFTER_S
from forensics.replay.scene import EPOCH, Scene

BEFORE_S, AFTER_START_S = 600.0, 900.0
MOST_INCIDENTS, MOST_QUIET = 3, 2  # of a unit
MOST_STEADY = 3  # series of a metric without a change in the excerpt
NOTHING = Excerpt("nothing is exported", 0.0, 1200.0, ())


def promtool_file(basis: Basis, found: Sequence[UnitRules], wanted: Wanted, rule_file: str) -> str:
    """Write the unit tests of the rules of all units. rule_file: its name beside the tests."""
    of_units = [unit for unit in found if unit.rules]
    rules = [one.rule for unit in of_units for one in unit.rules]
    rules += [one.rule for one in common_rules([unit.unit for unit in of_units], wanted)]
    stage = stage_of(basis.investigation, wanted.interval_s)
    tests = [excerpt_test(excerpt, rules, wanted.interval_s) for excerpt in excerpts(of_units, stage)]
    how = (
        "The series are those that exporters would have shown, rebuilt from the journal. Each rule is checked a scrape before and after it "
        "first fires, where Prometheus 2 and 3 agree, and not to fire in quiet times and where nothing failed."
    )
    lines = [how, f"Run it beside {rule_file}: promtool test rules FILE."]
    return promtool_text(commented(head(basis, "Unit tests", "tests", lines)), rule_file, tests, wanted.interval_s)


def excerpts(found: Iterable[UnitRules], stage: Stage) -> Iterator[Excerpt]:
    """Yield the excerpts of all units that have rules, and one in which no metric exists."""
    for unit in found:
        if unit.rules:
            yield from _of_unit(unit, stage)
    yield NOTHING


def _of_unit(unit: UnitRules, stage: Stage) -> Iterator[Excerpt]:
    for scene in stage.scenes[unit.unit][:MOST_INCIDENTS]:
        name = f"{unit.unit}: the first minutes of the incident of {_instant(scene.start)} UTC"
        yield _excerpt(name, scene.start, unit, scene, stage)
    for scene in stage.scenes[unit.unit][:1]:
        for time in _quiet_restarts(scene):
            yield _excerpt(f"{unit.unit}: restarts in quiet times, at {_instant(time)} UTC", time, unit, scene, stage)


def _instant(seconds: float) -> str:
    return wording.instant(EPOCH + timedelta(seconds=seconds))


def _excerpt(name: str, around: float, unit: UnitRules, scene: Scene, stage: Stage) -> Excerpt:
    """Cut at whole intervals, as scrapes are."""
    since = float(np.floor((around - BEFORE_S) / stage.interval_s)) * stage.interval_s
    until = since + BEFORE_S + AFTER_START_S
    series = {
        (one.name, tuple(sorted(one.labels.items()))): one for rule in unit.rules for one in stage.series(scene, parse(rule.rule.expr))
    }
    return Excerpt(name, since, until, list(_shown(list(series.values()), since, until)))


def _shown(series: Sequence[StepSeries], since: float, until: float) -> Iterator[StepSeries]:
    """Yield the series that change in the excerpt, and a few of those that do not."""
    steady: dict[str, int] = {}
    for one in series:
        times = np.asarray(one.times)
        if ((times > since) & (times <= until)).any():
            yield one
        elif len(times) and times[0] <= since and (steady.setdefault(one.name, 0)) < MOST_STEADY:
            steady[one.name] += 1
            yield one


def _quiet_restarts(scene: Scene) -> list[float]:
    """Return the restarts outside of incidents that have the most others just before them."""
    times = np.sort(np.concatenate([history.restarts for history in scene.histories] or [np.empty(0)]))
    quiet = times[scene.quiet(times) & ~_echo(scene, times)]
    crowded = np.arange(len(quiet)) - np.searchsorted(quiet, quiet - BEFORE_S)
    chosen = np.argsort(-crowded, kind="stable")[:MOST_QUIET]
    return [float(time) for time in np.sort(quiet[chosen])]


def _echo(scene: Scene, times: np.ndarray) -> np.ndarray:
    """Mark the times so near to an incident that its restarts are in the excerpt."""
    near = np.zeros(len(times), dtype=np.bool_)
    for start, end in scene.spans:
        near |= (times > start - AFTER_START_S) & (times < end + AFTER_S + BEFORE_S)
    return near
