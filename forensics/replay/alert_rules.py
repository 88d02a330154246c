"""Replay Prometheus alerting rules on incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from forensics.model import controls
from forensics.model.controls import Replayed
from forensics.promql import SyntaxMistakeError, UnsupportedError
from forensics.replay.alertmanager import Routing, delivery
from forensics.replay.firing import Found, follow
from forensics.replay.followed import Watched
from forensics.replay.history import UnitHistory
from forensics.replay.nearest import why_never
from forensics.replay.reel import SHORTEST_S, Prometheus
from forensics.replay.scene import Named, Scene
from forensics.replay.selection import Cache, select_for
from forensics.replay.series import Model
from forensics.rules import DEAD, NO_TARGET, Rule, SelectorVerdict, judge_rules
from forensics.rules import NEVER as NEVER_FIRES

MOST_OTHERS = 40  # units in trouble on the same machine that a rule on several units is evaluated with
HOST = "Prometheus is on the same host: while that is off or asleep nothing is scraped"


@dataclass(frozen=True, slots=True)
class Engine:
    """What rules are replayed with. others: of each machine, the units that are in trouble."""

    prometheus: Prometheus
    model: Model
    cache: Cache
    routing: Routing | None = None
    others: Mapping[str, tuple[UnitHistory, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A rule to replay in a scene, and what the control is called."""

    scene: Scene
    rule: Rule
    engine: Engine
    named: Named

    @classmethod
    def of_rule(cls, scene: Scene, rule: Rule, engine: Engine) -> Task:
        return cls(scene, rule, engine, Named(f"rule:{rule.name}", rule.name, "rule", rule.source or f"{rule.file}:{rule.line}"))


def replay_rule(scene: Scene, rule: Rule, engine: Engine) -> Replayed:
    """Replay one rule."""
    return replay_rules([Task.of_rule(scene, rule, engine)])[0]


def replay_rules(tasks: Sequence[Task]) -> list[Replayed]:
    """Replay rules, those that are alike together; the results are in the order of the tasks."""
    prepared = [_prepared(task) for task in tasks]
    watched = [(number, each) for number, each in enumerate(prepared) if isinstance(each, Watched)]
    followed = dict(zip((number for number, _ in watched), follow([each for _, each in watched]), strict=True))
    never = [number for number, found in followed.items() if isinstance(found, Found) and found.first is None]
    reasons = dict(zip(never, why_never([(prepared[number], followed[number]) for number in never]), strict=True))  # type: ignore[misc]
    return [
        each if isinstance(each, Replayed) else _replayed(task, each, followed[number], reasons.get(number, ""))
        for number, (task, each) in enumerate(zip(tasks, prepared, strict=True))
    ]


def _prepared(task: Task) -> Watched | Replayed:
    """Choose the series of a rule, or decide where there are none."""
    scene, rule, engine, named = task.scene, task.rule, task.engine, task.named
    try:
        parsed = engine.cache.parsed(rule.expr)
        others = _others(scene, engine) if parsed.is_beyond_one else ()
        selection = select_for(parsed, scene.histories, others, engine.model, engine.cache)
    except SyntaxMistakeError as error:
        return scene.cannot_judge(named, f"it is not PromQL: {error}")
    except UnsupportedError as error:
        return scene.cannot_judge(named, f"{error} is not evaluated here")
    if selection.unjudged:
        return _without_series(scene, rule, named, selection.unjudged)
    if selection.selects_none:
        after = scene.restarts_after(scene.start)
        return scene.never(named, selection.selects_none, restarts_after=after, firings_outside=0, hours_outside=0.0, never_share=1.0)
    prometheus = replace(engine.prometheus, evaluation_s=rule.interval_s or engine.prometheus.evaluation_s)
    if prometheus.evaluation_s < SHORTEST_S:
        return scene.cannot_judge(named, f"it is evaluated every {prometheus.evaluation_s:g} s: less than {SHORTEST_S:g} s is not replayed")
    return Watched(scene, parsed.expression, selection, prometheus, rule.hold_s, rule.keep_firing_s)


def _replayed(task: Task, watched: Watched, found: Found | str, why: str) -> Replayed:
    scene = task.scene
    named = replace(
        task.named, assumptions=(*task.named.assumptions, *watched.selection.assumptions, *((HOST,) if scene.machine.off else ()))
    )
    if isinstance(found, str):
        return scene.cannot_judge(named, found)
    counts = {"firings_outside": found.quiet, "hours_outside": found.quiet_hours}
    if found.first is None:
        return scene.never(named, why, restarts_after=scene.restarts_after(scene.start), never_share=1.0, **counts)
    if found.already:
        reason = f"it was firing already when the incident began, and {found.quiet_hours:,.0f} h in quiet times: it shows nothing new"
        return scene.never(named, reason, restarts_after=scene.restarts_after(scene.start), never_share=found.first.never_share, **counts)
    sent = delivery(task.engine.routing, {**dict(found.labels), **task.rule.labels, "alertname": task.rule.alert})
    delivered = None if sent.wait_s is None else found.first.after_s + sent.wait_s
    first = replace(found.first, delivered_after_s=delivered)
    why = sent.why or ("it was firing when the incident began" if first.latest_s == 0 else "")
    return scene.fires(replace(named, assumptions=(*named.assumptions, *sent.assumptions)), first, why, **counts)


def _without_series(scene: Scene, rule: Rule, named: Named, unjudged: str) -> Replayed:
    """Decide about a rule whose series the journal does not show: it may be that nothing can show them."""
    dead, wrong, in_absent = _judged(rule.expr)
    if dead:
        return Replayed(named.id, named.control, named.kind, named.source, controls.DEAD, reason=dead)
    if wrong and not in_absent:
        return scene.never(named, wrong, restarts_after=scene.restarts_after(scene.start), firings_outside=0)
    return scene.cannot_judge(named, unjudged)


@lru_cache(maxsize=1024)
def _judged(expression: str) -> tuple[str, str, bool]:
    """Say why an expression can never give a result, what is wrong with its selectors, and whether one of these is in absent()."""
    (judged,) = judge_rules([Rule(expr=expression, alert="judged")])
    wrong = [verdict for verdict in judged.verdicts if verdict.verdict in {DEAD, NO_TARGET}]
    why = "; ".join(map(_verdict, wrong))
    return why if judged.outcome == NEVER_FIRES else "", why, any(verdict.absent for verdict in wrong)


def _verdict(verdict: SelectorVerdict) -> str:
    """Write why a selector can match nothing, with what exists instead."""
    needs = f" (with {verdict.flag})" if verdict.flag else ""
    nearest = f"; nearest: {verdict.near[0]}{needs}" if verdict.near else ""
    return f"{verdict.metric}: {verdict.why}{nearest}"


def _others(scene: Scene, engine: Engine) -> Sequence[UnitHistory]:
    """Return the histories of other units in trouble on the same machine."""
    own = {id(history) for history in scene.histories}
    return [history for history in (engine.others or {}).get(scene.incident.machine, ()) if id(history) not in own][:MOST_OTHERS]
