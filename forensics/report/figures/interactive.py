"""Write Plotly's data for a figure over time: positions from its description, counts from its bars. Plotly itself is not imported.

Colours are CSS variables ("var(--c0)"); the page's script resolves them, so one figure serves the light and the dark scheme.
"""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any

from forensics.report.figures.description import Bars, Figure, Label
from forensics.sanitize import brief

PATTERNS = ("", "/", "x", "-", "\\", ".")
_INK, _MUTED, _GRID, _SURFACE, _NONE = "var(--ink)", "var(--muted)", "var(--grid)", "var(--page)", "rgba(0,0,0,0)"
_NO_MARKUP = str.maketrans({"<": "‹", ">": "›", "&": "＆", "%": "٪"})
_DAY_MS = 86_400_000
_SHARED = {"gate": "declared"}  # marks with the colour of another
_MIDDLE = 4.0  # of a text's line, above its baseline


def data(figure: Figure, where: tzinfo) -> dict[str, Any] | None:
    """Return traces and layout; None for a figure without bars, in which there is nothing to point at or to enlarge."""
    bars = figure.bars
    if bars is None:
        return None
    traces = _stacks(bars, where) if bars.stacks else [_line(bars, where)]
    if figure.marks:
        traces.append(_marks(figure, bars, where))
    return {"data": traces, "layout": _layout(figure, bars, where)}


def _text(text: str, longest: int = 160) -> str:
    """Shorten a text and replace <, >, & and %, which Plotly would read as markup, by look-alikes."""
    return brief(text, longest).translate(_NO_MARKUP)


def _local(time: datetime, where: tzinfo) -> str:
    return time.astimezone(where).strftime("%Y-%m-%d %H:%M:%S")


def _stacks(bars: Bars, where: tzinfo) -> list[dict[str, Any]]:
    times = [_local(start, where) for start in bars.starts]
    return [
        {
            "type": "bar", "name": _text(stack.name), "x": times, "y": list(stack.counts), "width": bars.step.total_seconds() * 1000,
            "offset": 0, "marker": _filling(stack.style), "hovertemplate": "%{y}  %{fullData.name}<extra></extra>",
        }
        for stack in bars.stacks
    ]  # fmt: skip


def _filling(style: int) -> dict[str, Any]:
    pattern = {"shape": PATTERNS[style], "fillmode": "overlay", "fgcolor": _SURFACE, "size": 6, "solidity": 0.18}
    return {"color": f"var(--c{style})", "line": {"width": 0.5, "color": _SURFACE}, "pattern": pattern}


def _line(bars: Bars, where: tzinfo) -> dict[str, Any]:
    return {
        "type": "scatter", "mode": "lines", "x": [_local(time, where) for time in (*bars.starts, bars.axis.end)],
        "y": [0, *bars.cumulative], "line": {"color": "var(--c0)", "width": 2}, "fill": "tozeroy", "fillcolor": "var(--wash)",
        "hovertemplate": "%{x|%Y-%m-%d %H:%M}: %{y:,} restarts<extra></extra>",
    }  # fmt: skip


def _marks(figure: Figure, bars: Bars, where: tzinfo) -> dict[str, Any]:
    """Draw the glyphs on an axis whose unit is a pixel, above the bars."""
    return {
        "type": "scatter", "mode": "text", "yaxis": "y2", "cliponaxis": False,
        "x": [_local(bars.axis.time(mark.x), where) for mark in figure.marks], "y": [mark.y for mark in figure.marks],
        "text": [mark.glyph for mark in figure.marks],
        "textfont": {"size": 14, "color": [f"var(--m-{_SHARED.get(mark.name, mark.name)})" for mark in figure.marks]},
        "customdata": [_text(mark.title, 120) for mark in figure.marks], "hovertemplate": "%{customdata}<extra></extra>",
    }  # fmt: skip


def _layout(figure: Figure, bars: Bars, where: tzinfo) -> dict[str, Any]:
    plot = figure.plot
    above = 1 - plot.top / plot.bottom  # there the marks are: axes that overlap would take each other's pointer
    labels = [label for band in figure.bands for label in band.labels]
    return {
        "margin": {"l": plot.left, "r": figure.width - plot.right, "t": 0, "b": figure.height - plot.bottom, "pad": 0},
        "paper_bgcolor": _NONE, "plot_bgcolor": _NONE, "showlegend": False, "dragmode": "zoom", "autosize": True,
        "barmode": "stack", "bargap": 0, **({"hovermode": "x unified"} if bars.stacks else {}),
        "font": {"family": "var(--font)", "size": 12, "color": _INK},
        "hoverlabel": {"bgcolor": _SURFACE, "bordercolor": _MUTED, "font": {"family": "var(--font)", "color": _INK}},
        "xaxis": _time_axis(figure, bars, where),
        "yaxis": _axis(range=[0, bars.ceiling], tickvals=list(bars.counts), tickformat=",", fixedrange=True,
                       domain=[0, above]),
        "yaxis2": {"range": [plot.top, 0], "visible": False, "fixedrange": True, "domain": [above, 1], "anchor": "x"},
        "shapes": [_band(bars, where, band.x, band.width) for band in figure.bands if band.shaded],
        "annotations": [_annotation(label, bars, where, plot.bottom) for label in labels],
    }  # fmt: skip


def _axis(**more: Any) -> dict[str, Any]:
    fixed = {"gridcolor": _GRID, "linecolor": _MUTED, "zeroline": False, "showline": False, "automargin": False, "ticks": ""}
    return {**fixed, "tickfont": {"color": _MUTED}, **more}


def _time_axis(figure: Figure, bars: Bars, where: tzinfo) -> dict[str, Any]:
    """Label hours with the date below; Plotly writes the part after the line break only where it changes."""
    stops = [{"dtickrange": [None, _DAY_MS - 1], "value": "%H:%M\n%-d %b"}, {"dtickrange": [_DAY_MS, None], "value": "%-d %b"}]
    span = [_local(bars.axis.start, where), _local(bars.axis.end, where)]
    return _axis(type="date", range=span, tickformatstops=stops, nticks=max(2, len(figure.x_ticks) + 1), showgrid=False, anchor="y")


def _band(bars: Bars, where: tzinfo, x: float, width: float) -> dict[str, Any]:
    return {
        "type": "rect", "x0": _local(bars.axis.time(x), where), "x1": _local(bars.axis.time(x + width), where), "y0": 0, "y1": 1,
        "yref": "paper", "line": {"width": 0}, "layer": "below", "fillcolor": "var(--band)",
    }  # fmt: skip


def _annotation(label: Label, bars: Bars, where: tzinfo, bottom: float) -> dict[str, Any]:
    anchor = {"start": "left", "middle": "center", "end": "right"}[label.anchor]
    return {
        "x": _local(bars.axis.time(label.x), where), "xanchor": anchor, "y": round(1 - (label.y - _MIDDLE) / bottom, 4), "yref": "paper",
        "yanchor": "middle", "showarrow": False, "borderpad": 0, "text": _text(label.text),
        "font": {"color": _INK if label.style else _MUTED},
    }  # fmt: skip
