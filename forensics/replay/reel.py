"""Lay stretches of many histories one after another on one time axis, so that one evaluation follows a rule through all of them.

A stretch is cut to the pieces in which its series change, with what the rule needs to look back on before each. What holds in between
is what holds at the end of a piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from forensics.promql import Expression, Scraped, Scrapes, StepSeries, Vector, evaluate
from forensics.promql.labels import Labels
from forensics.replay.history import Flags, Floats, Ints
from forensics.replay.template import Template

LOOKBACK_S = 300.0  # Prometheus' lookback delta
Selected = tuple[tuple[StepSeries, ...], ...]  # of each selector
SHORTEST_S = 1.0  # of scrapes and evaluations
MOST_STEPS = 400_000  # of one reel
OF_UNIT = {"name": "unit", "unit": "unit", "instance": "instance"}  # labels that are equal within a history


@dataclass(frozen=True, slots=True)
class Prometheus:
    """How rules are evaluated. phases: of scrapes and of evaluations, each."""

    scrape_s: float = 15.0
    evaluation_s: float = 15.0
    version: int = 3
    phases: int = 4

    @property
    def middle_phase(self) -> float:
        """The phase of scrapes that is replayed where one is enough, in whole seconds; that of evaluations is then 0."""
        return float(self.scrape_s // 2)

    @property
    def scrape_phases(self) -> tuple[float, ...]:
        return tuple(self.scrape_s * number / self.phases for number in range(self.phases))

    @property
    def evaluation_phases(self) -> tuple[float, ...]:
        return tuple(self.evaluation_s * number / self.phases for number in range(self.phases))


@dataclass(frozen=True, slots=True)
class Stretch:
    """What of a history is followed. series: of each selector; scraped: the phases of the scrapes; phases: those of the evaluations."""

    series: Selected
    scraped: tuple[float, ...]
    since: float
    until: float
    phases: tuple[float, ...] = (0.0,)


@dataclass(frozen=True, slots=True)
class Reel:
    """Steps in order of strip and phase. real: when each really is. on_reel: all in ascending order; order: from there to here.

    strips: of each, the stretch and which of its scrape phases.
    """

    prometheus: Prometheus
    scraped: Scraped
    real: Floats
    on_reel: Floats
    strip: Ints
    phase: Ints
    order: Ints
    strips: list[tuple[int, int]]

    def evaluated(self, expression: Expression) -> list[Vector]:
        """Evaluate at all steps; each vector's arrays are in the order of the steps."""
        step_s = self.prometheus.evaluation_s
        found = evaluate(expression, self.scraped, self.on_reel, version=self.prometheus.version, default_step=step_s)
        return [Vector(each.labels, each.values[self.order], each.present[self.order]) for each in found]


def reels(stretches: Sequence[Stretch], template: Template, prometheus: Prometheus, settle_s: float) -> Iterator[Reel]:
    """Lay the stretches on as many reels as memory asks for. settle_s: how long an alert may wait or be kept."""
    cut: list[_Cut] = []
    steps = 0.0
    for number, stretch in enumerate(stretches):
        pieces = list(_pieces(stretch, template, prometheus, settle_s))
        of_phase = sum(piece.until - piece.since for piece in pieces) / prometheus.evaluation_s * len(stretch.phases)
        for scraped in range(len(stretch.scraped)):
            if cut and steps + of_phase > MOST_STEPS:
                yield _laid(cut, prometheus)
                cut, steps = [], 0.0
            cut.append(_Cut(number, scraped, stretch, pieces))
            steps += of_phase
    if cut:
        yield _laid(cut, prometheus)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a stretch that is evaluated. shown_from: from when on it is scraped at least."""

    since: float
    until: float
    shown_from: float


@dataclass(frozen=True, slots=True)
class _Cut:
    """A stretch in one phase of the scrapes, with its number and its pieces."""

    number: int
    scraped: int
    stretch: Stretch
    pieces: Sequence[_Piece]


def _pieces(stretch: Stretch, template: Template, prometheus: Prometheus, settle_s: float) -> Iterator[_Piece]:
    """Yield the parts in which a result can change: from a step before each change until no range covers it and alerts have settled."""
    scrape_s, step_s = prometheus.scrape_s, prometheus.evaluation_s
    tail_s = template.reach_s + settle_s + scrape_s + 2 * step_s
    lead_s = template.reach_s + LOOKBACK_S + scrape_s
    changes = [_between(series.times, stretch.since - tail_s, stretch.until) for of_selector in stretch.series for series in of_selector]
    edges = np.array([stretch.since, max(stretch.since, stretch.until - tail_s)])
    times = np.sort(np.concatenate([*changes, edges]))
    new = np.append(True, times[1:] - times[:-1] > tail_s + lead_s)
    firsts = np.flatnonzero(new)
    lasts = np.append(firsts[1:], len(times)) - 1
    for first, last in zip(times[firsts].tolist(), times[lasts].tolist(), strict=True):
        since = max(stretch.since, first - step_s)
        yield _Piece(since, min(stretch.until, last + tail_s), since - lead_s)


def _between(times: Floats, since: float, until: float) -> Floats:
    low, high = np.searchsorted(times, [since, until], side="right")
    return times[low:high]


@dataclass(slots=True)
class _Row:
    """A series of the reel as it grows. known_to: the end of the last piece in which it is."""

    times: list[Floats] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    pieces: int = 0

    def add(self, times: Floats, values: Floats, piece: int, begins: Sequence[float]) -> None:
        """Add its values in a piece; it is absent in the pieces that were skipped since the last one."""
        hidden = np.array(begins[self.pieces : piece], dtype=np.float64)
        self.times += [hidden, times]
        self.values += [np.full(len(hidden), np.nan), values]
        self.pieces = piece + 1

    def series(self, name: str, labels: Labels, begins: Sequence[float]) -> StepSeries:
        self.add(np.empty(0), np.empty(0), len(begins), begins)
        return StepSeries(name, dict(labels), np.concatenate(self.times), np.concatenate(self.values))


def _laid(cut: Sequence[_Cut], prometheus: Prometheus) -> Reel:
    rows: dict[tuple[int, Labels], _Row] = {}
    begins: list[float] = []
    steps: list[tuple[Floats, Floats, Ints, Ints]] = []
    strips: list[tuple[int, int]] = []
    place = 0.0
    shown: list[tuple[_Piece, list[_Shown]]] = []
    for strip, each in enumerate(cut):
        if strip == 0 or each.stretch is not cut[strip - 1].stretch:
            shown = [(piece, _shown(each.stretch, piece, prometheus)) for piece in each.pieces]
        offset = each.stretch.scraped[each.scraped]
        strips.append((each.number, each.scraped))
        for piece, series in shown:
            begin = np.floor((piece.shown_from - offset) / prometheus.scrape_s) * prometheus.scrape_s + offset
            for selector, labels, times, values in series:
                rows.setdefault((selector, labels), _Row()).add(np.maximum(times, begin) + (place - begin), values, len(begins), begins)
            begins.append(place)
            real, phase = _grid(piece, each.stretch.phases, prometheus.evaluation_s)
            steps.append((real, real + (place - begin), np.full(len(real), strip), phase))
            place += np.ceil((piece.until - begin) / prometheus.scrape_s + 2) * prometheus.scrape_s
    grown = [row.series(f"s{selector}", labels, begins) for (selector, labels), row in sorted(rows.items(), key=lambda item: item[0])]
    real_at, on_reel, strip_of, phase_of = (np.concatenate(column) for column in zip(*steps, strict=True))
    order = np.lexsort((phase_of, strip_of))  # it is stable: within a phase, steps stay in order of time
    scraped_reel = Scraped(grown, Scrapes(0.0, place, prometheus.scrape_s))
    return Reel(prometheus, scraped_reel, real_at[order], on_reel, strip_of[order], phase_of[order], order, strips)


_Shown = tuple[int, Labels, Floats, Floats]  # the number of a selector, a series of it, what that shows in a piece


def _shown(stretch: Stretch, piece: _Piece, prometheus: Prometheus) -> list[_Shown]:
    return [
        (selector, _labels(series), *_within(series, piece, prometheus))
        for selector, of_one in enumerate(stretch.series)
        for series in of_one
    ]  # fmt: skip


def _grid(piece: _Piece, phases: tuple[float, ...], step_s: float) -> tuple[Floats, Ints]:
    """Return the evaluations of all phases within a piece, and the phase of each; phases divide the step evenly."""
    fine_s = step_s / len(phases)
    numbers = np.arange(np.ceil((piece.since - phases[0]) / fine_s), np.floor((piece.until - phases[0]) / fine_s) + 1).astype(np.int64)
    times: Floats = numbers.astype(np.float64) * fine_s + phases[0]
    return times, numbers % len(phases)


def _within(series: StepSeries, piece: _Piece, prometheus: Prometheus) -> tuple[Floats, Floats]:
    """Return what a series shows in a piece; NaN until it begins. Each phase of the scrapes cuts the first time to its first scrape."""
    from_s = piece.shown_from - prometheus.scrape_s
    low, high = np.searchsorted(series.times, [from_s, piece.until + prometheus.scrape_s], side="right")
    times, values = series.times[max(low - 1, 0) : high], series.values[max(low - 1, 0) : high]
    if low > 0:
        return times, values
    return np.concatenate([[from_s], times]), np.concatenate([[np.nan], values])


def _labels(series: StepSeries) -> Labels:
    """Return the labels without what they have of the unit and the host."""
    return tuple(sorted((name, OF_UNIT.get(name, value)) for name, value in series.labels.items()))


def group_starts(reel: Reel) -> Ints:
    """Return where the steps of each strip and phase begin."""
    differs = (reel.strip[1:] != reel.strip[:-1]) | (reel.phase[1:] != reel.phase[:-1])
    return np.append(0, np.flatnonzero(differs) + 1) if len(reel.strip) else np.empty(0, dtype=np.int64)


def fired_since(present: Flags, reel: Reel, starts: Ints, hold_s: float) -> Floats:
    """Return for each step since when an alert has been firing there; infinity where it does not."""
    n, step_s = len(present), reel.prometheus.evaluation_s
    begins = present & ~np.append(False, present[:-1])
    begins[starts] = present[starts]
    position = np.maximum.accumulate(np.where(begins, np.arange(n), 0))
    fires = reel.real[position] + np.ceil(hold_s / step_s - 1e-9) * step_s
    return np.where(present & (reel.real >= fires - 1e-6), fires, np.inf)
