"""Find when rules first fire in incidents, over the phases of scrapes and evaluations, and when they fire outside of any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from forensics.promql import UnsupportedError
from forensics.promql.labels import Labels
from forensics.replay.followed import Followed, Raised, Watched
from forensics.replay.one_by_one import follow_alone, follow_middle
from forensics.replay.scene import BEFORE_S, First
from forensics.replay.template import Template, reach_s
from forensics.replay.together import follow_together

AFTER_S = 600.0  # a firing that begins so soon after an incident belongs to it: rules look back


@dataclass(frozen=True, slots=True)
class Found:
    """What the phases show. first: null where no phase fires; already: the rule was firing long before the incident, in all phases.

    quiet, quiet_hours: firings in the quiet times for which this incident answers, in the middle phase. longest_s: as in Followed, of a
    rule that does not fire.
    """

    first: First | None
    already: bool
    labels: Labels
    quiet: int
    quiet_hours: float
    longest_s: float


def follow(watched: Sequence[Watched]) -> list[Found | str]:
    """Follow rules through their scenes, those of one template together; where one is not evaluated, say why."""
    groups: dict[tuple[object, ...], list[int]] = {}
    followed: dict[int, Followed | str] = {}
    constant: dict[tuple[object, ...], Followed] = {}
    for number, each in enumerate(watched):
        template = each.selection.template
        if template is None or each.scene.machine.off:
            followed[number] = _or_why(partial(_alone, each, constant))
        else:
            groups.setdefault((template.tree, each.prometheus, each.hold_s, each.keep_s), []).append(number)
    for numbers in groups.values():
        followed |= dict(zip(numbers, _together([watched[number] for number in numbers]), strict=True))
    return [did if isinstance(did := followed[number], str) else _found(each, did) for number, each in enumerate(watched)]


def _together(watched: Sequence[Watched]) -> Sequence[Followed | str]:
    """Follow rules of one template; where a construct is not evaluated, each by itself: it may depend on the series."""
    template = watched[0].selection.template
    assert template is not None  # noqa: S101 - these are grouped by it
    try:
        return follow_together(watched, template)
    except UnsupportedError:
        return [_or_why(partial(_follow_one, each, template)) for each in watched]


def _follow_one(watched: Watched, template: Template) -> Followed:
    return follow_together([watched], template)[0]


def _or_why(follow_it: Callable[[], Followed]) -> Followed | str:
    try:
        return follow_it()
    except UnsupportedError as error:
        return f"{error} is not evaluated here"


def _alone(watched: Watched, constant: dict[tuple[object, ...], Followed]) -> Followed:
    """Follow one rule. constant: what rules did on series that never change, which is the same at each step, in any phase."""
    series = watched.selection.series
    if not all(len(each.times) == 1 and each.times[0] <= watched.scene.window[0] for each in series):
        return follow_alone(watched)
    key = (watched.expression.tree, watched.prometheus, *(id(each) for each in series))
    if key not in constant:
        constant[key] = follow_middle(watched)
    return follow_alone(watched) if len(constant[key].raised.fires) else constant[key]


def _found(watched: Watched, followed: Followed) -> Found:
    scene = watched.scene
    quiet, hours = _noise(watched, followed.raised)
    middle = followed.raised.first_in(watched)
    phases = followed.firsts[np.isfinite(followed.firsts)]
    fires = np.sort(np.append(phases, middle.fires if middle else []))
    if not len(fires):
        return Found(None, already=False, labels=(), quiet=quiet, quiet_hours=hours, longest_s=followed.longest_s())
    after = np.maximum(fires - scene.start, 0.0)
    chosen = max(middle.fires - scene.start, 0.0) if middle else float(np.median(after))
    first = First(chosen, float(after[0]), float(after[-1]), 1 - len(phases) / watched.prometheus.phases**2)
    labels = middle.labels if middle else followed.labels
    already = middle is not None and middle.fires < scene.start - BEFORE_S and bool((fires < scene.start).all())
    return Found(first, already, labels, quiet, hours, longest_s=0.0)


def _noise(watched: Watched, raised: Raised) -> tuple[int, float]:
    """Count the alerts outside of incidents, after windows that look back have been filled, and add up their hours."""
    scene = watched.scene
    since = scene.window[0] + reach_s(watched.expression)
    quiet = scene.once(id(raised), lambda: (raised, ~scene.touches_incident(raised.fires - AFTER_S, raised.resolves)))[1]
    chosen = quiet & (raised.fires >= since) & scene.own(raised.fires)
    lasted = np.minimum(raised.resolves[chosen], scene.window[1]) - raised.fires[chosen]
    return int(chosen.sum()), float(lasted.sum()) / 3600
