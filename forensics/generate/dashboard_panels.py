"""Make panels of a Grafana dashboard: figures, lines, states and tables, with thresholds and colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Panel = dict[str, Any]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, ORANGE, RED, DARK_RED, PURPLE, BLUE, GREY = "green", "yellow", "orange", "red", "dark-red", "purple", "blue", "text"
Steps = Sequence[tuple[float | None, str]]  # the colour from each value on; null is the lowest
NONE_IS_GOOD: Steps = ((None, GREEN), (1, RED))
WHOLE_WIDTH, HALF = 24, 12
Values = Mapping[str, tuple[str, str]]  # "0" or "10-99" → text and colour


def stat(title: str, description: str, expr: str, unit: str, steps: Steps = ((None, GREY),), legend: str = "", width: int = 4) -> Panel:
    """Show one figure, its background coloured where it is not as it should be."""
    panel = _panel("stat", title, description, [(expr, legend)], unit, (width, 4))
    panel["fieldConfig"]["defaults"] |= _thresholds(steps)
    panel["options"] = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "textMode": "name" if legend else "value",
        "colorMode": "background" if len(steps) > 1 else "value",
        "graphMode": "none",
        "justifyMode": "center",
        "orientation": "auto",
    }
    return panel


def series(title: str, description: str, targets: list[tuple[str, str]], unit: str, *, bars: bool = False) -> Panel:
    """Show values over time, as lines, or as bars that are stacked."""
    panel = _panel("timeseries", title, description, targets, unit, (HALF, 8))
    style: dict[str, Any] = {"drawStyle": "bars", "fillOpacity": 80, "lineWidth": 0, "stacking": {"mode": "normal", "group": "A"}}
    panel["fieldConfig"]["defaults"] |= {
        "color": {"mode": "palette-classic-by-name"},
        "custom": style if bars else {"drawStyle": "line", "fillOpacity": 10, "showPoints": "never"},
        "min": 0,
    }
    panel["options"] = {
        "legend": {"displayMode": "table", "placement": "bottom", "showLegend": True, "calcs": ["max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel


def states(title: str, description: str, expr: str, legend: str, values: Values) -> Panel:
    """Show which state each thing was in, as a strip of colours over time."""
    panel = _panel("state-timeline", title, description, [(expr, legend)], "short", (WHOLE_WIDTH, 8))
    panel["fieldConfig"]["defaults"] |= {
        "mappings": _mappings(values),
        "color": {"mode": "thresholds"},
        "thresholds": {"mode": "absolute", "steps": [{"color": GREY, "value": None}]},
        "custom": {"fillOpacity": 80, "lineWidth": 0},
    }
    panel["options"] = {
        "mergeValues": True,
        "showValue": "never",
        "alignValue": "left",
        "rowHeight": 0.85,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel


def table(
    title: str, description: str, columns: Mapping[str, tuple[str, str]], labels: Mapping[str, str], links: Mapping[str, str]
) -> Panel:
    """Show a row for each combination of labels. columns: title → expression and unit; labels: label → title; links: label → URL."""
    panel = _panel("table", title, description, [(expr, "") for expr, _ in columns.values()], "short", (WHOLE_WIDTH, 10))
    for target in panel["targets"]:
        target["format"] = "table"
    values = {f"Value #{target['refId']}": name for target, name in zip(panel["targets"], columns, strict=True)}
    names = [*labels, *values]
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {
            "id": "organize",
            "options": {
                "excludeByName": {"Time": True},
                "indexByName": {name: number for number, name in enumerate(names)},
                "renameByName": {**labels, **values},
            },
        },
    ]
    overrides = [_override(name, [{"id": "unit", "value": unit}]) for name, (_, unit) in columns.items()]
    for label, url in links.items():
        link = {"title": "Open the runbook", "url": url, "targetBlank": True}
        overrides.append(_override(labels[label], [{"id": "links", "value": [link]}]))
    panel["fieldConfig"]["overrides"] = overrides
    panel["fieldConfig"]["defaults"]["custom"] = {"align": "auto", "filterable": True}
    last = list(columns)[-1]
    panel["options"] = {"showHeader": True, "cellHeight": "sm", "sortBy": [{"displayName": last, "desc": True}]}
    return panel


def _panel(kind: str, title: str, description: str, targets: list[tuple[str, str]], unit: str, size: tuple[int, int]) -> Panel:
    over_time = kind in {"timeseries", "state-timeline"}
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "options": {},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": SOURCE,
                "editorMode": "code",
                "expr": expr,
                "legendFormat": legend,
                "instant": not over_time,
                "range": over_time,
            }
            for number, (expr, legend) in enumerate(targets)
        ],
    }


def _thresholds(steps: Steps) -> Panel:
    shown = [{"color": color, "value": value} for value, color in steps]
    return {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": shown}}


def _mappings(values: Values) -> list[Panel]:
    """Name and colour single values and ranges of them."""
    single = {key: _result(number, *shown) for number, (key, shown) in enumerate(values.items()) if "-" not in key}
    mappings: list[Panel] = [{"type": "value", "options": single}] if single else []
    for number, (key, shown) in enumerate(values.items()):
        low, is_range, high = key.partition("-")
        if is_range:
            mappings.append({"type": "range", "options": {"from": int(low), "to": int(high), "result": _result(number, *shown)}})
    return mappings


def _result(number: int, text: str, color: str) -> Panel:
    return {"text": text, "color": color, "index": number}


def _override(name: str, properties: list[Panel]) -> Panel:
    return {"matcher": {"id": "byName", "options": name}, "properties": properties}
