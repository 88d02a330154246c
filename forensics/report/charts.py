"""Compute the values that an incident's figures show: counts per bin and class, and marks on a log axis.

The drawings (`figures`) and the table below them are made from these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

from forensics import wording
from forensics.model.values import Incident, Phase
from forensics.report import timeline
from forensics.sanitize import brief

COLORS = 6  # distinguishable together with their patterns; further classes share the last one
OTHER = "other classes"
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Layer:
    """One class in the stacked bars. style: number of its colour and pattern, the same in every figure."""

    name: str
    style: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    step: timedelta
    starts: tuple[datetime, ...]
    layers: tuple[Layer, ...]

    @property
    def totals(self) -> tuple[int, ...]:
        return tuple(sum(column) for column in zip(*(layer.counts for layer in self.layers), strict=True))

    @property
    def cumulative(self) -> tuple[int, ...]:
        return tuple(accumulate(self.totals))

    @property
    def end(self) -> datetime:
        return self.starts[-1] + self.step

    @property
    def per(self) -> str:
        """The width of one bar: hour, 10 min, 3 h."""
        seconds = self.step.total_seconds()
        return {3600.0: "hour", 60.0: "minute", 86400.0: "day"}.get(seconds, wording.duration(seconds))


@dataclass(frozen=True, slots=True)
class Point:
    after_s: float
    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One lane on the log axis. absent: its text without points."""

    label: str
    points: tuple[Point, ...]
    absent: str


def styles(incident: Incident) -> dict[str, int]:
    """Number the colours and patterns by class, the largest class first."""
    return {row.signature: min(rank, COLORS - 1) for rank, row in enumerate(incident.classes)}


def histogram(incident: Incident, most_bins: int) -> Histogram | None:
    """Count restarts per bin, empty bins included; neighbours are merged until at most `most_bins` are left. None without restarts."""
    if not any(bin_.restarts for bin_ in incident.bins):
        return None
    begin = min(bin_.start for bin_ in incident.bins)
    number = int((max(bin_.start for bin_ in incident.bins) - begin).total_seconds() // incident.bin_s) + 1
    merged = -(-number // most_bins)
    step = timedelta(seconds=incident.bin_s * merged)
    length = -(-number // merged)
    style = styles(incident)
    crowded = len(incident.classes) > COLORS
    titles = {row.signature: row.title for row in incident.classes}
    counts: dict[int, list[int]] = {}
    names: dict[int, str] = {}
    for bin_ in incident.bins:  # bins, not restarts: hours × classes
        key = style.get(bin_.signature, COLORS - 1)
        names.setdefault(key, OTHER if crowded and key == COLORS - 1 else titles.get(bin_.signature, bin_.signature))
        counts.setdefault(key, [0] * length)[int((bin_.start - begin) / step)] += bin_.restarts
    layers = tuple(Layer(names[key], key, tuple(counts[key])) for key in sorted(counts))
    return Histogram(step, tuple(begin + step * k for k in range(length)), layers)


def merged(drawn: Histogram, most_bins: int) -> Histogram:
    """Add up neighbouring bins until at most `most_bins` are left."""
    each = -(-len(drawn.starts) // most_bins)
    if each == 1:
        return drawn
    layers = tuple(
        Layer(layer.name, layer.style, tuple(sum(layer.counts[k : k + each]) for k in range(0, len(layer.counts), each)))
        for layer in drawn.layers
    )
    return Histogram(drawn.step * each, drawn.starts[::each], layers)


def phase_label(incident: Incident, number: int, phase: Phase) -> tuple[str, str]:
    """Name a phase in two lines, for the figure itself."""
    titles = {row.signature: row.title for row in incident.classes}
    cadence = f", every {wording.duration(phase.cadence_s)}" if phase.cadence_s is not None else ""
    return (
        f"{number} {brief(titles.get(phase.primary, phase.primary), _LONGEST_NAME)}",
        f"{wording.plural(phase.restarts, 'restart')}{cadence}",
    )


def detection_rows(incident: Incident) -> list[Row]:
    """Lanes of one incident: when it could have been detected, was noticed and recovered."""
    return [
        Row(
            lane.label,
            () if lane.after_s is None else (Point(lane.after_s, lane.mark, wording.since_start(lane.time, incident.start)),),
            f"never: {lane.note}",
        )
        for lane in timeline.lanes(incident)
    ]
