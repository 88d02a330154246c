"""Follow a rule that looks beyond one unit, or on a host that was off, through one incident."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from forensics.promql import Evaluations, Scraped, Scrapes, alerts
from forensics.replay.followed import Alert, Followed, Raised, Watched, alerts_of, no_firsts
from forensics.replay.reel import LOOKBACK_S
from forensics.replay.template import reach_s


def follow_alone(watched: Watched) -> Followed:
    """Follow the middle phase through the window, and all phases from the incident's start until each has fired."""
    followed, prometheus = follow_middle(watched), watched.prometheus
    for horizon in watched.horizons:
        for scraped in np.flatnonzero(~np.isfinite(followed.firsts).all(axis=1)).tolist():
            for evaluated, alert in _by_evaluation_phase(watched, prometheus.scrape_phases[scraped], horizon):
                followed.firsts[scraped, evaluated] = min(followed.firsts[scraped, evaluated], alert.fires)
                followed.labels = followed.labels or alert.labels
    return followed


def follow_middle(watched: Watched) -> Followed:
    """Follow the middle phase through the window."""
    prometheus, (since, until) = watched.prometheus, watched.scene.window
    samples = _scraped(watched, since, until, prometheus.middle_phase)
    (raised,) = _raised(watched, samples, since, until, (0.0,), keep_s=watched.keep_s)
    return Followed(Raised.of(raised), partial(_longest, watched, samples), no_firsts(prometheus))


def _longest(watched: Watched, samples: Scraped) -> float:
    (held,) = _raised(watched, samples, *watched.scene.window, (0.0,), hold_s=0.0, keep_s=0.0)
    return Raised.of(held).longest_in(watched.scene)


def _by_evaluation_phase(watched: Watched, offset: float, until: float) -> Iterator[tuple[int, Alert]]:
    """Yield each phase of the evaluations in which the rule fires in the incident, with its first alert there."""
    scene, prometheus = watched.scene, watched.prometheus
    since = max(scene.start - watched.settle_s - 2 * prometheus.evaluation_s, scene.window[0])
    samples = _scraped(watched, since, until, offset)
    for number, raised in enumerate(_raised(watched, samples, since, until, prometheus.evaluation_phases, keep_s=0.0)):
        if (first := Raised.of(raised).first_in(watched)) is not None:
            yield number, first


def _scraped(watched: Watched, since: float, until: float, phase: float) -> Scraped:
    """Scrape from as far back as an evaluation at `since` looks."""
    step = watched.prometheus.scrape_s
    first = max(since - reach_s(watched.expression) - 2 * LOOKBACK_S, watched.scene.window[0])
    return Scraped(watched.selection.series, Scrapes(_aligned(first, step), until + step, step, phase, watched.scene.machine.off))


def _raised(
    watched: Watched, scraped: Scraped, since: float, until: float, phases: tuple[float, ...], *, hold_s: float | None = None, keep_s: float
) -> list[list[Alert]]:
    """Return for each phase of the evaluations the alerts that fire while Prometheus runs. hold_s: instead of the rule's."""
    prometheus = watched.prometheus
    found = alerts(
        watched.expression,
        scraped,
        Evaluations(_aligned(since, prometheus.evaluation_s), until, prometheus.evaluation_s, phases),
        hold_s=watched.hold_s if hold_s is None else hold_s,
        keep_firing_s=keep_s,
        version=prometheus.version,
        default_step=prometheus.evaluation_s,
    )
    return [list(alerts_of(each, watched.scene)) for each in found]


def _aligned(time: float, step: float) -> float:
    return float(np.floor(time / step) * step)
