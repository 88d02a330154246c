"""Draw the figures of a page: one description for each width of a page, and the interactive figure's data of the widest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from forensics.report import charts, timeline
from forensics.report.blocks import Block, Drawing, Folded, Section
from forensics.report.figures import bars, heat, incidents, interactive, lanes
from forensics.report.figures.description import Figure, Layout


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the templates draw. figures: one per layout; data: None where nothing is interactive; swatches: (style, name) of classes."""

    figures: tuple[Figure, ...]
    data: dict[str, Any] | None = None
    swatches: tuple[tuple[int, str], ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    note: str = ""
    where: str = "below"  # the table with the same values


def drawings(blocks: Iterable[Block]) -> Iterator[Drawing]:
    """Yield the drawings in blocks and in their sections."""
    for block in blocks:
        if isinstance(block, Drawing):
            yield block
        elif isinstance(block, Section | Folded):
            yield from drawings(block.blocks)


def draw(drawing: Drawing, where: tzinfo, layouts: Sequence[Layout]) -> Drawn:
    """Draw one figure in each layout, the widest first."""
    return _DRAWERS[drawing.shape](drawing, where, layouts)


def _in(layouts: Sequence[Layout], make: Callable[[Layout], Figure]) -> tuple[Figure, ...]:
    return tuple(make(layout) for layout in layouts)


def _bars(drawing: Drawing, where: tzinfo, layouts: Sequence[Layout]) -> Drawn:
    incident, histogram = drawing.of
    drawn = _in(layouts, lambda layout: bars.restarts(incident, histogram, where, layout))
    marks = dict.fromkeys(step.mark for step in timeline.marks(incident))
    return Drawn(
        drawn,
        data=interactive.data(drawn[0], where),
        swatches=tuple((layer.style, layer.name) for layer in histogram.layers),
        legend=tuple((mark, timeline.GLYPH_NAMES[mark]) for mark in marks),
    )


def _growth(drawing: Drawing, where: tzinfo, layouts: Sequence[Layout]) -> Drawn:
    incident, histogram = drawing.of
    drawn = _in(layouts, lambda layout: bars.growth(incident, histogram, where, layout))
    return Drawn(drawn, data=interactive.data(drawn[0], where))


def _lanes(drawing: Drawing, _where: tzinfo, layouts: Sequence[Layout]) -> Drawn:
    rows: tuple[charts.Row, ...] = tuple(drawing.of)
    return Drawn(_in(layouts, lambda layout: lanes.milestones(rows, layout)), legend=drawing.legend)


def _controls(drawing: Drawing, _where: tzinfo, layouts: Sequence[Layout]) -> Drawn:
    incident, shown = drawing.of
    drawn = _in(layouts, lambda layout: lanes.controls(incident, shown, layout))
    return Drawn(drawn, legend=drawing.legend, note="time since the first failure, log scale")


def _incidents(drawing: Drawing, where: tzinfo, layouts: Sequence[Layout]) -> Drawn:
    drawn = _in(layouts, lambda layout: incidents.draw(drawing.of, where, layout))
    return Drawn(drawn, swatches=drawing.of.classes, legend=drawing.legend, where="above")


def _heat(drawing: Drawing, where: tzinfo, layouts: Sequence[Layout]) -> Drawn:
    drawn = _in(layouts, lambda layout: heat.draw(drawing.of, where, layout))
    return Drawn(drawn, swatches=heat.SWATCHES, legend=drawing.legend, note="of the hosts of a row")


_DRAWERS = {"bars": _bars, "growth": _growth, "lanes": _lanes, "controls": _controls, "incidents": _incidents, "heat": _heat}
