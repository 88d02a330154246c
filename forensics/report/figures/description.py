"""The vocabulary of a drawn figure: where everything is, in the pixels of its layout. Renderers compute no positions of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from forensics.report.text_width import text_width

Anchor = Literal["start", "middle", "end"]
_ABOVE, _BELOW = 9.0, 3.0  # of a text's line, from its baseline
GLYPH = 14.0  # width of a glyph with the room around it


@dataclass(frozen=True, slots=True)
class Layout:
    """Measures for one width of a page. name: the style sheet shows the layout whose figure has the room; bins: at most so many bars.

    left: room for the names of lanes; 0: a lane's name is above it. reserve: room right of the last point of a lane.
    """

    name: str
    width: float
    bins: int
    left: float
    lane: float
    reserve: float
    bars: float  # height of the figure of bars
    growth: float  # height of the cumulative line

    @property
    def stacked(self) -> bool:
        return self.left == 0


WIDE = Layout("wide", 1160, bins=240, left=250, lane=21, reserve=110, bars=260, growth=200)
MIDDLE = Layout("middle", 720, bins=120, left=232, lane=21, reserve=100, bars=216, growth=160)
NARROW = Layout("narrow", 350, bins=60, left=0, lane=37, reserve=0, bars=250, growth=190)
LAYOUTS = (WIDE, MIDDLE, NARROW)
TWO_LAYOUTS = (WIDE, replace(NARROW, name="middle narrow"))  # of a page that has no room for three


@dataclass(frozen=True, slots=True)
class Label:
    """A text. y: its baseline; bold text is that of what never happened; halo: readable on lines."""

    x: float
    y: float
    text: str
    anchor: Anchor = "start"
    style: Literal["", "strong", "bad"] = ""
    halo: bool = False

    @property
    def width(self) -> float:
        return text_width(self.text, bold=self.style == "bad")

    @property
    def left(self) -> float:
        return self.x - {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * self.width

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def top(self) -> float:
        return self.y - _ABOVE

    @property
    def bottom(self) -> float:
        return self.y + _BELOW


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on an axis with the lines of its label."""

    at: float
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A phase behind the bars. labels: as much of its name as its width has room for; title: all of it."""

    x: float
    width: float
    shaded: bool
    labels: tuple[Label, ...]
    title: str


@dataclass(frozen=True, slots=True)
class Stack:
    """One class in the stacked bars. boxes: (middle, bottom, height) of each bar; style: number of its colour and pattern."""

    name: str
    style: int
    counts: tuple[int, ...]
    width: float
    boxes: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    x: float
    y: float
    to_x: float
    to_y: float
    style: str


@dataclass(frozen=True, slots=True)
class Box:
    """A range of time in a lane. style: a class of the style sheet; to: the anchor that it leads to."""

    x: float
    y: float
    width: float
    height: float
    style: str
    title: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A glyph, or without one a shape that its name chooses. y: its middle."""

    x: float
    y: float
    name: str
    glyph: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class TimeAxis:
    start: datetime
    end: datetime
    low: float
    high: float

    def at(self, time: datetime) -> float:
        part = (time - self.start) / (self.end - self.start)
        return round(self.low + (self.high - self.low) * min(1.0, max(0.0, part)), 1)

    def time(self, at: float) -> datetime:
        return self.start + (self.end - self.start) * ((at - self.low) / (self.high - self.low))


@dataclass(frozen=True, slots=True)
class Plot:
    """The area of the data, inside the drawing."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Counts over time, as bars or as a cumulative line. ceiling: the count at the top of the plot; counts: those of its ticks."""

    axis: TimeAxis
    starts: tuple[datetime, ...]
    step: timedelta
    ceiling: float
    counts: tuple[int, ...]
    stacks: tuple[Stack, ...] = ()
    line: tuple[tuple[float, float], ...] = ()
    cumulative: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing. key: (short name in the drawing, its text) of what the drawing has no room for."""

    layout: str
    width: float
    height: float
    plot: Plot
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...] = ()
    bands: tuple[Band, ...] = ()
    bars: Bars | None = None
    strokes: tuple[Stroke, ...] = ()
    boxes: tuple[Box, ...] = ()
    marks: tuple[Mark, ...] = ()
    labels: tuple[Label, ...] = ()
    key: tuple[tuple[str, str], ...] = ()

    @property
    def texts(self) -> tuple[Label, ...]:
        """Return every label, those of ticks and bands too."""
        ticks = (label for tick in (*self.x_ticks, *self.y_ticks) for label in tick.labels)
        return (*self.labels, *ticks, *(label for band in self.bands for label in band.labels))
