"""Replay LiteLLM's cooldown and fallback: a model of a router that sends requests to the unit."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np

from forensics.model.controls import Replayed
from forensics.replay.history import Floats
from forensics.replay.scene import First, Named, Scene
from forensics.replay.states import Steps, answering, assumed_of_answering
from forensics.wording import duration, plural

PHASES = 4  # of the requests


@dataclass(frozen=True, slots=True)
class Router:
    """router_settings of LiteLLM, and how often it is asked."""

    allowed_fails: int = 4
    cooldown_s: float = 60.0
    num_retries: int = 0
    request_s: float = 10.0

    def __str__(self) -> str:
        return f"allowed_fails {self.allowed_fails}, cooldown_time {self.cooldown_s:g}"


def replay_litellm(scene: Scene, router: Router, ready_s: float, source: str) -> list[Replayed]:
    """Replay the cooldown of the unit's deployment, and the fallback of its model group."""
    assumptions = (
        f"a request every {duration(router.request_s)}",
        *assumed_of_answering(ready_s),
        "the fallback is another process, and it answers",
    )
    id_ = f"litellm:cooldown {router.allowed_fails}/{router.cooldown_s:g}"
    cooldown = Named(id_, f"LiteLLM cooldown ({router})", "litellm", source, assumptions)
    fallback = Named("litellm:fallback", "LiteLLM fallback", "litellm", source, assumptions)
    if scene.is_job:
        return [scene.cannot_judge(named, "the unit is a job: it answers no requests") for named in (cooldown, fallback)]
    serving = [answering(history, ready_s) for history in scene.histories]
    phases = [router.request_s * phase / PHASES for phase in range(PHASES)]
    failing = scene.once((router, ready_s), lambda: [_failing(serving, router, phase, scene) for phase in phases])
    trips = scene.once((router, ready_s, "trips"), lambda: cooldowns(failing[0], router))
    return [_cooldown(scene, cooldown, router, failing, trips), _fallback(scene, fallback, failing)]


def _failing(serving: list[Steps], router: Router, phase: float, scene: Scene) -> Floats:
    """Return when requests fail: of a service that does not answer, from its first start to the end of the window."""
    times = [_down_times(steps, router.request_s, phase, scene.window[1]) for steps in serving]
    return np.sort(np.concatenate(times)) if times else np.empty(0)


def _down_times(serving: Steps, every_s: float, phase: float, until: float) -> Floats:
    if not len(serving.times):
        return serving.times
    edges = np.append(serving.times, max(until, float(serving.times[-1])))
    numbers = np.ceil((edges - phase) / every_s)
    down = [np.arange(numbers[i], numbers[i + 1]) for i in np.flatnonzero(serving.values == 0)]
    return np.concatenate(down) * every_s + phase if down else np.empty(0)


def cooldowns(failing: Floats, router: Router, most: int | None = None) -> Floats:
    """Return when the deployment is taken out, `most` times at most: `allowed_fails` exceeded within `cooldown_s` of the first of them.

    Measured on 1.106.2: the counter lives as long as a cooldown, a success does not reset it, and after a cooldown all traffic returns.
    """
    needed = router.allowed_fails // (1 + router.num_retries)  # further requests that must fail after the first
    times, at = failing.tolist(), 0
    trips: list[float] = []
    while at + needed < len(times) and (most is None or len(trips) < most):
        over = times[at] + router.cooldown_s
        if times[at + needed] < over:
            trips.append(times[at + needed])
            over = times[at + needed] + router.cooldown_s
        at = bisect_left(times, over, at + 1)
    return np.array(trips, dtype=np.float64)


def _cooldown(scene: Scene, named: Named, router: Router, failing: list[Floats], trips: Floats) -> Replayed:
    """Replay it from the incident's start on in each phase of the requests. trips: of the whole window, in the first phase."""
    near = [times[(times >= scene.start - router.cooldown_s) & (times <= scene.until)] for times in failing]
    first_of = [each[each >= scene.start] for each in (cooldowns(times, router, most=2) for times in near)]  # one may be under way
    firsts = [float(times[0]) - scene.start for times in first_of if len(times)]
    quiet = int((scene.quiet(trips) & scene.own(trips)).sum())
    if not firsts:
        need = f"{plural(router.allowed_fails + 1, 'failure')} within {duration(router.cooldown_s)}"
        reason = f"it needs {need}, and a request every {duration(router.request_s)} never fails so often"
        return scene.never(named, reason, restarts_after=scene.restarts_after(scene.start), firings_outside=quiet)
    reason = (
        f"{plural(int(scene.inside(trips).sum()), 'cooldown')}; there is no half-open state: after each, all traffic goes to the unit again"
    )
    first = First(float(np.median(firsts)), min(firsts), max(firsts), 1 - len(firsts) / PHASES)
    return scene.fires(named, first, reason, firings_outside=quiet)


def _fallback(scene: Scene, named: Named, failing: list[Floats]) -> Replayed:
    firsts = [float(inside[0]) - scene.start for times in failing if len(inside := times[scene.inside(times)])]
    if not firsts:
        return scene.never(named, "no request would have failed", restarts_after=scene.restarts_after(scene.start), firings_outside=0)
    answered = int(scene.inside(failing[0]).sum())
    first = First(float(np.median(firsts)), min(firsts), max(firsts), 1 - len(firsts) / PHASES)
    return scene.fires(named, first, f"{plural(answered, 'request')} answered by the fallback instead of failing: no alert is sent")
