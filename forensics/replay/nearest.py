"""Say how near rules came that never fired: the nearest value, the longest time they were true, or the states that the unit was in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.promql import Comparison, Expression, Scraped, Scrapes, evaluate
from forensics.replay.firing import Found
from forensics.replay.followed import Watched
from forensics.replay.history import Floats
from forensics.replay.reel import LOOKBACK_S, Stretch, group_starts, reels
from forensics.replay.scene import Scene
from forensics.replay.states import STATES, unit_state
from forensics.replay.template import Template, reach_s
from forensics.wording import count, duration

SELDOM = 0.001  # of the changes of a unit's state: one that is not worth a word
UNIT_STATES = ("node_systemd_unit_state", "systemd_unit_state")


@dataclass(frozen=True, slots=True)
class _Extremes:
    """The lowest and highest value that was compared; of an equality, of the distance from the number."""

    lowest: float
    highest: float


def why_never(never: Sequence[tuple[Watched, Found]]) -> list[str]:
    """Explain why rules never fired in their incidents; what they compare is evaluated for those of one template together."""
    reasons = [_of_time(watched, found) or _of_state(watched) for watched, found in never]
    groups: dict[tuple[object, ...], list[int]] = {}
    for number, (watched, _) in enumerate(never):
        template = watched.selection.template
        if not reasons[number] and watched.expression.comparison is not None:
            key: tuple[object, ...] = (number,) if template is None or watched.scene.machine.off else (template.tree, watched.prometheus)
            groups.setdefault(key, []).append(number)
    for key, numbers in groups.items():
        chosen = [never[number][0] for number in numbers]
        extremes = [_extremes_alone(chosen[0])] if len(key) == 1 else list(_extremes_together(chosen))
        for number, watched, found in zip(numbers, chosen, extremes, strict=True):
            reasons[number] = _of_value(watched.expression.comparison, found)
    return [
        reason or f"true at 0 of {count(_evaluations(watched))} evaluations" for reason, (watched, _) in zip(reasons, never, strict=True)
    ]


def _of_time(watched: Watched, found: Found) -> str:
    """Explain it by how long the expression was true, "" where it never was."""
    if found.longest_s <= 0:
        return ""
    longest = f"true for {duration(found.longest_s)} at most"
    return f"{longest}, needs {duration(watched.hold_s)} (for:)" if watched.hold_s else longest


def _of_state(watched: Watched) -> str:
    """Name the states that a unit had, where the rule waits for one."""
    waited_for = [
        state
        for selector in watched.expression.selectors
        if selector.metric in UNIT_STATES
        for state in STATES
        if any(matcher.label == "state" and matcher.operator == "=" and matcher.value == state for matcher in selector.matchers)
    ]
    comparison = watched.expression.comparison
    if not waited_for or comparison is None or (comparison.operator, comparison.threshold) != ("==", 1):
        return ""
    had = watched.scene.once("states", lambda: _states_in(watched.scene))
    often = [f"`{STATES[code]}`" for code in np.argsort(-had, kind="stable").tolist() if had[code] > SELDOM * had.sum()]
    return f"`{waited_for[0]}` at 0 of {count(_scrapes(watched))} scrapes; the incident shows {_listed(often)}"


def _states_in(scene: Scene) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Count how often the unit came into each state in the incident."""
    had = np.zeros(len(STATES), dtype=np.int64)
    for history in scene.histories:
        states = unit_state(history)
        inside = (states.times <= scene.until) & (np.append(states.times[1:], np.inf) > scene.start)
        had += np.bincount(states.values[inside].astype(np.int64), minlength=len(STATES))
    return had


def _awake_s(scene: Scene) -> float:
    asleep = sum(max(0.0, min(end, scene.until) - max(start, scene.start)) for start, end in scene.machine.off)
    return scene.until - scene.start - asleep


def _scrapes(watched: Watched) -> int:
    return int(_awake_s(watched.scene) / watched.prometheus.scrape_s)


def _evaluations(watched: Watched) -> int:
    return int(_awake_s(watched.scene) / watched.prometheus.evaluation_s)


def _of_value(comparison: Comparison | None, found: _Extremes | None) -> str:
    """Name the value that came nearest to the number that the rule compares with."""
    if comparison is None or found is None:
        return "there is no value to compare in this incident"
    needs = f"needs {comparison.operator} {comparison.threshold:g}"
    if comparison.operator[0] == ">":
        return f"highest value {found.highest:.3g}, {needs}"
    if comparison.operator[0] == "<":
        return f"lowest value {found.lowest:.3g}, {needs}"
    nearest = min((found.lowest, found.highest), key=lambda value: abs(value - comparison.threshold))
    return f"nearest value {nearest:.3g}, {needs}"


def _extremes_together(watched: Sequence[Watched]) -> Iterator[_Extremes | None]:
    """Yield for rules of one template the extremes of what they compare, in the middle phase."""
    template = watched[0].selection.template
    comparison = None if template is None else template.expression.comparison
    if template is None or comparison is None:
        return
    bare = Template(comparison.compared.tree, template.selectors, template.reach_s)
    owners = [number for number, each in enumerate(watched) for _ in each.selection.of_histories]
    stretches = [
        Stretch(series, (each.prometheus.middle_phase,), each.scene.start, each.scene.until)
        for each in watched
        for series in each.selection.of_histories
    ]
    found: dict[int, list[_Extremes]] = {}
    for reel in reels(stretches, bare, watched[0].prometheus, 0.0):
        starts = group_starts(reel)
        for vector in reel.evaluated(bare.expression) if len(starts) else ():
            shown = vector.present & ~np.isnan(vector.values)
            lowest = np.minimum.reduceat(np.where(shown, vector.values, np.inf), starts)
            highest = np.maximum.reduceat(np.where(shown, vector.values, -np.inf), starts)
            for group in np.flatnonzero(lowest <= highest).tolist():
                owner = owners[reel.strips[int(reel.strip[starts[group]])][0]]
                found.setdefault(owner, []).append(_Extremes(float(lowest[group]), float(highest[group])))
    yield from (_widest(found.get(number, [])) for number in range(len(watched)))


def _extremes_alone(watched: Watched) -> _Extremes | None:
    comparison, prometheus, scene = watched.expression.comparison, watched.prometheus, watched.scene
    step = prometheus.evaluation_s
    at = np.arange(np.floor(scene.start / step) * step, scene.until + step, step)
    for start, end in scene.machine.off:
        at = at[(at <= start) | (at >= end)]
    if comparison is None or not len(at):
        return None
    since = np.floor((float(at[0]) - reach_s(watched.expression) - 2 * LOOKBACK_S) / prometheus.scrape_s) * prometheus.scrape_s
    scrapes = Scrapes(float(since), float(at[-1]), prometheus.scrape_s, prometheus.middle_phase, scene.machine.off)
    bare: Expression = comparison.compared
    vectors = evaluate(bare, Scraped(watched.selection.series, scrapes), at, version=prometheus.version, default_step=step)
    values: list[Floats] = [each.values[each.present & ~np.isnan(each.values)] for each in vectors]
    return _widest([_Extremes(float(each.min()), float(each.max())) for each in values if len(each)])


def _widest(found: Sequence[_Extremes]) -> _Extremes | None:
    return _Extremes(min(each.lowest for each in found), max(each.highest for each in found)) if found else None


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
