"""Draw marks in lanes on a log scale of seconds: the detection gap, the recoveries, and when each control would have fired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics import wording
from forensics.model.controls import CANNOT_JUDGE
from forensics.model.values import Incident
from forensics.report import charts, replayed, timeline
from forensics.report.figures import axes
from forensics.report.figures.axes import LogAxis
from forensics.report.figures.description import GLYPH, Box, Figure, Label, Layout, Mark, Plot, Stroke
from forensics.report.figures.placing import around, beside, one_text, spread
from forensics.report.text_width import fitted, text_width

_EDGE = 8.0  # from the sides of the drawing to the plot
_CONTROL_NAMES = {"wide": 344.0, "middle": 280.0}
_ROW = 15.0  # height of the label of a vertical line


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the lanes of a figure are. left: where the plot begins."""

    layout: Layout
    left: float
    top: float

    @property
    def right(self) -> float:
        return self.layout.width - _EDGE

    @property
    def low(self) -> float:
        """Return how far left a text of a lane may be."""
        return 2.0 if self.layout.stacked else self.left - 2

    def middle(self, k: int) -> float:
        return self.top + self.layout.lane * k + (25.0 if self.layout.stacked else self.layout.lane / 2 + 2)

    def name(self, k: int, text: str) -> Label:
        """Name a lane: above it where the layout is narrow, else left of it."""
        if self.layout.stacked:
            return Label(self.left - 4, self.middle(k) - 13, fitted(text, self.right - self.left + 4), "start", "strong", halo=True)
        return Label(self.left - 12, self.middle(k) + 4, fitted(text, self.left - 16), "end", "strong", halo=True)

    def bottom(self, lanes: int) -> float:
        return self.top + self.layout.lane * lanes + 4


def frame(layout: Layout, top: float = 0.0, left: float | None = None) -> Frame:
    """Make the frame of a layout; left: room for the names, where it is another than the layout's."""
    room = layout.left if left is None else left
    return Frame(layout, _EDGE if layout.stacked else room, top)


def milestones(rows: Sequence[charts.Row], layout: Layout) -> Figure:
    """Draw one lane per row, from one second to beyond the last point."""
    at = frame(layout)
    axis = axes.seconds_axis((point.after_s for row in rows for point in row.points), at.left, at.right - layout.reserve)
    strokes, marks, labels = [], [], []
    for k, row in enumerate(rows):
        y = at.middle(k)
        labels.append(at.name(k, row.label))
        if row.points:
            drawn = _points(row, axis, y)
            strokes.append(Stroke(at.left, y, max(mark.x for mark in drawn), y, "went"))
            marks += drawn
            texts = [(mark.x, point.text) for mark, point in zip(drawn, _ordered(row), strict=True)]
            labels += beside(texts, y + 4, at.low, layout.width)
        else:
            strokes.append(Stroke(at.left, y, at.right, y, "never"))
            labels.append(_absent(at, y, row.absent))
    return _figure(at, len(rows), axis, strokes, (), marks, labels)


def _ordered(row: charts.Row) -> list[charts.Point]:
    return sorted(row.points, key=lambda point: point.after_s)


def _points(row: charts.Row, axis: LogAxis, y: float) -> list[Mark]:
    ordered = _ordered(row)
    positions = spread([axis.at(point.after_s) for point in ordered], GLYPH, axis.high)
    return [Mark(x, y, point.mark, timeline.GLYPHS.get(point.mark, "")) for x, point in zip(positions, ordered, strict=True)]


def _absent(at: Frame, y: float, text: str, *, judged: bool = True) -> Label:
    """Write on its line what never happened."""
    short = fitted(text, at.right - at.left - 30, bold=judged)
    return Label(at.left + 14, y + 4, short, "start", "bad" if judged else "strong", halo=True)


def controls(incident: Incident, rows: Sequence[replayed.Row], layout: Layout) -> Figure:
    """Draw one lane per control from one second to the end of the incident, and the first alert and operator action as lines."""
    left = _CONTROL_NAMES.get(layout.name, 0.0)
    axis_at = frame(layout, left=left)
    axis = axes.seconds_axis(_seconds(incident, rows), axis_at.left, axis_at.right)
    lines = list(_lines(incident, axis, layout))
    at = frame(layout, top=_ROW * len(lines) + (5.0 if layout.stacked else 0.0), left=left)
    bottom = at.bottom(len(rows))
    strokes = [Stroke(line.x, label.top, line.x, bottom, f"milestone s-{line.style}") for line, label in lines]
    boxes: list[Box] = []
    marks: list[Mark] = []
    labels = [label for _, label in lines]
    for k, row in enumerate(rows):
        lane = _control(row, at, k, axis)
        strokes += lane.strokes
        boxes += lane.boxes
        marks += lane.marks
        labels += lane.labels
    return _figure(at, len(rows), axis, strokes, boxes, marks, labels)


@dataclass(frozen=True, slots=True)
class _Line:
    x: float
    style: str


@dataclass(frozen=True, slots=True)
class _Lane:
    strokes: tuple[Stroke, ...]
    boxes: tuple[Box, ...]
    marks: tuple[Mark, ...]
    labels: tuple[Label, ...]


def _seconds(incident: Incident, rows: Sequence[replayed.Row]) -> Iterator[float]:
    """Yield every time that the figure of controls has, in seconds since the start."""
    ends = [incident.end, *(phase.end for phase in incident.phases), incident.detection.operator, incident.detection.alert]
    yield from ((end - incident.start).total_seconds() for end in ends if end is not None)
    for row in rows:
        if row.fires:
            yield from (second for second in (row.of.after_s, row.of.latest_s, row.of.delivered_after_s) if second is not None)


def _control(row: replayed.Row, at: Frame, k: int, axis: LogAxis) -> _Lane:
    y = at.middle(k)
    name = row.name.replace("`", "")
    if not row.fires or row.of.after_s is None:
        judged = row.of.status != CANNOT_JUDGE
        text = (f"{row.first}: {row.why}" if row.why else row.first).replace("`", "")
        stroke = Stroke(at.left, y, at.right, y, "never" if judged else "unjudged")
        return _Lane((stroke,), (), (), (at.name(k, name), _absent(at, y, text, judged=judged)))
    fires = axis.at(row.of.after_s)
    begin = fires if row.of.earliest_s is None else axis.at(row.of.earliest_s)
    end = fires if row.of.latest_s is None else axis.at(row.of.latest_s)
    boxes = (Box(begin, y - 4, round(end - begin, 1), 8, "range"),) if end - begin > 1 else ()
    marks = [Mark(fires, y, "limit" if row.limits else "fires")]
    if row.of.delivered_after_s is not None:
        marks.insert(0, Mark(axis.at(row.of.delivered_after_s), y, "delivered"))
    extent = min(begin, *(mark.x for mark in marks)), max(end, *(mark.x for mark in marks))
    texts = one_text(_texts(row), extent, y + 4, at.low, at.layout.width - 2)
    return _Lane((Stroke(at.left, y, begin, y, "reach"),), boxes, tuple(marks), (at.name(k, name), *texts))


def _texts(row: replayed.Row) -> tuple[str, ...]:
    """Write when a control fires and what it does, and shorter."""
    text = row.first.removeprefix("T+")
    if row.limits and row.of.restarts_avoided:
        return f"{text} · {wording.plural(row.of.restarts_avoided, 'restart')} avoided", text
    if row.of.delivered_after_s is not None:
        return f"{text} · delivered {wording.rounded(row.of.delivered_after_s)}", text
    return (text,)


def _lines(incident: Incident, axis: LogAxis, layout: Layout) -> Iterator[tuple[_Line, Label]]:
    """Draw the first alert and the first operator action, each with its label in a row of its own."""
    detection = incident.detection
    y = 12.0
    for mark, name, time in (("alert", "first alert", detection.alert), ("operator", "first operator action", detection.operator)):
        if time is None:
            continue
        after = (time - incident.start).total_seconds()
        text = f"{name}, {wording.rounded(max(0.0, after))}"
        x, wide = axis.at(after), text_width(text)
        text_x = x + 6 if x + 6 + wide <= layout.width - 2 else max(2.0, x - 6 - wide)
        yield _Line(x, mark), Label(round(text_x, 1), y, text, "start", "strong", halo=True)
        y += _ROW


def _figure(
    at: Frame, lanes: int, axis: LogAxis, strokes: Sequence[Stroke], boxes: Sequence[Box], marks: Sequence[Mark], labels: Sequence[Label]
) -> Figure:
    bottom = at.bottom(lanes)
    return Figure(
        layout=at.layout.name,
        width=at.layout.width,
        height=bottom + axes.BELOW_SECONDS,
        plot=Plot(at.left, at.top, at.right, bottom),
        x_ticks=axes.seconds_ticks(axis, bottom, at.layout.width),
        strokes=tuple(piece for stroke in strokes for piece in around(stroke, labels)),
        boxes=tuple(boxes),
        marks=tuple(marks),
        labels=tuple(labels),
    )
