"""Replay a poller such as Uptime Kuma's, which asks `systemctl is-active` and reports DOWN after some retries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forensics.model.controls import Replayed
from forensics.replay.history import Flags, Floats, Ints
from forensics.replay.scene import BEFORE_S, First, Named, Scene
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
    named = _named(poll, source, id_)
    if scene.is_job:
        return scene.cannot_judge(named, "the unit is a job: it is not active while nothing is wrong")
    states = scene.once("up", lambda: [unit_state(history).is_one_of(ACTIVE) for history in scene.histories])
    reports = scene.once(poll, lambda: down_reports(states, poll, scene.window[1]))
    firsts = [first for phase in range(PHASES) if (first := _first(scene, reports, phase, poll)) is not None]
    quiet = int(np.median(_per_phase(reports, scene.quiet(reports.report) & scene.own(reports.report))))
    up_share = _polled_up(scene, states)
    if not firsts:
        reason = f"{share(up_share)} of the polls get `active`, and never {poll.retries + 1} in a row do not"
        return scene.never(named, reason, restarts_after=scene.restarts_after(scene.start), firings_outside=quiet, never_share=1.0)
    sent = sorted(_per_phase(reports, scene.inside(reports.report)).tolist())
    reason = f"{share(up_share)} of the polls get `active`: {_range(sent)} DOWN messages in the incident"
    missed = 1 - len(firsts) / PHASES
    middle = float(np.median(firsts))
    return scene.fires(named, First(middle, min(firsts), max(firsts), missed, middle), reason, firings_outside=quiet)


def _named(poll: Poll, source: str, id_: str) -> Named:
    return Named(id_ or f"poll:{poll.interval_s:g}/{poll.retries}", f"poll `systemctl is-active` every {poll}", "poll", source, (MODEL,))


def _per_phase(reports: Reports, chosen: Flags) -> Ints:
    """Count the chosen reports of each phase."""
    return np.bincount(reports.phase[chosen], minlength=PHASES)


def _first(scene: Scene, reports: Reports, phase: int, poll: Poll) -> float | None:
    """Return when the poll first finds the unit down in the incident and has reported it, in seconds from its start."""
    lasting = reports.report[(reports.phase == phase) & (reports.last >= scene.start) & (reports.report <= scene.until)]
    lasting = lasting[lasting >= scene.start - BEFORE_S]
    if not len(lasting):
        return None
    first = float(lasting.min())
    return first + max(0.0, float(np.ceil((scene.start - first) / poll.interval_s))) * poll.interval_s - scene.start


@dataclass(frozen=True, slots=True)
class Reports:
    """Each DOWN report: when, the last poll that finds it so, and the phase of the poll's clock."""

    report: Floats
    last: Floats
    phase: Ints


def down_reports(ups: Sequence[Steps], poll: Poll, until: float) -> Reports:
    """Return the DOWN reports of all phases. ups: 1 while a unit is active; polled from its first start to `until`."""
    found = [_of_unit(up, poll, until) for up in ups if len(up.times)]
    columns = ([getattr(each, name) for each in found] or [np.empty(0)] for name in ("report", "last", "phase"))
    return Reports(*(np.concatenate(parts) for parts in columns))


def _of_unit(up: Steps, poll: Poll, until: float) -> Reports:
    """Count the polls in each stretch of states, of all phases at once; a stretch that is up separates one phase from the next."""
    edges = np.append(up.times, max(until, float(up.times[-1])))
    offsets = np.arange(PHASES) * (poll.interval_s / PHASES)
    numbers = np.ceil((edges - offsets[:, None]) / poll.interval_s).astype(np.int64)  # of the first poll at or after each edge
    first = np.column_stack([numbers[:, :-1], numbers[:, -1]]).ravel()
    count = np.column_stack([np.diff(numbers, axis=1), np.ones(PHASES, dtype=np.int64)]).ravel()
    phase = np.repeat(np.arange(PHASES), len(edges))
    is_down = np.tile(np.append(up.values == 0, False), PHASES)
    first, count, phase, is_down = (each[count > 0] for each in (first, count, phase, is_down))
    edge = np.diff(np.concatenate([[0], is_down.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)  # stretches begins:ends are one run of polls that find it down
    before = np.concatenate([[0], np.cumsum(count)])
    wanted = before[begins] + poll.retries
    reported = wanted < before[ends]
    stretch = np.searchsorted(before, wanted[reported], side="right") - 1
    report = first[stretch] + wanted[reported] - before[stretch]
    last = first[ends[reported] - 1] + count[ends[reported] - 1] - 1
    offset = offsets[phase[stretch]]
    return Reports(report * poll.interval_s + offset, last * poll.interval_s + offset, phase[stretch])


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
