"""Compute the coordinates of the figure of controls: when each would have fired, on a log axis of time since the start."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.model.controls import CANNOT_JUDGE
from forensics.model.values import Incident
from forensics.report.replayed import Row
from forensics.report.svg import LOG_TICKS, Tick
from forensics.report.text_width import fitted, text_width

_LEAST_BETWEEN_TICKS = 40.0
_LABEL = 15.0  # height of the label of a vertical line


@dataclass(frozen=True, slots=True)
class Layout:
    """Measures of the figure. stacked: a lane's name is above it, not left of it, as on a telephone."""

    width: float
    left: float
    right: float
    lane: float
    stacked: bool


WIDE = Layout(width=1160.0, left=344.0, right=1150.0, lane=23.0, stacked=False)
NARROW = Layout(width=350.0, left=4.0, right=346.0, lane=40.0, stacked=True)


@dataclass(frozen=True, slots=True)
class Lane:
    """One control. begin, end: the range of its first fires; at: the middle; delivered: None where nothing is; text: right of its marks."""

    y: float
    name: str
    name_x: float
    name_y: float
    begin: float
    end: float
    at: float
    delivered: float | None
    limits: bool
    fires: bool
    judged: bool
    text: str
    text_x: float
    anchor: str

    @property
    def text_width(self) -> float:
        """Width of the bold text of a lane that does not fire, with a margin."""
        return round(text_width(self.text, bold=self.judged) + 10, 1)


@dataclass(frozen=True, slots=True)
class Line:
    """A vertical line: the first operator action or the first alert."""

    x: float
    mark: str
    text: str
    text_x: float
    text_y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Drawing:
    width: float
    height: float
    left: float
    right: float
    top: float
    bottom: float
    stacked: bool
    lanes: tuple[Lane, ...]
    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]


def draw(incident: Incident, shown: Sequence[Row], layout: Layout) -> Drawing:
    """Draw one lane per control from one second to the end of the incident."""
    scale, last = _scale(incident, shown, layout)
    lines = _lines(incident, scale, layout)
    top = 4.0 + _LABEL * len(lines)
    lanes = tuple(_lane(row, top + layout.lane * k, scale, layout) for k, row in enumerate(shown))
    bottom = top + layout.lane * len(shown) + 2
    return Drawing(
        layout.width, bottom + 20, layout.left, layout.right, top, bottom, layout.stacked, lanes, lines, _ticks(scale, last, layout)
    )


def _scale(incident: Incident, shown: Sequence[Row], layout: Layout) -> tuple[Callable[[float], float], float]:
    """Return seconds → x, and the seconds at the right end."""
    ends = [incident.end, *(phase.end for phase in incident.phases), incident.detection.operator, incident.detection.alert]
    seconds = [(end - incident.start).total_seconds() for end in ends if end is not None]
    fires = [second for row in shown if row.fires for second in (row.of.after_s, row.of.latest_s, row.of.delivered_after_s) if second]
    last = max([60.0, *seconds, *fires])
    return lambda second: round(layout.left + (layout.right - layout.left) * math.log10(max(1.0, second)) / math.log10(last), 1), last


def _ticks(scale: Callable[[float], float], last: float, layout: Layout) -> tuple[Tick, ...]:
    ticks: list[Tick] = []
    for second in LOG_TICKS:
        if second <= last and (not ticks or scale(second) - ticks[-1].at >= _LEAST_BETWEEN_TICKS):
            ticks.append(Tick(min(max(scale(second), layout.left + 8), layout.right - 14), wording.duration(second)))
    return tuple(ticks)


def _lane(row: Row, top: float, scale: Callable[[float], float], layout: Layout) -> Lane:
    middle = top + (27.0 if layout.stacked else layout.lane / 2 + 1)
    name = fitted(row.name.replace("`", ""), layout.right - layout.left if layout.stacked else layout.left - 16)
    name_at = (layout.left, top + 13.0) if layout.stacked else (layout.left - 12, middle + 4)
    begin, end, at, delivered = _marks(row, scale)
    text, text_x, anchor = _label(row, begin, max(end, at, delivered or 0.0), layout)
    judged = row.of.status != CANNOT_JUDGE
    return Lane(middle, name, *name_at, begin, end, at, delivered, row.limits, row.fires, judged, text, text_x, anchor)


def _marks(row: Row, scale: Callable[[float], float]) -> tuple[float, float, float, float | None]:
    """Return where the range begins and ends, the middle, and the delivery."""
    if not row.fires or row.of.after_s is None:
        return 0.0, 0.0, 0.0, None
    at = scale(row.of.after_s)
    begin = at if row.of.earliest_s is None else scale(row.of.earliest_s)
    end = at if row.of.latest_s is None else scale(row.of.latest_s)
    return begin, end, at, None if row.of.delivered_after_s is None else scale(row.of.delivered_after_s)


def _label(row: Row, begin: float, end: float, layout: Layout) -> tuple[str, float, str]:
    """Place the label right of the marks where it fits, else left of them, else at the right end."""
    if not row.fires:
        text = f"{row.first}: {row.why}" if row.why else row.first
        return fitted(text.replace("`", ""), layout.right - layout.left - 30, bold=True), layout.left + 14, "start"
    text = row.first.removeprefix("T+")
    if row.limits and row.of.restarts_avoided:
        text += f" · {wording.plural(row.of.restarts_avoided, 'restart')} avoided"
    elif row.of.delivered_after_s is not None:
        text += f" · delivered {wording.rounded(row.of.delivered_after_s)}"
    wide = text_width(text)
    if end + 11 + wide <= layout.right:
        return text, end + 11, "start"
    return (text, begin - 11, "end") if begin - 11 - wide >= layout.left else (text, layout.right, "end")


def _lines(incident: Incident, scale: Callable[[float], float], layout: Layout) -> tuple[Line, ...]:
    """Draw the first alert and the first operator action, each with its label in a row of its own."""
    detection = incident.detection
    milestones = (("alert", "first alert", detection.alert), ("operator", "first operator action", detection.operator))
    lines: list[Line] = []
    for mark, name, time in milestones:
        if time is None:
            continue
        after = (time - incident.start).total_seconds()
        text = f"{name}, {wording.rounded(max(0.0, after))}"
        x, wide = scale(after), text_width(text)
        text_x, anchor = (
            (x + 6, "start") if x + 6 + wide <= layout.right else (x - 6, "end") if x - 6 - wide >= 0 else (layout.right, "end")
        )
        lines.append(Line(x, mark, text, text_x, 12.0 + _LABEL * len(lines), anchor))
    return tuple(lines)
