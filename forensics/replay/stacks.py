"""Replay a start limit together with a rule: the limit makes the unit `failed`, which the rule can then find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from forensics.model.controls import FIRES, Replayed
from forensics.promql import SyntaxMistakeError, UnsupportedError, parse
from forensics.replay.alert_rules import Engine, replay_rule
from forensics.replay.limiters import StartLimit, what_is_left
from forensics.replay.limits import limited_by, replay_start_limit
from forensics.replay.scene import Named, Scene
from forensics.rules import Rule

STATES = ("node_systemd_unit_state", "systemd_unit_state")
MOST = 3  # stacks of one limit


def replay_stacks(scene: Scene, limit: StartLimit, rules: Sequence[Rule], engine: Engine, source: str) -> Iterator[Replayed]:
    """Replay a limit with each rule that does not fire without it, and yield those that then do."""
    waiting = [rule for rule in rules if _waits_for_a_state(rule)]
    alone = replay_start_limit(scene, limit, source) if waiting else None
    if alone is None or alone.status != FIRES:
        return
    left = scene.once(("left", limit), lambda: tuple(what_is_left(each, limited_by(each, scene, limit)) for each in scene.histories))
    limited = replace(scene, histories=left, kept=scene.once(("stack", limit), dict))
    for rule in waiting[:MOST]:
        origin = f"{source} + {rule.source or rule.file}"
        named = Named(f"stack:{limit}+{rule.name}", f"StartLimit {limit} s + {rule.name}", "stack", origin, alone.assumptions)
        stacked = replay_rule(limited, rule, engine, named=named)
        if stacked.status == FIRES:
            yield replace(
                stacked,
                restarts_avoided=alone.restarts_avoided,
                refusals=alone.refusals,
                refusals_outside=alone.refusals_outside,
                reason=stacked.reason or "the limit makes the unit `failed`, which the rule can see",
            )


def _waits_for_a_state(rule: Rule) -> bool:
    try:
        return any(selector.metric in STATES for selector in parse(rule.expr).selectors)
    except (SyntaxMistakeError, UnsupportedError):
        return False
