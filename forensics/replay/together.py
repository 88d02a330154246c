"""Follow rules of one template through many incidents at once, on common reels."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial

import numpy as np

from forensics.promql import Vector, firings
from forensics.promql.labels import Labels
from forensics.replay.followed import Followed, Raised, Watched, alerts_of, no_firsts
from forensics.replay.history import Floats
from forensics.replay.reel import Reel, Selected, Stretch, fired_since, group_starts, reels
from forensics.replay.scene import Scene
from forensics.replay.template import Template

Owner = tuple[tuple[int, ...], tuple[float, float]]  # of a stretch of the middle phase: its series, its window


def follow_together(watched: Sequence[Watched], template: Template) -> list[Followed]:
    """Follow the middle phase through the window, and all phases from the incident's start until each has fired."""
    followed = [Followed(firsts=no_firsts(each.prometheus)) for each in watched]
    _follow_middle(watched, followed, template)
    horizons = [each.horizons for each in watched]
    for look in range(max(map(len, horizons))):
        waiting = [number for number, each in enumerate(horizons) if look < len(each) and not np.isfinite(followed[number].firsts).all()]
        if waiting:
            ahead = [horizons[number][max(look - 1, 0) : look + 1] for number in waiting]
            _follow_phases([watched[number] for number in waiting], [followed[number] for number in waiting], template, ahead)
    return followed


def _follow_middle(watched: Sequence[Watched], followed: Sequence[Followed], template: Template) -> None:
    """Follow the middle phase through the window, once for all incidents of a unit."""
    prometheus, settle_s = watched[0].prometheus, watched[0].settle_s
    stretches: dict[Owner, Stretch] = {}
    for each in watched:
        for series in each.selection.of_histories:
            stretches.setdefault(_owner(series, each), Stretch(series, (prometheus.middle_phase,), *each.scene.window))
    owners = list(stretches)
    true: dict[Owner, tuple[Floats, list[Vector]]] = {}
    for reel in reels(list(stretches.values()), template, prometheus, settle_s):
        true |= {owners[number]: (at, vectors) for number, at, vectors in _where_true(reel, template)}
    raised: dict[tuple[Owner, ...], tuple[Raised, Callable[[], Raised]]] = {}
    for each, did in zip(watched, followed, strict=True):
        mine = tuple(owner for series in each.selection.of_histories if (owner := _owner(series, each)) in true)
        if mine not in raised:
            found = [true[owner] for owner in mine]
            raised[mine] = _raised(each, found), cache(partial(_raised, each, found, settled=False))
        did.raised, held = raised[mine]
        did.longest_s = partial(_longest, held, each.scene)


def _owner(series: Selected, watched: Watched) -> Owner:
    return tuple(id(one) for of_selector in series for one in of_selector), watched.scene.window


def _raised(watched: Watched, found: Sequence[tuple[Floats, list[Vector]]], *, settled: bool = True) -> Raised:
    """Return the alerts of a unit; settled: with `for`."""
    hold_s, keep_s = (watched.hold_s, watched.keep_s) if settled else (0.0, 0.0)
    interval = watched.prometheus.evaluation_s
    alerts = [
        alert
        for at, vectors in found
        for alert in alerts_of(firings(vectors, at, hold_s=hold_s, keep_firing_s=keep_s, interval=interval), watched.scene)
    ]
    return Raised.of(replace(alert, labels=_own_labels(watched, alert.labels)) for alert in alerts)


def _longest(held: Callable[[], Raised], scene: Scene) -> float:
    return held().longest_in(scene)


def _where_true(reel: Reel, template: Template) -> Iterator[tuple[int, Floats, list[Vector]]]:
    """Yield the stretches in which the expression is true anywhere, with their steps and vectors."""
    vectors, starts = reel.evaluated(template.expression), group_starts(reel)
    if not len(starts) or not vectors:
        return
    ends = np.append(starts[1:], len(reel.real))
    somewhere = np.logical_or.reduce([np.logical_or.reduceat(each.present, starts) for each in vectors])
    for group in np.flatnonzero(somewhere).tolist():
        part = slice(starts[group], ends[group])
        parts = [Vector(each.labels, each.values[part], each.present[part]) for each in vectors if each.present[part].any()]
        yield reel.strips[int(reel.strip[starts[group]])][0], reel.real[part], parts


def _follow_phases(watched: Sequence[Watched], followed: Sequence[Followed], template: Template, ahead: Sequence[list[float]]) -> None:
    """Follow the phases that have not fired yet. ahead: the horizon that was reached, if any, and the next one."""
    prometheus, settle_s = watched[0].prometheus, watched[0].settle_s
    owners: list[tuple[int, list[int]]] = []
    stretches: list[Stretch] = []
    for number, (each, did, horizons) in enumerate(zip(watched, followed, ahead, strict=True)):
        begin = each.scene.start if len(horizons) == 1 else horizons[0]
        since = max(begin - settle_s - 2 * prometheus.evaluation_s, each.scene.window[0])
        waiting = np.flatnonzero(~np.isfinite(did.firsts).all(axis=1)).tolist()
        offsets = tuple(prometheus.scrape_phases[scraped] for scraped in waiting)
        for series in each.selection.of_histories:
            owners.append((number, waiting))
            stretches.append(Stretch(series, offsets, since, horizons[-1], prometheus.evaluation_phases))
    for reel in reels(stretches, template, prometheus, settle_s):
        begins = np.array([watched[owners[stretch][0]].scene.start for stretch, _ in reel.strips])
        for strip, firsts, labels in _first_alerts(reel, template, begins, watched[0].hold_s):
            stretch, scraped = reel.strips[strip]
            number, waiting = owners[stretch]
            did = followed[number]
            did.firsts[waiting[scraped]] = np.minimum(did.firsts[waiting[scraped]], firsts)
            did.labels = did.labels or _own_labels(watched[number], labels)


def _first_alerts(reel: Reel, template: Template, begins: Floats, hold_s: float) -> Iterator[tuple[int, Floats, Labels]]:
    """Yield the strips in which an alert fires from its incident's start on: when the first does in each phase of the evaluations."""
    starts = group_starts(reel)
    if not len(starts):
        return
    inside = reel.real >= begins[reel.strip]
    for vector in reel.evaluated(template.expression):
        since = fired_since(vector.present, reel, starts, hold_s)
        firsts = np.full((len(begins), reel.prometheus.phases), np.inf)
        firsts[reel.strip[starts], reel.phase[starts]] = np.minimum.reduceat(np.where(inside, since, np.inf), starts)
        labels = tuple(sorted(vector.labels.items()))
        for strip in np.flatnonzero(np.isfinite(firsts).any(axis=1)).tolist():
            yield strip, firsts[strip], labels


def _own_labels(watched: Watched, labels: Labels) -> Labels:
    """Give an alert found on a reel the names of its unit and host back."""
    of_history = next((series.labels for each in watched.selection.of_histories for one in each for series in one), {})
    return tuple((name, of_history.get(name, value)) for name, value in labels)
