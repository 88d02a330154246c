"""Say how near a rule came that never fired: the nearest value, the longest time it was true, or the states that the unit was in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forensics.promql import Vector
from forensics.replay.firing import Watched, grid
from forensics.replay.history import Floats
from forensics.replay.scene import Scene
from forensics.replay.states import STATES, unit_state
from forensics.wording import count, duration

SELDOM = 0.001  # of the changes of a unit's state: one that is not worth a word
UNIT_STATES = ("node_systemd_unit_state", "systemd_unit_state")


def why_never(watched: Watched, scene: Scene) -> str:
    """Explain why a rule never fired in the incident."""
    at = grid(watched, scene)
    if not len(at):
        return "nothing was evaluated: the host was off"
    vectors = watched.vectors(at, scene)
    longest_s = max((_longest(each, at) for each in vectors), default=0.0)
    if longest_s > 0 and watched.hold_s > 0:
        return f"true for {duration(longest_s)} at most, needs {duration(watched.hold_s)} (for:)"
    if longest_s > 0:
        return f"true for {duration(longest_s)} at most in this incident, in few phases of scrapes and evaluations"
    return _of_state(watched, scene) or _of_value(watched, scene, at) or f"true at 0 of {count(len(at))} evaluations"


def _longest(vector: Vector, at: Floats) -> float:
    """Return for how long an expression was true at most, from its first step to the last of a row."""
    present = np.broadcast_to(vector.present, at.shape)
    edges = np.diff(np.concatenate([[0], present.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    step = float(np.diff(at).min()) if len(at) > 1 else 0.0
    return float((at[ends] - at[begins]).max() + step) if len(begins) else 0.0


def _of_state(watched: Watched, scene: Scene) -> str:
    """Name the states that a unit had, where the rule waits for one that it never had."""
    waited_for = [
        state
        for selector in watched.expression.selectors
        if selector.metric in UNIT_STATES
        for state in STATES
        if any(matcher.label == "state" and matcher.operator == "=" and matcher.value == state for matcher in selector.matchers)
    ]
    if not waited_for:
        return ""
    had = np.zeros(len(STATES), dtype=np.int64)
    for history in scene.histories:
        states = unit_state(history)
        inside = (states.times <= scene.until) & (np.append(states.times[1:], np.inf) > scene.start)
        had += np.bincount(states.values[inside].astype(np.int64), minlength=len(STATES))
    often = [code for code in np.argsort(-had, kind="stable").tolist() if had[code] > SELDOM * had.sum()]
    shown = [f"`{STATES[code]}`" for code in often]
    return f"`{waited_for[0]}` at 0 of {count(_scrapes(scene, watched.prometheus.scrape_s))} scrapes; the incident shows {_listed(shown)}"


def _scrapes(scene: Scene, step: float) -> int:
    """Count the scrapes of the incident."""
    asleep = sum(max(0.0, min(end, scene.until) - max(start, scene.start)) for start, end in scene.machine.off)
    return int((scene.until - scene.start - asleep) / step)


def _of_value(watched: Watched, scene: Scene, at: Floats) -> str:
    """Name the value that came nearest to the number that the rule compares with."""
    comparison = watched.expression.comparison
    if comparison is None:
        return ""
    bare = Watched(comparison.compared, watched.series, watched.prometheus)
    values = _present(bare.vectors(at, scene), at)
    if not len(values):
        return "there is no value to compare in this incident"
    threshold = comparison.threshold
    needs = f"needs {comparison.operator} {threshold:g}"
    if comparison.operator[0] == ">":
        return f"highest value {_number(float(values.max()))}, {needs}"
    if comparison.operator[0] == "<":
        return f"lowest value {_number(float(values.min()))}, {needs}"
    return f"nearest value {_number(float(values[np.argmin(np.abs(values - threshold))]))}, {needs}"


def _present(vectors: Sequence[Vector], at: Floats) -> Floats:
    parts = [np.broadcast_to(each.values, at.shape)[np.broadcast_to(each.present, at.shape)] for each in vectors]
    values = np.concatenate(parts) if parts else np.empty(0)
    return values[~np.isnan(values)]


def _number(value: float) -> str:
    return f"{value:.3g}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
