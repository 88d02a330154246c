"""Replay `watch` itself: the alerts that policy would have raised at the moments at which it decides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forensics.model.controls import Replayed
from forensics.model.moments import Moment
from forensics.policy import class_state, unit_state
from forensics.policy.class_state import ClassState
from forensics.policy.limits import DOWN_S, JOB_FAILURES, LOOP_RESTARTS
from forensics.policy.unit_state import Attempt, Span, UnitState
from forensics.replay.history import Floats, Ints, UnitHistory
from forensics.replay.scene import First, Named, Scene
from forensics.replay.series import LABELLED_S
from forensics.wording import plural

NEW, LOOP, DOWN, JOB = "NewFailureSignature", "RestartLoop", "UnitDown", "JobFailing"  # as in alerting/alert.py
OF_KIND = {"restart-loop": LOOP, "recurring": LOOP, "outage": DOWN, "failing-job": JOB}
MODEL = (
    "watch has been running since the data begins, and knows no failure from before",
    f"an attempt is labelled {LABELLED_S:g} s after its end",
)
FOLLOWED = 10  # attempts at the start of an incident: what policy decides later in it concerns new classes only
WHY = {
    NEW: "the first failure of a class since the unit was last healthy",
    LOOP: f"{LOOP_RESTARTS} automatic restarts without a stable start between them",
    DOWN: f"the unit failed and nothing of it was up for {DOWN_S:g} s",
    JOB: f"it failed {plural(JOB_FAILURES, 'time')} in a row",
}
Raised = list[tuple[str, float]]  # alerts: name, time


def replay_watch(scene: Scene, source: str) -> list[Replayed]:
    """Replay the alerts about a new failure and about this kind of incident."""
    raised = scene.once("watch", lambda: _by_name([alert for history in scene.histories for alert in alerts(history, scene)]))
    names = [NEW, OF_KIND.get(scene.incident.kind, LOOP)]
    return [
        _replayed(scene, Named(f"watch:{name}", f"watch: {name}", "watch", source, MODEL), name, raised.get(name, np.empty(0)))
        for name in names
    ]


def alerts(history: UnitHistory, scene: Scene) -> Raised:
    """Follow the unit as policy does, leaving out the attempts within incidents that decide nothing."""
    watched = _Watched(history)
    return [alert for row in _deciding(history, scene).tolist() for alert in watched.attempt(row)]


def _by_name(raised: Raised) -> dict[str, Floats]:
    """Return when each alert was raised, in order."""
    return {name: np.sort(np.array([time for alert, time in raised if alert == name])) for name in {name for name, _ in raised}}


def _replayed(scene: Scene, named: Named, name: str, times: Floats) -> Replayed:
    quiet = int((scene.quiet(times) & scene.own(times)).sum())
    inside = times[scene.inside(times)]
    if not len(inside):
        return scene.never(
            named, f"not in this incident: {WHY[name]}", restarts_after=scene.restarts_after(scene.start), firings_outside=quiet
        )
    after_s = float(inside[0]) - scene.start
    return scene.fires(named, First.at(after_s, delivered_after_s=after_s), WHY[name], firings_outside=quiet)


def _deciding(history: UnitHistory, scene: Scene) -> Ints:
    """Choose the attempts outside of incidents, the first of each incident, and the first of each class in it."""
    chosen = scene.quiet(history.began)
    for start, until in scene.spans:
        inside = np.flatnonzero((history.began >= start) & (history.began <= until))
        chosen[inside[:FOLLOWED]] = True
        _, first = np.unique(history.signature[inside].astype(str), return_index=True)
        chosen[inside[first]] = True
        chosen[inside[-2:]] = True
    return np.flatnonzero(chosen)


class _Watched:
    """A unit as policy follows it, with its failure classes."""

    def __init__(self, history: UnitHistory) -> None:
        self.history = history
        self.state = UnitState(is_job=history.is_oneshot)
        self.classes: dict[str, ClassState] = {}
        self.boot = -2
        self.last = Moment(0)

    def attempt(self, row: int) -> Iterator[tuple[str, float]]:
        """Take one attempt with what followed it, and yield the alerts that it raises."""
        history, state = self.history, self.state
        if history.boot[row] != self.boot and self.boot != -2:
            self._over(unit_state.booted(state, self.last))
        self.boot = int(history.boot[row])
        made = _attempt(history, row)
        self._over(unit_state.started(state, made.started, str(row), announced=made.announced))
        self._over(unit_state.ended(state, made))
        self.last = made.ended
        ended = made.ended.time / 1e6
        if made.failed:
            yield from self._failed(made.signature, ended + LABELLED_S)
        yield from self._after(row, ended)

    def _failed(self, signature: str, time: float) -> Iterator[tuple[str, float]]:
        self.classes[signature], is_news = class_state.failed(self.classes.get(signature), time)
        if is_news:
            yield NEW, time
        if self.state.span.own_kind == "failing-job":
            yield JOB, time

    def _after(self, row: int, ended: float) -> Iterator[tuple[str, float]]:
        """Take the restart or the stop that followed, or the silence."""
        history, state = self.history, self.state
        restart = float(history.restart[row])
        following = float(history.began[row + 1]) if row + 1 < len(history.began) else np.inf
        if not np.isnan(restart):
            was_loop = state.span.own_kind == "restart-loop"
            unit_state.restarted(state, Moment(round(restart * 1e6)))
            if not was_loop and state.span.own_kind == "restart-loop":
                yield LOOP, restart + LABELLED_S
            if history.refused[row]:
                unit_state.refused(state)
        stop = history.stops[np.searchsorted(history.stops, ended) :][:1]
        if len(stop) and stop[0] < following:
            unit_state.stopped(state, Moment(round(float(stop[0]) * 1e6)))
        now = Moment(round((ended + DOWN_S) * 1e6))
        if not np.isnan(history.ended[row]) and following > ended + DOWN_S and unit_state.is_down(state, now, DOWN_S):
            yield DOWN, ended + DOWN_S

    def _over(self, spans: list[Span]) -> None:
        if spans:
            for failure_class in self.classes.values():
                class_state.mark_over(failure_class)


def _attempt(history: UnitHistory, row: int) -> Attempt:
    """Convert a start for policy."""
    began, lived_s, boot = float(history.began[row]), float(history.lived_s[row]), str(history.boot[row])
    ended = began + lived_s if np.isnan(history.ended[row]) else float(history.ended[row])
    clock, ready = float(history.clock[row]), float(history.ready[row])
    up = None if np.isnan(ready) else Moment(round(ready * 1e6), round((clock + ready - began) * 1e6), boot)
    return Attempt(
        Moment(round(began * 1e6), round(clock * 1e6), boot), Moment(round(ended * 1e6), round((clock + lived_s) * 1e6), boot), lived_s,
        str(history.outcome[row]), bool(history.failed[row]), str(history.signature[row]), announced=bool(history.announced[row]),
        ready=up, failed_stopping=bool(history.ended_failed[row] and history.outcome[row] == "stopped"),
    )  # fmt: skip
