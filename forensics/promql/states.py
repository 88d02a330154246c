"""Follow the states of an alert: pending, firing, resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forensics.promql.engine import Vector
from forensics.promql.errors import RefusedError
from forensics.promql.labels import NAME, Labels, shown
from forensics.promql.series import Bools, Floats, Ints, milliseconds


@dataclass(frozen=True, slots=True)
class Firing:
    """One alert, times in seconds. fires: null if it was only pending; resolves: null if it is still firing at the last step."""

    labels: Mapping[str, str]
    pending: float
    fires: float | None
    resolves: float | None


Active = tuple[int, float | None, float | None]  # pending in ms; fires and resolves in seconds


@dataclass(frozen=True, slots=True)
class Hold:
    """for and keep_firing_for, in ms, and the interval of the evaluations."""

    hold: int
    keep: int
    interval: int


def firings(
    vectors: Sequence[Vector],
    at: Floats,
    *,
    hold_s: float = 0.0,
    keep_firing_s: float = 0.0,
    interval: float | None = None,
    with_pending: bool = False,
) -> tuple[Firing, ...]:
    """Return each alert from pending to resolved, first to fire first.

    at: the steps that were evaluated. interval: their spacing; give it where steps between which nothing changes were left out.
    with_pending: also those that were only ever pending.
    """
    steps = milliseconds(at)
    if interval is None:
        interval = float(np.min(np.diff(at), initial=np.inf)) if len(at) > 1 else 1.0
    hold = Hold(int(milliseconds(hold_s)), int(milliseconds(keep_firing_s)), int(milliseconds(interval)))
    found = [
        Firing(dict(labels), pending / 1000, fires, resolves)
        for labels, present in _by_alert(vectors).items()
        for pending, fires, resolves in _followed(present, steps, hold, with_pending=with_pending)
    ]
    return in_order(found)


def in_order(found: list[Firing]) -> tuple[Firing, ...]:
    """Sort by when each fires, those that never do by when they are pending."""
    return tuple(sorted(found, key=lambda each: (each.pending if each.fires is None else each.fires, sorted(each.labels.items()))))


def _by_alert(vectors: Sequence[Vector]) -> dict[Labels, Bools]:
    """Return when each alert's expression held; an alert has no metric name."""
    alerts: dict[Labels, Bools] = {}
    for vector in vectors:
        labels = tuple(sorted((name, value) for name, value in vector.labels.items() if name != NAME))
        other = alerts.get(labels)
        if other is not None and (other & vector.present).any():
            raise RefusedError(f"two alerts with the same labels {shown(labels)}")
        alerts[labels] = vector.present if other is None else other | vector.present
    return alerts


def _followed(present: Bools, at: Ints, hold: Hold, *, with_pending: bool) -> list[Active]:
    """Return each time that an alert was active, without `with_pending` only those at which it fired."""
    if len(at) == 0:
        return []
    edges = np.flatnonzero(np.diff(present.astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2], edges[1::2]
    over = at[-1] + hold.interval
    starts, stops = at[begins], np.where(ends < len(at), at[np.minimum(ends, len(at) - 1)], over)
    fires = starts + _steps(hold.hold, hold.interval)
    kept = stops + _steps(hold.keep, hold.interval)
    if hold.keep == 0 and not with_pending:  # nothing joins spans, and most are too short: 3,000 in the seed month
        starts, stops, fires, kept = (part[fires < stops] for part in (starts, stops, fires, kept))
    active = _joined(starts.tolist(), stops.tolist(), fires.tolist(), kept.tolist(), int(over))
    return [each for each in active if with_pending or each[1] is not None]


def _steps(duration: int, interval: int) -> int:
    """Return after how long an evaluation first finds that the duration is over."""
    return -(-duration // interval) * interval


def _joined(starts: list[int], stops: list[int], fires: list[int], kept: list[int], over: int) -> list[Active]:
    """Join the spans over which keep_firing_for held an alert that was firing."""
    alerts: list[Active] = []
    until = -1
    for start, stop, fire, keep in zip(starts, stops, fires, kept, strict=True):
        fired = fire < stop
        if start <= until:
            pending, first, _ = alerts.pop()
        else:
            pending, first = start, fire / 1000 if fired else None
        until = keep if first is not None else -1
        resolves = None if first is None or until >= over else until / 1000
        alerts.append((pending, first, resolves if first is not None else stop / 1000 if stop < over else None))
    return alerts
