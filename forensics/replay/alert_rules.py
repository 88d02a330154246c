"""Replay Prometheus alerting rules on an incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from forensics.model import controls
from forensics.model.controls import Replayed
from forensics.promql import SyntaxMistakeError, UnsupportedError, parse
from forensics.replay.alertmanager import Routing, delivery
from forensics.replay.firing import Found, Prometheus, Watched, follow
from forensics.replay.history import UnitHistory
from forensics.replay.nearest import why_never
from forensics.replay.scene import First, Named, Scene
from forensics.replay.selection import Cache, select
from forensics.replay.series import Model
from forensics.rules import DEAD, NO_TARGET, Rule, SelectorVerdict, judge_rules
from forensics.rules import NEVER as NEVER_FIRES

HOST = "Prometheus is on the same host: while that is off or asleep nothing is scraped"


@dataclass(frozen=True, slots=True)
class Engine:
    """What rules are replayed with. others: of each machine, the units that are in trouble."""

    prometheus: Prometheus
    model: Model
    cache: Cache
    routing: Routing | None = None
    others: Mapping[str, tuple[UnitHistory, ...]] | None = None


def replay_rule(scene: Scene, rule: Rule, engine: Engine, named: Named | None = None) -> Replayed:
    """Replay one rule. named: instead of by the rule's own name."""
    named = named or Named(f"rule:{rule.name}", rule.name, "rule", rule.source or f"{rule.file}:{rule.line}")
    try:
        return _replayed(scene, rule, engine, named)
    except SyntaxMistakeError as error:
        return scene.cannot_judge(named, f"it is not PromQL: {error}")
    except UnsupportedError as error:
        return scene.cannot_judge(named, f"{error} is not evaluated here")


def _replayed(scene: Scene, rule: Rule, engine: Engine, named: Named) -> Replayed:
    expression = parse(rule.expr)
    selection = select(expression, scene.histories, _others(scene, engine), engine.model, engine.cache)
    if selection.unjudged:
        return _without_series(scene, rule, named, selection.unjudged)
    after = scene.restarts_after(scene.start)
    if selection.selects_none:
        return scene.never(named, selection.selects_none, restarts_after=after, firings_outside=0, hours_outside=0.0, never_share=1.0)
    prometheus = replace(engine.prometheus, evaluation_s=rule.interval_s or engine.prometheus.evaluation_s)
    watched = Watched(expression, selection.series, prometheus, rule.hold_s, rule.keep_firing_s)
    found = follow(watched, scene)
    named = replace(named, assumptions=(*named.assumptions, *selection.assumptions, *((HOST,) if scene.machine.off else ())))
    counts = {"firings_outside": found.quiet, "hours_outside": found.quiet_hours}
    if found.first is None:
        return scene.never(named, why_never(watched, scene), restarts_after=after, never_share=1.0, **counts)
    if found.already:
        return scene.never(named, _always(found), restarts_after=after, never_share=found.first.never_share, **counts)
    return _fires(scene, rule, engine, named, found, counts)


def _without_series(scene: Scene, rule: Rule, named: Named, unjudged: str) -> Replayed:
    """Decide about a rule whose series the journal does not show: it may be that nothing can show them."""
    (judged,) = judge_rules([rule])
    wrong = [verdict for verdict in judged.verdicts if verdict.verdict in {DEAD, NO_TARGET}]
    if judged.outcome == NEVER_FIRES:
        return Replayed(named.id, named.control, named.kind, named.source, controls.DEAD, reason="; ".join(map(_verdict, wrong)))
    if wrong and not any(verdict.absent for verdict in wrong):
        return scene.never(named, "; ".join(map(_verdict, wrong)), restarts_after=scene.restarts_after(scene.start), firings_outside=0)
    return scene.cannot_judge(named, unjudged)


def _verdict(verdict: SelectorVerdict) -> str:
    """Write why a selector can match nothing, with what exists instead."""
    needs = f" (with {verdict.flag})" if verdict.flag else ""
    nearest = f"; nearest: {verdict.near[0]}{needs}" if verdict.near else ""
    return f"{verdict.metric}: {verdict.why}{nearest}"


def _fires(scene: Scene, rule: Rule, engine: Engine, named: Named, found: Found, counts: Mapping[str, float]) -> Replayed:
    assert found.first is not None  # noqa: S101 - checked by the caller
    sent = delivery(engine.routing, {**dict(found.labels), **rule.labels, "alertname": rule.alert})
    delivered = None if sent.wait_s is None else found.first.after_s + sent.wait_s
    first = First(found.first.after_s, found.first.earliest_s, found.first.latest_s, found.first.never_share, delivered)
    return scene.fires(replace(named, assumptions=(*named.assumptions, *sent.assumptions)), first, sent.why, **counts)


def _always(found: Found) -> str:
    return f"it was firing already when the incident began, and {found.quiet_hours:,.0f} h outside of incidents: it shows nothing new"


def _others(scene: Scene, engine: Engine) -> Sequence[UnitHistory]:
    own = {id(history) for history in scene.histories}
    return [history for history in (engine.others or {}).get(scene.incident.machine, ()) if id(history) not in own]
