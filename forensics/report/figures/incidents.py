"""Draw the one timeline of all incidents: a lane per unit, or per group of units that one change hit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo

from forensics.report.figures import axes
from forensics.report.figures.description import Box, Figure, Label, Layout, Mark, Plot, Stroke, TimeAxis
from forensics.report.figures.placing import around, one_text
from forensics.report.incident_lanes import Lane, Lanes
from forensics.report.text_width import fitted

_NAMES = {"wide": 260.0, "middle": 220.0, "narrow": 0.0}
_RIGHT = 14.0  # room for the arrow of what goes on
_EDGE = 8.0
_TOP, _BETWEEN = 9.0, 10.0
_ABOVE = 21.0  # from a lane's top to its bars where its name is above them
_SINGLE, _MEMBER, _MOST_HEIGHT = 12.0, 5.0, 60.0  # heights of bars: of one incident, of each of several at once, of all of a lane
_LEAST_WIDTH = 3.0


def draw(values: Lanes, where: tzinfo, layout: Layout) -> Figure:
    """Draw the lanes from the start of the window to its end."""
    left = _EDGE if layout.stacked else _NAMES[layout.name]
    axis = TimeAxis(values.start, values.end, left, layout.width - _RIGHT)
    strokes: list[Stroke] = []
    boxes: list[Box] = []
    marks: list[Mark] = []
    labels: list[Label] = []
    y = _TOP
    for lane in values.lanes:
        top, height = y + (_ABOVE if layout.stacked else 0.0), _height(lane)
        middle = top + height / 2
        drawn = list(_boxes(lane, axis, top, height))
        strokes.append(Stroke(axis.low, middle, axis.high, middle, "reach"))
        boxes += drawn
        marks += _marks(lane, axis, drawn, top)
        labels += _labels(lane, layout, axis, drawn, middle, y)
        y = top + height + _BETWEEN
    return Figure(
        layout=layout.name,
        width=layout.width,
        height=y + axes.BELOW,
        plot=Plot(axis.low, 0.0, axis.high, y),
        x_ticks=axes.time_ticks(axis, where, y, layout.width),
        strokes=tuple(piece for stroke in strokes for piece in around(stroke, labels)),
        boxes=tuple(boxes),
        marks=tuple(marks),
        labels=tuple(labels),
    )


def _height(lane: Lane) -> float:
    return min(_MOST_HEIGHT, max(_SINGLE, _MEMBER * len(lane.stretches))) if lane.is_group else _SINGLE


def _boxes(lane: Lane, axis: TimeAxis, top: float, height: float) -> Iterator[Box]:
    """Draw the incidents of a group above each other, those of one unit beside each other."""
    each = height / len(lane.stretches) if lane.is_group else height
    gap = 1.0 if lane.is_group and each > _LEAST_WIDTH else 0.0
    for k, stretch in enumerate(lane.stretches):
        x = min(axis.at(stretch.start), axis.high - _LEAST_WIDTH)
        width = max(_LEAST_WIDTH, axis.at(stretch.end) - x)
        y = round(top + (each * k if lane.is_group else 0.0), 1)
        yield Box(x, y, round(width, 1), round(each - gap, 1), f"bar k{stretch.style}", stretch.title)


def _marks(lane: Lane, axis: TimeAxis, drawn: list[Box], top: float) -> Iterator[Mark]:
    if lane.changed is not None:
        yield Mark(axis.at(lane.changed), top - 3, "began", title="likely trigger")
    for stretch, box in zip(lane.stretches, drawn, strict=True):
        if stretch.ongoing:
            yield Mark(axis.high + 4, box.y + box.height / 2, "goes-on", title="ongoing")


def _labels(lane: Lane, layout: Layout, axis: TimeAxis, drawn: list[Box], middle: float, top: float) -> Iterator[Label]:
    if layout.stacked:
        yield Label(axis.low - 4, top + 10, fitted(lane.label, axis.high - axis.low), style="strong", halo=True)
    else:
        yield Label(axis.low - 12, middle + 4, fitted(lane.label, axis.low - 16), "end", "strong", halo=True)
    extent = min(box.x for box in drawn), max(box.x + box.width for box in drawn)
    yield from (label for label in one_text((lane.text,), extent, middle + 4, axis.low, axis.high) if label.text == lane.text)
