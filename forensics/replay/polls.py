"""Replay a poller such as Uptime Kuma's, which asks `systemctl is-active` and reports DOWN after some retries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forensics.model.controls import Replayed
from forensics.replay.history import Floats, Ints
from forensics.replay.scene import First, Named, Scene
from forensics.replay.states import ACTIVE, Steps, unit_state
from forensics.wording import duration, plural, share

PHASES = 12  # of the poll's clock
MODEL = "the poller asks `systemctl is-active`, and asks again at the same interval before it reports DOWN"


@dataclass(frozen=True, slots=True)
class Poll:
    interval_s: float = 60.0
    retries: int = 0

    def __str__(self) -> str:
        return f"{duration(self.interval_s)}, {plural(self.retries, 'retry', 'retries')}"


def replay_poll(scene: Scene, poll: Poll, source: str, id_: str = "") -> Replayed:
    """Replay the poll over the phases of its clock: the range of first reports, and the median of those in quiet times."""
    named = Named(id_ or f"poll:{poll.interval_s:g}/{poll.retries}", f"poll `systemctl is-active` every {poll}", "poll", source, (MODEL,))
    states = scene.once("up", lambda: [unit_state(history).is_one_of(ACTIVE) for history in scene.histories])
    phases = np.arange(PHASES) * (poll.interval_s / PHASES)
    reports = scene.once(poll, lambda: [[down_reports(up, poll, phase, scene.window[1]) for up in states] for phase in phases])
    firsts = [first for of_phase in reports if (first := _first(scene, of_phase, poll)) is not None]
    times = [np.concatenate([report for report, _ in of_phase] or [np.empty(0)]) for of_phase in reports]
    quiet = int(np.median([int((scene.quiet(each) & scene.own(each)).sum()) for each in times]))
    up_share = _polled_up(scene, states)
    if not firsts:
        reason = f"{share(up_share)} of the polls get `active`, and never {poll.retries + 1} in a row do not"
        return scene.never(named, reason, restarts_after=scene.restarts_after(scene.start), firings_outside=quiet, never_share=1.0)
    sent = sorted(int(scene.inside(each).sum()) for each in times)
    reason = f"{share(up_share)} of the polls get `active`: {_range(sent)} DOWN messages in the incident"
    missed = 1 - len(firsts) / PHASES
    middle = float(np.median(firsts))
    return scene.fires(named, First(middle, min(firsts), max(firsts), missed, middle), reason, firings_outside=quiet)


def _first(scene: Scene, reports: list[tuple[Floats, Floats]], poll: Poll) -> float | None:
    """Return when the poll first finds the unit down in the incident and has reported it, in seconds from its start."""
    found = []
    for report, last in reports:
        lasting = report[(last >= scene.start) & (report <= scene.until)]
        if len(lasting):
            first = float(lasting[0])
            found.append(first + max(0.0, np.ceil((scene.start - first) / poll.interval_s)) * poll.interval_s - scene.start)
    return min(found, default=None)


def down_reports(up: Steps, poll: Poll, phase: float, until: float) -> tuple[Floats, Floats]:
    """Return when DOWN is reported, and the last poll that finds it so. up: 1 while the unit is active; polled to `until`."""
    if not len(up.times):
        return up.times, up.times
    edges = np.append(up.times, max(until, float(up.times[-1])))
    numbers = np.ceil((edges - phase) / poll.interval_s).astype(np.int64)  # of the first poll at or after each edge
    polled = np.diff(numbers) > 0
    first, count, is_down = numbers[:-1][polled], np.diff(numbers)[polled], up.values[polled] == 0
    edge = np.diff(np.concatenate([[0], is_down.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)  # stretches begins:ends are one run of polls that find it down
    before = np.concatenate([[0], np.cumsum(count)])
    wanted = before[begins] + poll.retries
    reported = wanted < before[ends]
    stretch = np.searchsorted(before, wanted[reported], side="right") - 1
    report = first[stretch] + wanted[reported] - before[stretch]
    last = first[ends[reported] - 1] + count[ends[reported] - 1] - 1
    return _times(report, poll, phase), _times(last, poll, phase)


def _times(numbers: Ints, poll: Poll, phase: float) -> Floats:
    return numbers.astype(np.float64) * poll.interval_s + phase


def _polled_up(scene: Scene, states: list[Steps]) -> float:
    """Return the share of the incident's polls that get `active`, over all phases: the share of its time."""
    lasted = scene.until - scene.start
    up_s = sum(_time_up(up, scene.start, scene.until) for up in states)
    return up_s / (lasted * len(states)) if lasted > 0 and states else 0.0


def _time_up(up: Steps, start: float, until: float) -> float:
    edges = np.clip(np.append(up.times, until), start, until)
    return float((np.diff(edges) * up.values).sum())


def _range(sorted_counts: list[int]) -> str:
    low, high = sorted_counts[0], sorted_counts[-1]
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"
