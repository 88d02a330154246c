"""Replay another pause between restarts: RestartSec=, and RestartSteps= with RestartMaxDelaySec=, under the unit's start limit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from forensics.model.controls import Replayed
from forensics.policy.restart_setting import POLICIES
from forensics.replay.history import Floats, UnitHistory
from forensics.replay.limiters import StartLimit
from forensics.replay.scene import First, Named, Scene
from forensics.wording import count, duration, plural

STEPS_SINCE = 254  # RestartSteps= and RestartMaxDelaySec= (NEWS)
SHORTEST_S = 0.001  # of a cycle
MOST_STARTS = 200_000  # of a group that are followed
SAME = 0.2  # a pause this close to the recorded one, in parts of it, changes nothing


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long systemd waits before each restart."""

    first_s: float = 0.1  # DefaultRestartSec=
    steps: int = 0
    longest_s: float = math.inf

    def before(self, restart: int) -> float:
        """Return the pause before restart number 1, 2, … since a start by hand (service.c, service_restart_usec_next())."""
        if restart <= 1 or not self.steps or not self.first_s or math.isinf(self.longest_s) or self.first_s >= self.longest_s:
            return self.first_s
        if restart > self.steps:
            return self.longest_s
        return float(self.first_s * (self.longest_s / self.first_s) ** ((restart - 1) / self.steps))

    def __str__(self) -> str:
        rising = f" rising to {duration(self.longest_s)} in {self.steps} steps" if self.steps and not math.isinf(self.longest_s) else ""
        return f"RestartSec {duration(self.first_s)}{rising}"


@dataclass(frozen=True, slots=True)
class Simulated:
    """The starts that another pause makes of a history. refused: starts that the limit refuses."""

    automatic: Floats
    refused: Floats


def replay_backoff(scene: Scene, pauses: Pauses, limit: StartLimit | None, policy: str | None, source: str) -> Replayed:
    """Replay the pauses with the start limit and the restart policy of the same unit file."""
    under = f" under StartLimit {limit} s" if limit is not None else ""
    assumptions = (
        "each start lives as long as the recorded one of that time, and a recorded stable start would have been as stable",
        "people start the unit again when they did",
    )
    named = Named("policy:pauses", f"{pauses}{under}", "policy", source, assumptions)
    version = scene.machine.version
    if pauses.steps and version is not None and version < STEPS_SINCE:
        return scene.never(named, f"systemd {version} has no RestartSteps=: it came with {STEPS_SINCE}", restarts_avoided=0)
    applied = [(history, simulate(history, pauses, limit, policy, scene.window[1])) for history in scene.histories]
    automatic = np.concatenate([simulated.automatic for _, simulated in applied] or [np.empty(0)])
    refused = np.sort(np.concatenate([simulated.refused for _, simulated in applied] or [np.empty(0)]))
    recorded = sum(int(history.weight[history.automatic & scene.own(history.began)].sum()) for history in scene.histories)
    counts = {
        "restarts_avoided": recorded - int(scene.own(automatic).sum()),
        "refusals": int(scene.inside(refused).sum()),
        "refusals_outside": int((scene.quiet(refused) & scene.own(refused)).sum()),
    }
    longer = [time for history, _ in applied if (time := _first_longer(history, pauses, scene)) is not None]
    acts = [*longer, *refused[scene.inside(refused)].tolist()]
    if counts["restarts_avoided"] <= 0 or not acts:
        more = -counts["restarts_avoided"]
        reason = f"it makes {plural(more, 'more restart')}" if more > 0 else "it changes nothing"
        return scene.never(named, reason, restarts_after=scene.restarts_after(scene.start), **counts)
    left = f"{count(int(scene.inside(automatic).sum()))} restarts are left in the incident"
    return scene.fires(named, First.at(min(acts) - scene.start), left, **counts)


def simulate(history: UnitHistory, pauses: Pauses, limit: StartLimit | None, policy: str | None, until: float) -> Simulated:
    """Follow the unit from each start by hand or boot to the next one."""
    automatic: list[float] = []
    refused: list[float] = []
    window: list[float] = []  # the limit's: its begin, and how many counted
    for first, end in _groups(history, until):
        if first == 0 or history.boot[first] != history.boot[first - 1]:
            window = []
        if not _passes(float(history.began[first]), window, limit):
            refused.append(float(history.began[first]))
            continue
        for time in _restarts(history, first, end, pauses, policy):
            if not _passes(time, window, limit):
                refused.append(time)
                break
            automatic.append(time)
    return Simulated(np.array(automatic, dtype=np.float64), np.array(refused, dtype=np.float64))


def _groups(history: UnitHistory, until: float) -> Iterator[tuple[int, float]]:
    """Yield each start that nothing but a person or a boot made, with the time of the next such start."""
    new = ~history.automatic | np.append(True, history.boot[1:] != history.boot[:-1])[: len(history.boot)]
    firsts = np.flatnonzero(new).tolist()
    ends = [*history.began[firsts[1:]].tolist(), max(until, float(history.began[-1]))] if firsts else []
    yield from zip(firsts, ends, strict=True)


def _restarts(history: UnitHistory, first: int, end: float, pauses: Pauses, policy: str | None) -> Iterator[float]:
    """Yield the automatic starts after a start, as long as each lives what the recorded one of its time lived."""
    restarts = POLICIES.get(policy or "", POLICIES["always"])
    last = int(np.searchsorted(history.began, end, side="left"))
    time, row = float(history.began[first]), first
    for number in range(1, MOST_STARTS):
        if np.isnan(history.ended[row]) or not restarts(str(history.result[row])) or history.outcome[row] == "stopped":
            return
        ended = float(history.ended[row]) if history.held[row] else time + float(history.lived_s[row])
        time = max(ended + pauses.before(number), time + SHORTEST_S)
        if time >= end:
            return
        yield time
        row = max(first, min(int(np.searchsorted(history.began, time, side="right")) - 1, last - 1))


def _passes(time: float, window: list[float], limit: StartLimit | None) -> bool:
    """Count a start in the limit's window."""
    if limit is None or limit.burst <= 0 or limit.interval_s <= 0:
        return True
    if not window or time - window[0] > limit.interval_s:
        window[:] = [time, 0.0]
    window[1] += 1
    return window[1] <= limit.burst


def _first_longer(history: UnitHistory, pauses: Pauses, scene: Scene) -> float | None:
    """Return when, in the incident, a restart that was recorded would first have waited for longer."""
    inside = np.flatnonzero(scene.inside(history.began))
    number = 0
    for row in inside.tolist():
        number = number + 1 if history.automatic[row] else 0
        if number and pauses.before(number) > (1 + SAME) * history.pause_s:
            return float(history.began[row])
    return None
