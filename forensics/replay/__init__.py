"""Replay controls on the recorded history: what would have fired or acted in each incident, when, and how often for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import polars as pl

from forensics.model.controls import CANNOT_JUDGE, DEAD, FIRES, NEVER, Replayed
from forensics.model.values import Incident, Signature, UnitKey
from forensics.replay.alert_rules import Engine, Task, replay_rules
from forensics.replay.asked import Asked, Probe, shipped
from forensics.replay.backoff import replay_backoff
from forensics.replay.history import Frames, UnitHistory, histories
from forensics.replay.limits import replay_gates, replay_policy, replay_start_limit
from forensics.replay.litellm import replay_litellm
from forensics.replay.machine import machines
from forensics.replay.on_failure import replay_on_failure
from forensics.replay.polls import replay_poll
from forensics.replay.scene import Named, Scene, Span, scenes
from forensics.replay.selection import Cache
from forensics.replay.series import Model
from forensics.replay.stacks import stacked, stacks_of
from forensics.replay.watching import replay_watch
from forensics.rules import Rule, shipped_rules
from forensics.wording import duration

__all__ = ["Asked", "ReplayInputs", "replay", "scenes_of", "shipped"]
LONGEST_S = 400 * 86_400.0  # that is replayed: each control is followed through all of it
RANKS = {FIRES: 0, NEVER: 1, DEAD: 2, CANNOT_JUDGE: 3}


@dataclass(frozen=True, slots=True)
class ReplayInputs:
    """The frames of the earlier stages, and the incidents; `row` columns index into `entries`."""

    entries: pl.DataFrame
    attempts: pl.DataFrame
    restarts: pl.DataFrame
    lifecycle: pl.DataFrame
    labels: pl.DataFrame
    signatures: Mapping[str, Signature]
    incidents: Sequence[Incident]
    window: Span  # seconds since 1970


def replay(inputs: ReplayInputs, asked: Asked) -> Mapping[str, tuple[Replayed, ...]]:
    """Replay the asked controls on each incident: by its id, the first to fire first, then those that do not fire."""
    inputs = _bounded(inputs)
    if not inputs.incidents:
        return {}
    made = scenes_of(inputs)
    others: dict[str, tuple[UnitHistory, ...]] = {}
    for scene in made:
        known = others.get(scene.incident.machine, ())
        others[scene.incident.machine] = (*known, *(history for history in scene.histories if all(history is not each for each in known)))
    engine = Engine(asked.prometheus, Model(asked.ready_s, inputs.window[0]), Cache(_records(asked)), asked.routing, others)
    found = {scene.incident.id: list(_of_incident(scene, asked, inputs.signatures)) for scene in made}
    for id_, replayed in _of_rules(made, asked, engine):
        found[id_].append(replayed)
    return {id_: _ordered(replayed) for id_, replayed in found.items()}


def _records(asked: Asked) -> Mapping[str, str]:
    """Return what recording rules record; of two of one name the last counts."""
    return {rule.record: rule.expr for rule in asked.rules or () if rule.record}


def _bounded(inputs: ReplayInputs) -> ReplayInputs:
    """Leave out what is long before the newest incident: a clock that begins at its epoch makes a window of 55 years."""
    newest = max((_end(incident, inputs.window) for incident in inputs.incidents), default=0.0)
    since, until = max(inputs.window[0], newest - LONGEST_S), min(inputs.window[1], newest + LONGEST_S)
    if (since, until) == tuple(inputs.window):
        return inputs
    recent = [incident for incident in inputs.incidents if incident.start.timestamp() >= since]
    after = pl.lit(int(since * 1e6)).cast(pl.Datetime("us", "UTC"))
    return replace(
        inputs,
        attempts=inputs.attempts.filter(pl.col("started") >= after),
        restarts=inputs.restarts.filter(pl.col("time") >= after),
        lifecycle=inputs.lifecycle.filter(pl.col("time") >= after),
        incidents=recent,
        window=(since, until),
    )


def _end(incident: Incident, window: Span) -> float:
    return incident.end.timestamp() if incident.end is not None else window[1]


def scenes_of(inputs: ReplayInputs) -> list[Scene]:
    """Return the scene of each incident, in which single controls can be replayed."""
    of_machine = machines(inputs.entries)
    frames = Frames(inputs.attempts, inputs.restarts, inputs.lifecycle, inputs.labels, inputs.entries["monotonic"])
    keys = [UnitKey(incident.machine, incident.manager, incident.unit) for incident in inputs.incidents]
    of_unit = histories(keys, frames, of_machine)
    known = [(incident, key) for incident, key in zip(inputs.incidents, keys, strict=True) if key in of_unit]
    return scenes(
        [incident for incident, _ in known],
        [tuple(of_unit[key]) for _, key in known],
        [of_machine[key.machine] for _, key in known],
        inputs.window,
    )


def _of_rules(made: Sequence[Scene], asked: Asked, engine: Engine) -> Iterator[tuple[str, Replayed]]:
    """Replay rules, probes and stacks on all incidents together: what is alike is evaluated once."""
    tasks = [task for scene in made for task in _tasks(scene, asked, engine)]
    never: dict[str, list[Rule]] = {}
    for task, replayed in zip(tasks, replay_rules(tasks), strict=True):
        yield task.scene.incident.id, replayed
        if replayed.status == NEVER and replayed.kind == "rule":
            never.setdefault(task.scene.incident.id, []).append(task.rule)
    source = asked.source("limit")
    stacks = [
        stack
        for limit in asked.stacked
        for scene in made
        for stack in stacks_of(scene, limit, never.get(scene.incident.id, ()), engine, source)
    ]
    for stack, replayed in zip(stacks, replay_rules([stack.task for stack in stacks]), strict=True):
        yield from ((stack.task.scene.incident.id, each) for each in stacked([stack], [replayed]))


def _tasks(scene: Scene, asked: Asked, engine: Engine) -> Iterator[Task]:
    rules = shipped_rules(scene.incident.unit) if asked.rules is None else asked.rules
    yield from (Task.of_rule(scene, rule, engine) for rule in rules if rule.alert)
    yield from (_probe(scene, probe, engine, asked.source("probe")) for probe in asked.probes)


def _of_incident(scene: Scene, asked: Asked, signatures: Mapping[str, Signature]) -> Iterator[Replayed]:
    for limit in asked.limits:
        yield replay_start_limit(scene, limit, asked.source("limit"))
    for policy in asked.policies:
        yield replay_policy(scene, policy, asked.source("policy"))
    if asked.on_failure:
        yield replay_on_failure(scene, asked.source("policy"))
    for poll in asked.polls:
        yield replay_poll(scene, poll, asked.source("poll"))
    if asked.gates:
        yield from replay_gates(scene, signatures, asked.source("gate"))
    for router in asked.routers:
        yield from replay_litellm(scene, router, asked.ready_s, asked.source("litellm"))
    if asked.watch:
        yield from replay_watch(scene, asked.source("watch"))
    yield from _of_unit_files(scene, asked)


def _probe(scene: Scene, probe: Probe, engine: Engine, source: str) -> Task:
    """Return the rule that reports a failing probe."""
    every, hold = duration(probe.interval_s), duration(probe.hold_s)
    named = Named(f"probe:{probe.interval_s:g}/{probe.hold_s:g}", f"probe every {every}, failing for {hold}", "probe", source)
    prometheus = replace(engine.prometheus, scrape_s=probe.interval_s)
    rule = Rule(expr="probe_success == 0", alert="ProbeFailed", hold_s=probe.hold_s)
    probing = replace(engine, prometheus=prometheus, model=replace(engine.model, ready_s=probe.ready_s))
    return Task(scene, rule, probing, named)


def _of_unit_files(scene: Scene, asked: Asked) -> Iterator[Replayed]:
    for unit in asked.unit_files:
        if unit.unit not in {"", scene.incident.unit}:
            continue
        yield replay_start_limit(scene, unit.limit, unit.file, f"limit:{unit.file}")
        if unit.policy is not None:
            yield replay_policy(scene, unit.policy, unit.file, f"policy:{unit.file}")
        if unit.pauses is not None:
            yield replay_backoff(scene, unit.pauses, unit.limit, unit.policy, unit.file)
        if unit.on_failure:
            yield replay_on_failure(scene, unit.file, direct=unit.direct, id_=f"on-failure:{unit.file}")


def _ordered(replayed: Sequence[Replayed]) -> tuple[Replayed, ...]:
    """Put the first to fire first; of those that do not fire, the known ones before those that cannot be judged."""
    return tuple(sorted(replayed, key=lambda each: (RANKS[each.status], each.after_s or 0.0, each.id)))
