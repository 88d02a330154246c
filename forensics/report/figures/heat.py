"""Draw when hosts failed: a row for each few hosts, the darker the more of them failed at that time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from itertools import groupby

from forensics import wording
from forensics.model.fleet import Heat, HeatRow
from forensics.report.figures import axes
from forensics.report.figures.description import Figure, Label, Layout, Plot, Stroke, TimeAxis
from forensics.report.text_width import fitted

SWATCHES = ((11, "a quarter or less"), (12, "up to half"), (13, "up to three quarters"), (14, "more"))
_LEVELS = 4
_MOST_LINES, _MOST_STEPS = 700, 64
_NAMES = {"wide": 300.0, "middle": 240.0, "narrow": 0.0}
_EDGE, _RIGHT = 8.0, 14.0
_TOP, _ROW, _NAME = 4.0, 14.0, 15.0


def draw(values: Heat, where: tzinfo, layout: Layout) -> Figure:
    """Draw the rows from the start of the window to its end."""
    low = _EDGE if layout.stacked else _NAMES[layout.name]
    axis = TimeAxis(values.start, values.end, low, layout.width - _RIGHT)
    each = _steps_drawn_as_one(values, 2 if layout.stacked else 1)
    strokes: list[Stroke] = []
    labels: list[Label] = []
    y = _TOP
    for row in values.rows:
        middle = y + (_NAME if layout.stacked else 0.0) + _ROW / 2
        labels.append(_name(row, axis, layout, y, middle))
        strokes += _stretches(row, values, axis, middle, each)
        y = middle + _ROW / 2 + 1
    return Figure(
        layout=layout.name,
        width=layout.width,
        height=y + axes.BELOW,
        plot=Plot(axis.low, 0.0, axis.high, y),
        x_ticks=axes.time_ticks(axis, where, y, layout.width),
        strokes=tuple(strokes),
        labels=tuple(labels),
    )


def _name(row: HeatRow, axis: TimeAxis, layout: Layout, top: float, middle: float) -> Label:
    """Name a row by its first host, the number of the others and what failed."""
    more = f" + {wording.count(row.size - 1)}" if row.size > 1 else ""
    text = f"{row.name}{more}: {row.signature}"
    if layout.stacked:
        return Label(axis.low - 4, top + 11, fitted(text, axis.high - axis.low), style="strong", halo=True)
    return Label(axis.low - 8, middle + 4, fitted(text, axis.low - 12), "end", "strong", halo=True)


def _stretches(row: HeatRow, values: Heat, axis: TimeAxis, middle: float, each: int) -> Iterator[Stroke]:
    """Draw one line for each run of steps of the same level; each: steps that are drawn as one."""
    for level, start, end in _equal_steps(row, each):
        if level:
            first, last = (axis.at(values.start + values.step * min(len(row.counts), k * each)) for k in (start, end))
            yield Stroke(first, middle, last, middle, f"heat h{level}")


def _level(count: int, size: int) -> int:
    return min(_LEVELS, -(-count * _LEVELS // max(1, size)))


def _steps_drawn_as_one(values: Heat, each: int) -> int:
    """Double the steps that are drawn as one until there are few enough lines for a small page."""
    while each < _MOST_STEPS and sum(1 for row in values.rows for level, _, _ in _equal_steps(row, each) if level) > _MOST_LINES:
        each *= 2
    return each


def _equal_steps(row: HeatRow, each: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, first step, step after the last) of neighbours with the same level; each: steps that count as one."""
    levels = [_level(max(row.counts[k : k + each]), row.size) for k in range(0, len(row.counts), each)]
    at = 0
    for level, some in groupby(levels):
        length = sum(1 for _ in some)
        yield level, at, at + length
        at += length
