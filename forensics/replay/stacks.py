"""Replay a start limit together with a rule: the limit makes the unit `failed`, which the rule can then find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from forensics.model.controls import FIRES, Replayed
from forensics.promql import SyntaxMistakeError, UnsupportedError
from forensics.replay.alert_rules import Engine, Task, replay_rules
from forensics.replay.limiters import StartLimit, what_is_left
from forensics.replay.limits import limited_by, replay_start_limit
from forensics.replay.scene import Named, Scene
from forensics.rules import Rule

STATES = ("node_systemd_unit_state", "systemd_unit_state")
MOST = 3  # stacks of one limit
SHIPPED = "shipped"


def replay_stacks(scene: Scene, limit: StartLimit, rules: Sequence[Rule], engine: Engine, source: str) -> Iterator[Replayed]:
    """Replay a limit with each rule that does not fire without it, and yield those that then do."""
    stacks = stacks_of(scene, limit, rules, engine, source)
    return stacked(stacks, replay_rules([stack.task for stack in stacks]))


@dataclass(frozen=True, slots=True)
class Stack:
    """A rule to replay on what a limit leaves. alone: what the limit does without it."""

    task: Task
    alone: Replayed


def stacks_of(scene: Scene, limit: StartLimit, rules: Sequence[Rule], engine: Engine, source: str) -> list[Stack]:
    """Stack a limit with rules that wait for a state, if it acts in the incident."""
    waiting = [rule for rule in rules if _waits_for_a_state(rule, engine)]
    alone = replay_start_limit(scene, limit, source) if waiting else None
    if alone is None or alone.status != FIRES:
        return []
    left = scene.once(("left", limit), lambda: tuple(what_is_left(each, limited_by(each, scene, limit)) for each in scene.histories))
    limited = replace(scene, histories=left, kept=scene.once(("stack", limit), dict))
    return [Stack(Task(limited, rule, engine, _named(rule, limit, alone, source)), alone) for rule in waiting[:MOST]]


def stacked(stacks: Sequence[Stack], replayed: Sequence[Replayed]) -> Iterator[Replayed]:
    """Yield the stacks whose rule fires, with what their limit spares."""
    for stack, each in zip(stacks, replayed, strict=True):
        if each.status == FIRES:
            yield replace(
                each,
                restarts_avoided=stack.alone.restarts_avoided,
                refusals=stack.alone.refusals,
                refusals_outside=stack.alone.refusals_outside,
                reason=each.reason or "the limit makes the unit `failed`, which the rule can see",
            )


def _named(rule: Rule, limit: StartLimit, alone: Replayed, source: str) -> Named:
    of_rule = rule.source or f"{rule.file}:{rule.line}"
    origin = of_rule if source == SHIPPED and of_rule.startswith(SHIPPED) else f"{source} + {of_rule}"
    return Named(f"stack:{limit}+{rule.name}", f"StartLimit {limit} s + {rule.name}", "stack", origin, alone.assumptions)


def _waits_for_a_state(rule: Rule, engine: Engine) -> bool:
    try:
        return any(selector.metric in STATES for selector in engine.cache.parsed(rule.expr).selectors)
    except (SyntaxMistakeError, UnsupportedError):
        return False
