"""Draw the figures of a page: the static SVG's coordinates, and the interactive figure's data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from forensics.report import charts, control_lanes, plotly_figures, svg, timeline
from forensics.report.blocks import Block, Drawing, Folded, Section


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the templates draw. narrow: the same for a telephone, where there is one; data: None where nothing is interactive."""

    wide: Any
    narrow: Any = None
    data: dict[str, Any] | None = None
    legend: tuple[tuple[str, str], ...] = ()
    layers: tuple[charts.Layer, ...] = ()


def drawings(blocks: Iterable[Block]) -> Iterator[Drawing]:
    """Yield the drawings in blocks and in their sections."""
    for block in blocks:
        if isinstance(block, Drawing):
            yield block
        elif isinstance(block, Section | Folded):
            yield from drawings(block.blocks)


def draw(drawing: Drawing, where: tzinfo) -> Drawn:
    """Draw one figure."""
    return _DRAWERS[drawing.shape](drawing, where)


def _bars(drawing: Drawing, where: tzinfo) -> Drawn:
    incident, histogram = drawing.of
    marks = dict.fromkeys(step.mark for step in timeline.marks(incident))
    return Drawn(
        svg.restarts_per_bin(incident, histogram, where),
        data=plotly_figures.restarts_per_bin(incident, histogram, where),
        legend=tuple((mark, timeline.GLYPH_NAMES[mark]) for mark in marks),
        layers=histogram.layers,
    )


def _growth(drawing: Drawing, where: tzinfo) -> Drawn:
    incident, histogram = drawing.of
    return Drawn(svg.cumulative(incident, histogram, where), data=plotly_figures.cumulative(incident, histogram, where))


def _lanes(drawing: Drawing, _where: tzinfo) -> Drawn:
    rows = list(drawing.of)
    return Drawn(svg.lanes(rows), data=plotly_figures.lanes(rows), legend=drawing.legend)


def _controls(drawing: Drawing, _where: tzinfo) -> Drawn:
    incident, shown = drawing.of
    wide, narrow = (control_lanes.draw(incident, shown, layout) for layout in (control_lanes.WIDE, control_lanes.NARROW))
    return Drawn(wide, narrow, legend=drawing.legend)


_DRAWERS = {"bars": _bars, "growth": _growth, "lanes": _lanes, "controls": _controls}
