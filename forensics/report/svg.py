"""Compute the coordinates of the static figures; templates write the SVG and the style sheet colours it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from forensics import wording
from forensics.model.values import Incident
from forensics.report import timeline
from forensics.report.charts import Histogram, Row, phase_label
from forensics.sanitize import one_line

WIDTH = 1160
AXIS = 36  # room below the plot for two lines: time of day, date
_LEFT, _RIGHT = 48, 8
_CHARACTER = 6.3  # average width of a character in the 12 px label font
_GLYPH = 14
_STEPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 10080, 20160, 43200, 129600, 525600))
LOG_TICKS = (1, 10, 60, 600, 3600, 6 * 3600, 86400, 4 * 86400, 30 * 86400, 365 * 86400)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Tick:
    at: float
    text: str
    below: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """A phase behind the bars. label: as much of its two lines as fits into its width."""

    x: float
    width: float
    label: tuple[str, str]
    full: str


@dataclass(frozen=True, slots=True)
class Mark:
    x: float
    glyph: str
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars or a cumulative line over time. paths: (style, SVG path); the plot is between `top` and `bottom`."""

    height: float
    top: float
    bottom: float
    left: float
    right: float
    paths: tuple[tuple[int, str], ...]
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    mark: str
    text: str
    text_x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class LaneLine:
    y: float
    begin: float
    label: str
    dots: tuple[Dot, ...]
    absent: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """Marks on a log axis of seconds since the start, in lanes."""

    height: float
    left: float
    right: float
    bottom: float
    lines: tuple[LaneLine, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime

    def x(self, time: datetime) -> float:
        part = (time - self.start) / (self.end - self.start)
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * min(1.0, max(0.0, part)), 1)


def restarts_per_bin(incident: Incident, histogram: Histogram, where: tzinfo, height: float = 296) -> Bars:
    top, bottom = 58.0, height - AXIS
    span = _Span(histogram.starts[0], histogram.end)
    ceiling, y_ticks = _count_ticks(max(histogram.totals), top, bottom)
    width = (WIDTH - _LEFT - _RIGHT) / len(histogram.starts)
    gap = 1.0 if width > 4 else 0.0
    heights = [0] * len(histogram.starts)
    paths = []
    for layer in histogram.layers:
        bars = []
        for k, number in enumerate(layer.counts):
            if number:
                base, size = bottom - (bottom - top) * heights[k] / ceiling, (bottom - top) * number / ceiling
                bars.append(f"M{_LEFT + k * width:.1f} {base:.1f}h{width - gap:.1f}v{-size:.1f}h{gap - width:.1f}z")
                heights[k] += number
        paths.append((layer.style, "".join(bars)))
    return Bars(
        height, top, bottom, _LEFT, WIDTH - _RIGHT, tuple(paths),
        _bands(incident, span), _marks(incident, span, where), _time_ticks(span, where), y_ticks,
    )  # fmt: skip


def cumulative(incident: Incident, histogram: Histogram, where: tzinfo, height: float = 214) -> Bars:
    top, bottom = 34.0, height - AXIS
    span = _Span(histogram.starts[0], histogram.end)
    ceiling, y_ticks = _count_ticks(histogram.cumulative[-1], top, bottom)
    corners = [
        f"{span.x(start + histogram.step):.1f} {bottom - (bottom - top) * total / ceiling:.1f}"
        for start, total in zip(histogram.starts, histogram.cumulative, strict=True)
    ]
    path = f"M{_LEFT} {bottom:.1f}L" + "L".join(corners)
    bands, x_ticks = _bands(incident, span), _time_ticks(span, where)
    return Bars(height, top, bottom, _LEFT, WIDTH - _RIGHT, ((0, path),), bands, (), x_ticks, y_ticks)


def lanes(rows: list[Row], lane_height: float = 21) -> Lanes:
    """Draw lanes from one second to beyond the last point; an earlier point is drawn at one second, labelled with its true time."""
    left, right = 250.0, float(WIDTH - _RIGHT)
    bottom = lane_height * len(rows) + 4
    last = max([60.0, *(point.after_s for row in rows for point in row.points)])
    decades = math.log10(last)

    def x(seconds: float) -> float:
        return round(left + (right - 110 - left) * math.log10(max(1.0, seconds)) / decades, 1)

    lines = []
    for k, row in enumerate(rows):
        dots = tuple(Dot(x(p.after_s), p.mark, p.text, *_label_position(x(p.after_s), right)) for p in row.points)
        lines.append(
            LaneLine(lane_height * (k + 0.5) + 2, x(row.begin_s), fitting(row.label, left - 12), _without_overlap(dots), row.absent)
        )
    ticks = tuple(Tick(x(seconds), wording.duration(seconds)) for seconds in LOG_TICKS if seconds <= last)
    return Lanes(bottom + 20, left, right, bottom, tuple(lines), ticks)


def _label_position(at: float, right: float) -> tuple[float, str]:
    return (at + 10, "start") if at < right - 105 else (at - 10, "end")


def _without_overlap(dots: tuple[Dot, ...]) -> tuple[Dot, ...]:
    """Put the label of the earlier of two points on its left, so that the labels cannot overlap."""
    if len(dots) < 2:
        return dots
    first = min(dots, key=lambda dot: dot.x)
    return tuple(Dot(d.x, d.mark, d.text, d.x - 10, "end") if d is first and d.x > 420 else d for d in dots)


def count_axis(largest: int) -> tuple[float, list[int]]:
    """End of the axis of counts, a little above the largest, and three to five round ticks."""
    rough = max(1, largest) / 4
    scale = 10 ** math.floor(math.log10(rough)) if rough >= 1 else 1
    step = math.ceil(next(factor * scale for factor in (1, 2, 2.5, 5, 10) if factor * scale >= rough))
    ceiling = max(1, largest) * 1.06
    return ceiling, list(range(0, math.floor(ceiling) + 1, step))


def _count_ticks(largest: int, top: float, bottom: float) -> tuple[float, tuple[Tick, ...]]:
    ceiling, values = count_axis(largest)
    return ceiling, tuple(Tick(round(bottom - (bottom - top) * value / ceiling, 1), wording.count(value)) for value in values)


def _time_ticks(span: _Span, where: tzinfo) -> tuple[Tick, ...]:
    """At most ten ticks on whole local days or hours; the date is written below where it changes."""
    step = next((step for step in _STEPS if (span.end - span.start) / step <= 10), _STEPS[-1])
    midnight = span.start.astimezone(where).replace(hour=0, minute=0, second=0, microsecond=0)
    times = [
        time
        for k in range(int((span.end - midnight) / step) + 2)
        if span.start <= (time := midnight + step * k) and span.x(time) < WIDTH - 24
    ]
    ticks: list[Tick] = []
    shown = ""
    for time in times:
        local = time.astimezone(where)
        date = f"{local.day} {_MONTHS[local.month - 1]}"
        if step.days >= 1:
            ticks.append(Tick(span.x(time), date))
        else:
            ticks.append(Tick(span.x(time), f"{local:%H:%M}", date if date != shown else ""))
        shown = date
    return tuple(ticks)


def _bands(incident: Incident, span: _Span) -> tuple[Band, ...]:
    bands = []
    for number, phase in enumerate(incident.phases, 1):
        x = span.x(phase.start)
        width = round(span.x(phase.end) - x, 1)
        first, second = phase_label(incident, number, phase)
        bands.append(Band(x, width, (fitting(first, width), fitting(second, width, whole=True)), f"{first}: {second}"))
    return tuple(bands)


def fitting(text: str, width: float, *, whole: bool = False) -> str:
    """Shorten the text to the width in pixels; with `whole`, all of it or nothing."""
    characters = int((width - 6) / _CHARACTER)
    if len(text) <= characters:
        return text
    first = text.split(" ", 1)[0]
    if whole:
        return ""
    return text[: characters - 1].rstrip() + "…" if characters >= 8 else first if len(first) <= characters else ""


def _marks(incident: Incident, span: _Span, where: tzinfo) -> tuple[Mark, ...]:
    """Draw the glyphs above the bars."""
    steps = timeline.marks(incident)
    return tuple(
        Mark(x, timeline.GLYPHS[step.mark], step.mark, _mark_title(step, where))
        for x, step in zip(_mark_positions(incident, span), steps, strict=True)
    )


def mark_times(incident: Incident, histogram: Histogram) -> list[datetime]:
    """Times at which the glyphs are drawn on a time axis."""
    span = _Span(histogram.starts[0], histogram.end)
    return [span.start + (span.end - span.start) * ((x - _LEFT) / (WIDTH - _LEFT - _RIGHT)) for x in _mark_positions(incident, span)]


def _mark_positions(incident: Incident, span: _Span) -> list[float]:
    """Horizontal position of each glyph, moved where two would overlap: first to the right, then back inside the plot."""
    positions = [span.x(step.time) for step in timeline.marks(incident)]
    for k in range(1, len(positions)):
        positions[k] = max(positions[k], positions[k - 1] + _GLYPH)
    limit = WIDTH - _RIGHT - 1.0
    for k in reversed(range(len(positions))):
        positions[k] = round(min(positions[k], limit), 1)
        limit = positions[k] - _GLYPH
    return positions


def _mark_title(step: timeline.Step, where: tzinfo) -> str:
    detail = f" ({step.detail})" if step.detail else ""
    return f"{wording.instant(step.time, where)} {timeline.GLYPH_NAMES[step.mark]}: {one_line(step.what, 200)}{detail}"
