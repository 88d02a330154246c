"""Reconstruct systemd's ActiveState of a unit, and when its service would have answered, from its starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.replay.history import Flags, Floats, Ints, UnitHistory

STATES = ("active", "activating", "deactivating", "failed", "inactive")
ACTIVE, ACTIVATING, DEACTIVATING, FAILED, INACTIVE = range(5)
AT_ONE_AGE, SPREAD = 5, 0.2  # failures of a class that show it, and by how much of the median their ages differ
WAITS = 1.2  # times RestartSec=: how long after a failure a unit that a client starts was still waiting to be restarted


@dataclass(frozen=True, slots=True)
class Steps:
    """A value that holds from each time on; times ascend, neighbouring values differ."""

    times: Floats
    values: Floats

    def is_one_of(self, *values: int) -> Steps:
        """Return 1 while the value is one of these, else 0."""
        return steps(self.times, np.isin(self.values, values).astype(np.float64))


def steps(times: Floats, values: Floats) -> Steps:
    """Make Steps of times and values in the journal's order; a time that is set back stands still, the last of equal times counts."""
    times = np.maximum.accumulate(times) if len(times) else times
    last = np.append(times[1:] > times[:-1], True) if len(times) else np.array([], dtype=np.bool_)
    times, values = times[last], values[last]
    changes = np.append(True, values[1:] != values[:-1])[: len(values)] if len(values) else last
    return Steps(times[changes], values[changes])


def unit_state(history: UnitHistory) -> Steps:
    """Follow ActiveState from the unit's first start on.

    Type=simple is active from the fork on, others are activating until they are ready. While a unit waits to be restarted it is
    activating, not failed (service.c, state_translation_table); a restart that the start limit refuses makes it failed.
    """
    n = len(history.began)
    following = _following(history)
    after = np.where(_waits(history, following), ACTIVATING, np.where(history.ended_failed, FAILED, INACTIVE))
    next_boot = np.full(n, np.nan)
    new = np.flatnonzero(history.boot[1:] != history.boot[:-1])
    known = history.boot[new + 1] >= 0
    next_boot[new[known]] = history.boot_begins[history.boot[new + 1][known]]
    columns = (
        (history.began, np.where(history.announced, ACTIVATING, ACTIVE)),
        (np.where(history.announced & ~np.isnan(history.ready), history.ready, np.nan), ACTIVE),
        (history.stopping, DEACTIVATING),
        (history.ended, after),
        (np.where(history.refused, history.restart, np.nan), FAILED),
        (_stopped(history, following), INACTIVE),
        (next_boot, INACTIVE),
    )
    times = np.column_stack([time for time, _ in columns]).ravel()
    values = np.column_stack([np.broadcast_to(value, n) for _, value in columns]).ravel().astype(np.float64)
    recorded = ~np.isnan(times)
    return steps(times[recorded], values[recorded])


def assumed_of_answering(ready_s: float) -> tuple[str, str]:
    return (
        f"the service answers {ready_s:g} s after a start, or when it is ready where the manager logs that",
        "failed starts of a class that all live equally long have not answered: they fail while they load",
    )


def answering(history: UnitHistory, ready_s: float) -> Steps:
    """Return 1 while the service would answer: from `ready_s` after a start, or from when it is ready where the manager logs that.

    Failures of a class that all come at the same age come while it starts: it has not answered before.
    """
    serving = np.where(history.announced, history.ready, history.began + ready_s)
    serving[~history.announced & _fails_at_one_age(history)] = np.nan
    until = np.fmin(history.stopping, history.ended)
    following = _following(history)
    until = np.where(np.isnan(until) & ~np.isinf(following), following, until)
    served = ~np.isnan(serving) & (np.isnan(until) | (until > serving))
    times = np.column_stack([np.where(served, serving, np.nan), np.where(served, until, np.nan)]).ravel()
    values = np.tile([1.0, 0.0], len(serving))
    recorded = ~np.isnan(times)
    first = history.began[:1]
    return steps(np.concatenate([first, times[recorded]]), np.concatenate([np.zeros(len(first)), values[recorded]]))


def _fails_at_one_age(history: UnitHistory) -> Flags:
    """Mark failed attempts of classes of which all live equally long."""
    loading = np.zeros(len(history.began), dtype=np.bool_)
    candidates = history.failed & ~history.held
    for signature in set(history.signature[candidates].tolist()):
        of_class = candidates & (history.signature == signature)
        low, middle, high = np.quantile(history.lived_s[of_class], [0.1, 0.5, 0.9])
        if of_class.sum() >= AT_ONE_AGE and high - low <= SPREAD * middle:
            loading |= of_class
    return loading


def _following(history: UnitHistory) -> Floats:
    """Return when each start was followed by the next one; infinity after the last."""
    return np.append(history.began[1:], np.inf)[: len(history.began)]


def _waits(history: UnitHistory, following: Floats) -> Flags:
    """Mark the ends after which the unit waits to be restarted, whether or not somebody was faster."""
    n = len(history.began)
    restarted = np.append(history.automatic[1:] & (history.boot[1:] == history.boot[:-1]), False)[:n]
    pause_s = history.pause_s
    soon = history.ended_failed & ((np.minimum(following, _next_stop(history)) - history.ended) <= WAITS * pause_s + 1)
    refused_then = history.refused & ~np.isnan(history.restart)
    return np.asarray((~history.refused & (~np.isnan(history.restart) | restarted | soon)) | refused_then, dtype=np.bool_)


def _next_stop(history: UnitHistory) -> Floats:
    """Return when a client stopped the unit after each end; infinity where none did."""
    positions: Ints = np.searchsorted(history.stops, history.ended, side="right")
    return np.append(history.stops, np.inf)[positions]


def _stopped(history: UnitHistory, following: Floats) -> Floats:
    """Return when a client stopped the unit between an end and the next start, which ends the wait for a restart."""
    at = _next_stop(history)
    return np.where(at < following, at, np.nan)
