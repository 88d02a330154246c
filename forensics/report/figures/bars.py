"""Draw restarts per bin, stacked by class, and their cumulative line, before the bands of the phases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo

from forensics import wording
from forensics.model.values import Incident, Phase
from forensics.report import timeline
from forensics.report.charts import Histogram, merged, phase_label
from forensics.report.figures import axes
from forensics.report.figures.description import GLYPH, Band, Bars, Figure, Label, Layout, Mark, Plot, Stack, TimeAxis
from forensics.report.figures.placing import spread
from forensics.report.text_width import fitted, text_width
from forensics.sanitize import one_line

_RIGHT = 8.0
_NAME, _NUMBERS = 12.0, 27.0  # baselines of a phase's two lines
_BESIDE = 4.0  # from a band's edge to its name
_LEAST_NAME = 66.0  # a name that is cut to less is left out: its number is there
_MOST_IN_KEY = 12


def restarts(incident: Incident, histogram: Histogram, where: tzinfo, layout: Layout) -> Figure:
    """Draw three levels: names of the phases, marks, bars."""
    drawn = merged(histogram, layout.bins)
    marks_at, top = (28.0, 42.0) if layout.stacked else (42.0, 58.0)
    figure, bars = _over_time(incident, drawn, where, layout, max(drawn.totals), top, layout.bars)
    stacks = tuple(_stacks(drawn, bars.ceiling, figure.plot))
    merged_bins = (("", f"one bar: {wording.duration(drawn.step.total_seconds())}"),) if drawn.step != histogram.step else ()
    marks = _marks(incident, bars.axis, where, marks_at)
    return replace(figure, bars=replace(bars, stacks=stacks), marks=marks, key=(*merged_bins, *figure.key))


def growth(incident: Incident, histogram: Histogram, where: tzinfo, layout: Layout) -> Figure:
    """Draw how many restarts there were up to each time."""
    drawn = merged(histogram, layout.bins)
    top = 20.0 if layout.stacked else 34.0
    figure, bars = _over_time(incident, drawn, where, layout, drawn.cumulative[-1], top, layout.growth)
    plot = figure.plot
    heights = [round(plot.bottom - (plot.bottom - plot.top) * total / bars.ceiling, 1) for total in drawn.cumulative]
    corners = [(bars.axis.at(start + drawn.step), height) for start, height in zip(drawn.starts, heights, strict=True)]
    line = replace(bars, line=((plot.left, plot.bottom), *corners), cumulative=drawn.cumulative)
    return replace(figure, bars=line)


def _over_time(
    incident: Incident, drawn: Histogram, where: tzinfo, layout: Layout, largest: int, top: float, height: float
) -> tuple[Figure, Bars]:
    """Draw what both figures have: the axes, and the phases as bands over the whole height."""
    ceiling, counts = axes.count_scale(largest)
    plot = Plot(round(max(28.0, axes.counts_width(counts)), 1), top, layout.width - _RIGHT, height - axes.BELOW)
    axis = TimeAxis(drawn.starts[0], drawn.end, plot.left, plot.right)
    bands = tuple(_bands(incident, axis, layout))
    figure = Figure(
        layout=layout.name,
        width=layout.width,
        height=height,
        plot=plot,
        x_ticks=axes.time_ticks(axis, where, plot.bottom, layout.width),
        y_ticks=axes.count_ticks(counts, ceiling, plot),
        bands=bands,
        key=tuple(_key(incident, bands, layout)),
    )
    return figure, Bars(axis, drawn.starts, drawn.step, ceiling, counts)


def _stacks(drawn: Histogram, ceiling: float, plot: Plot) -> Iterator[Stack]:
    each = (plot.right - plot.left) / len(drawn.starts)
    below = [0] * len(drawn.starts)
    for layer in drawn.layers:
        boxes = []
        for k, number in enumerate(layer.counts):
            if number:
                bottom = plot.bottom - (plot.bottom - plot.top) * below[k] / ceiling
                boxes.append((plot.left + each * (k + 0.5), bottom, (plot.bottom - plot.top) * number / ceiling))
                below[k] += number
        yield Stack(layer.name, layer.style, layer.counts, each - 1.0 if each > 4 else each, tuple(boxes))


def _bands(incident: Incident, axis: TimeAxis, layout: Layout) -> Iterator[Band]:
    for number, phase in enumerate(incident.phases, 1):
        x = axis.at(phase.start)
        width = round(axis.at(phase.end) - x, 1)
        name, numbers = phase_label(incident, number, phase)
        labels = _band_labels(x, width, str(number), name, "" if layout.stacked else numbers)
        yield Band(x, width, number % 2 == 1, labels, f"{name}: {numbers}")


def _band_labels(x: float, width: float, number: str, name: str, numbers: str) -> tuple[Label, ...]:
    """Write as much of a phase's name as its band has room for: its number alone at least, or nothing."""
    room = width - 2 * _BESIDE
    whole = text_width(name) <= room
    if not whole and room < _LEAST_NAME:
        is_clear = text_width(number) + 2 <= width
        return (Label(round(x + width / 2, 1), _NAME, number, "middle", "strong"),) if is_clear else ()
    first = Label(x + _BESIDE, _NAME, fitted(name, room), style="strong")
    return (first, Label(x + _BESIDE, _NUMBERS, numbers)) if numbers and text_width(numbers) <= room else (first,)


def _key(incident: Incident, bands: tuple[Band, ...], layout: Layout) -> Iterator[tuple[str, str]]:
    """List the phases whose name has no room in the drawing; of many only those whose number is there. A wide page has their table."""
    if layout.name == "wide":
        return
    is_short = len(bands) <= _MOST_IN_KEY
    unnamed = [
        (number, phase)
        for number, (phase, band) in enumerate(zip(incident.phases, bands, strict=True), 1)
        if not any(label.text == phase_label(incident, number, phase)[0] for label in band.labels)
    ]
    listed = [(number, phase) for number, phase in unnamed if is_short or bands[number - 1].labels][:_MOST_IN_KEY]
    for number, phase in listed:
        yield str(number), _name_alone(incident, number, phase)
    if len(listed) < len(unnamed):
        yield "", f"{wording.plural(len(unnamed) - len(listed), 'more phase' if listed else 'phase')} in the table"


def _name_alone(incident: Incident, number: int, phase: Phase) -> str:
    return phase_label(incident, number, phase)[0].removeprefix(f"{number} ")


def _marks(incident: Incident, axis: TimeAxis, where: tzinfo, y: float) -> tuple[Mark, ...]:
    """Draw the glyphs above the bars, moved where two would overlap."""
    steps = timeline.marks(incident)
    positions = spread([axis.at(step.time) for step in steps], GLYPH, axis.high - 1)
    return tuple(Mark(x, y, step.mark, timeline.GLYPHS[step.mark], _title(step, where)) for x, step in zip(positions, steps, strict=True))


def _title(step: timeline.Step, where: tzinfo) -> str:
    detail = f" ({step.detail})" if step.detail else ""
    return f"{wording.instant(step.time, where)} {timeline.GLYPH_NAMES[step.mark]}: {one_line(step.what, 200)}{detail}"
