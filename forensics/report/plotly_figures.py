"""Build the interactive Plotly figures as plain dictionaries, which is cheaper than importing plotly.

Colours are CSS variables ("var(--c0)"); the page's script resolves them, so one figure serves the light and the dark scheme.
"""

from __future__ import annotations

import math
from datetime import datetime, tzinfo
from typing import Any

from forensics import wording
from forensics.model.values import Incident
from forensics.report import timeline
from forensics.report.charts import Histogram, Row, phase_label
from forensics.report.svg import AXIS, LOG_TICKS, WIDTH, count_axis, fitting, mark_times
from forensics.sanitize import brief

PATTERNS = ("", "/", "x", "-", "\\", ".")
_INK, _MUTED, _GRID, _SURFACE = "var(--ink)", "var(--muted)", "var(--grid)", "var(--page)"
_NO_MARKUP = str.maketrans({"<": "‹", ">": "›", "&": "＆", "%": "٪"})
_DAY_MS = 86_400_000


def _label(text: str, longest: int = 160) -> str:
    """Shorten a text and replace <, >, & and %, which Plotly would read as markup, by look-alikes."""
    return brief(text, longest).translate(_NO_MARKUP)


def restarts_per_bin(incident: Incident, histogram: Histogram, where: tzinfo) -> dict[str, Any]:
    times = [_local(start, where) for start in histogram.starts]
    width = histogram.step.total_seconds() * 1000
    bars = [
        {
            "type": "bar",
            "name": _label(layer.name),
            "x": times,
            "y": list(layer.counts),
            "width": width,
            "offset": 0,
            "marker": _filling(layer.style),
            "hovertemplate": "%{y}  %{fullData.name}<extra></extra>",
        }
        for layer in histogram.layers
    ]
    ceiling, ticks = count_axis(max(histogram.totals))
    layout = _layout(bottom=AXIS) | {
        "barmode": "stack", "bargap": 0, "hovermode": "x unified", "xaxis": _time_axis(histogram, where),
        # three levels, as in the static drawing: bars, marks, names of the phases
        "yaxis": _axis(range=[0, ceiling], tickvals=ticks, tickformat=",", fixedrange=True, domain=[0, 1 - 58 / 260]),
        "yaxis2": {"range": [0, 1], "visible": False, "fixedrange": True, "domain": [1 - 56 / 260, 1 - 34 / 260], "anchor": "x"},
    }  # fmt: skip
    layout["shapes"], layout["annotations"] = _phases(incident, where, histogram)
    return {"data": [*bars, _marks(incident, histogram, where)], "layout": layout}


def _filling(style: int) -> dict[str, Any]:
    pattern = {"shape": PATTERNS[style], "fillmode": "overlay", "fgcolor": _SURFACE, "size": 6, "solidity": 0.18}
    return {"color": f"var(--c{style})", "line": {"width": 0.5, "color": _SURFACE}, "pattern": pattern}


def cumulative(incident: Incident, histogram: Histogram, where: tzinfo) -> dict[str, Any]:
    line = {
        "type": "scatter", "mode": "lines", "x": [_local(time, where) for time in (*histogram.starts, histogram.end)],
        "y": [0, *histogram.cumulative], "line": {"color": "var(--c0)", "width": 2}, "fill": "tozeroy", "fillcolor": "var(--wash)",
        "hovertemplate": "%{x|%Y-%m-%d %H:%M}: %{y:,} restarts<extra></extra>",
    }  # fmt: skip
    ceiling, ticks = count_axis(histogram.cumulative[-1])
    yaxis = _axis(range=[0, ceiling], tickvals=ticks, tickformat=",", fixedrange=True, domain=[0, 1 - 34 / 178])
    layout = _layout(bottom=AXIS) | {"xaxis": _time_axis(histogram, where), "yaxis": yaxis}
    layout["shapes"], layout["annotations"] = _phases(incident, where, histogram)
    return {"data": [line], "layout": layout}


def lanes(rows: list[Row]) -> dict[str, Any]:
    """Draw the detection gap: a log axis of seconds, one lane per row, "never" as text."""
    last = max([60.0, *(point.after_s for row in rows for point in row.points)])
    heights = {id(row): len(rows) - k for k, row in enumerate(rows)}
    points = [(row, point) for row in rows for point in row.points]
    colors = [f"var(--m-{point.mark})" for _, point in points]
    dots = {
        "type": "scatter", "mode": "markers+text", "cliponaxis": False,
        "x": [max(1.0, point.after_s) for _, point in points], "y": [heights[id(row)] for row, _ in points],
        "text": [f"  {_label(point.text)}  " for _, point in points],
        "textposition": ["middle left" if _crowded(row, point) else "middle right" for row, point in points],
        "marker": {"size": 9, "line": {"width": 2, "color": colors}, "symbol": [_SYMBOLS.get(point.mark, "diamond") for _, point in points],
                   "color": colors},
        "textfont": {"color": _INK}, "hoverinfo": "skip",
    }  # fmt: skip
    ticks = [seconds for seconds in LOG_TICKS if seconds <= last]
    tick_labels = [wording.duration(seconds) for seconds in ticks]
    right = math.log10(last) * 902 / 792  # room for the last label, as in the static drawing
    labels = {
        "tickvals": list(heights.values()), "ticktext": [_label(fitting(row.label, 238)) for row in rows], "tickfont": {"color": _INK},
        "ticks": "outside", "ticklen": 9, "tickcolor": "rgba(0,0,0,0)",
    }  # fmt: skip
    layout = _layout(bottom=20, left=250) | {
        "xaxis": _axis(type="log", range=[0, right], tickvals=ticks, ticktext=tick_labels, fixedrange=True),
        "yaxis": _axis(range=[0.5, len(rows) + 0.5], fixedrange=True, showgrid=False, **labels),
        "shapes": [_lane(row, heights[id(row)], right) for row in rows],
        "annotations": [_never(row, heights[id(row)]) for row in rows if not row.points],
    }  # fmt: skip
    return {"data": [dots], "layout": layout}


_SYMBOLS = {
    "signal": "line-ns-open",
    "alert": "diamond",
    "operator": "circle-open",
    "declared": "square",
    "fix": "triangle-up",
    "success": "circle",
}


def _crowded(row: Row, point: Any) -> bool:
    return len(row.points) > 1 and point is min(row.points, key=lambda other: other.after_s) and point.after_s > 10


def _lane(row: Row, height: int, right: float) -> dict[str, Any]:
    end = max(1.0, *(point.after_s for point in row.points)) if row.points else 10**right
    line = {"color": _MUTED, "width": 1, "dash": "dot"} if row.points else {"color": "var(--bad)", "width": 1, "dash": "dash"}
    return {"type": "line", "x0": row.begin_s, "x1": end, "y0": height, "y1": height, "line": line, "layer": "below"}


def _never(row: Row, height: int) -> dict[str, Any]:
    return {
        "x": 0,
        "y": height,
        "xanchor": "left",
        "showarrow": False,
        "text": f" {_label(row.absent)} ",
        "bgcolor": _SURFACE,
        "font": {"color": "var(--bad)", "weight": 600},
        "borderpad": 0,
    }


def _local(time: datetime, where: tzinfo) -> str:
    return time.astimezone(where).strftime("%Y-%m-%d %H:%M:%S")


def _layout(*, bottom: float, left: float = 48) -> dict[str, Any]:
    return {
        "margin": {"l": left, "r": 8, "t": 0, "b": bottom, "pad": 0},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "showlegend": False, "dragmode": "zoom", "autosize": True,
        "font": {"family": "var(--font)", "size": 12, "color": _INK},
        "hoverlabel": {"bgcolor": _SURFACE, "bordercolor": _MUTED, "font": {"family": "var(--font)", "color": _INK}},
    }  # fmt: skip


def _axis(**more: Any) -> dict[str, Any]:
    return {
        "gridcolor": _GRID,
        "linecolor": _MUTED,
        "zeroline": False,
        "showline": False,
        "automargin": False,
        "ticks": "",
        "tickfont": {"color": _MUTED},
        **more,
    }


def _time_axis(histogram: Histogram, where: tzinfo) -> dict[str, Any]:
    """Label hours with the date below; Plotly writes the part after the line break only where it changes."""
    stops = [{"dtickrange": [None, _DAY_MS - 1], "value": "%H:%M\n%-d %b"}, {"dtickrange": [_DAY_MS, None], "value": "%-d %b"}]
    span = [_local(histogram.starts[0], where), _local(histogram.end, where)]
    return _axis(type="date", range=span, tickformatstops=stops, nticks=10, showgrid=False, anchor="y")


def _phases(incident: Incident, where: tzinfo, histogram: Histogram) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Draw phases as bands over the whole height, with their names at the top."""
    shapes: list[dict[str, Any]] = []
    names: list[dict[str, Any]] = []
    span = (histogram.end - histogram.starts[0]).total_seconds()
    for number, phase in enumerate(incident.phases, 1):
        x0, x1 = _local(max(phase.start, histogram.starts[0]), where), _local(phase.end, where)
        color = "var(--band)" if number % 2 else "rgba(0,0,0,0)"
        shapes.append(
            {
                "type": "rect",
                "x0": x0,
                "x1": x1,
                "y0": 0,
                "y1": 1,
                "yref": "paper",
                "line": {"width": 0},
                "layer": "below",
                "fillcolor": color,
            }
        )
        width = (phase.end - phase.start).total_seconds() / span * (WIDTH - 60)
        first, second = phase_label(incident, number, phase)
        lines = [_label(line) for line in (fitting(first, width), fitting(second, width, whole=True)) if line]
        if lines:
            names.append({"x": x0, "y": 1, "yref": "paper", "xanchor": "left", "yanchor": "top", "align": "left", "showarrow": False,
                          "text": "<br>".join(lines), "font": {"color": _INK}, "xshift": 2})  # fmt: skip
    return shapes, names


def _marks(incident: Incident, histogram: Histogram, where: tzinfo) -> dict[str, Any]:
    steps = timeline.marks(incident)
    return {
        "type": "scatter",
        "mode": "text",
        "yaxis": "y2",
        "x": [_local(time, where) for time in mark_times(incident, histogram)],
        "y": [0.5] * len(steps),
        "cliponaxis": False,
        "text": [timeline.GLYPHS[step.mark] for step in steps],
        "textfont": {"size": 14, "color": [f"var(--m-{step.mark})" for step in steps]},
        "customdata": [_label(f"{timeline.GLYPH_NAMES[step.mark]}: {step.what}", 90) for step in steps],
        "hovertemplate": "%{customdata}<extra></extra>",
    }
