"""Write a Grafana dashboard of `watch`'s metrics, in the classic JSON model, which all versions import."""

from __future__ import annotations

from typing import Any

from forensics.watch.metrics import PREFIX

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
UNIT = '{unit=~"$unit"}'
RATE = "$__rate_interval"
Panel = dict[str, Any]


def dashboard_model() -> dict[str, Any]:
    """Build the dashboard's JSON model."""
    panels = [
        _stat("Units down", "Units whose last attempt has ended.", f"count({PREFIX}unit_up{UNIT} == 0) or vector(0)", "short"),
        _stat("Restart loops", "Units currently in a restart loop.", f"sum({PREFIX}unit_loop_active{UNIT}) or vector(0)", "short"),
        _stat("Newest failure class", "When the newest failure class first occurred.",
              f"max({PREFIX}class_first_seen_timestamp_seconds{UNIT}) * 1000", "dateTimeFromNow"),
        _stat("Watch lag", "Age of the newest journal entry when it was processed.", f"max({PREFIX}watch_lag_seconds)", "s"),
        _series("Restarts", "Automatic restarts per unit.", [(f"sum by (unit) (increase({PREFIX}unit_restarts_total{UNIT}[{RATE}]))",
                "{{unit}}")], "short"),
        _series("Failures by class", "Failed attempts per failure class.",
                [(f"sum by (signature) (increase({PREFIX}failures_total{UNIT}[{RATE}]))", "{{signature}}")], "short"),
        _series("Attempt duration", "Median and 95th percentile of the time from start to end.",
                [(f"histogram_quantile({q}, sum by (le) (rate({PREFIX}attempt_duration_seconds_bucket{UNIT}[{RATE}])))", name)
                 for q, name in ((0.5, "median"), (0.95, "95 %"))], "s"),
        _series("Unit state", "1 is up, 0 is down; stable: up for at least ten minutes.",
                [(f"max by (unit) ({PREFIX}unit_up{UNIT})", "{{unit}} up"),
                 (f"max by (unit) ({PREFIX}unit_held{UNIT})", "{{unit}} stable")],
                "bool_on_off"),
        _table("Failure classes", "When each failure class last occurred.", f"{PREFIX}class_last_seen_timestamp_seconds{UNIT} * 1000",
               "dateTimeAsLocal"),
        _series("Queued alerts", "Alerts waiting for a sink that does not accept them.", [(f"sum by (sink) ({PREFIX}watch_queued_alerts)",
                "{{sink}}")], "short"),
        _series("Lost alerts and log lines", "Alerts that a sink refused or a full queue dropped; log lines that journald dropped.",
                [(f"sum by (sink) (increase({PREFIX}watch_refused_alerts_total[{RATE}]))", "refused by {{sink}}"),
                 (f"sum(increase({PREFIX}journal_lost_lines_total[{RATE}]))", "lines dropped")], "short"),
        _stat("Newest entry", "When the newest journal entry was written; if it is old, `watch` may not be running.",
              f"max({PREFIX}last_event_timestamp_seconds) * 1000", "dateTimeFromNow"),
        _stat("Escalating classes", "Failure classes whose rate is rising sharply.",
              f'count({PREFIX}class_state{{unit=~"$unit",state="escalating"}} == 1) or vector(0)', "short"),
        _stat("Version", "Version of tabby-forensics.", f"max by (version) ({PREFIX}build_info)", "short", "{{version}}"),
    ]  # fmt: skip
    return {
        "id": None,
        "uid": "tabby-forensics-watch",
        "title": "tabby-forensics: failures and restarts",
        "description": "What fails, how often it restarts, and whether alerts are delivered.",
        "tags": ["tabby-forensics", "systemd"],
        "schemaVersion": 36,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_source_variable(), _unit_variable()]},
        "panels": _placed(panels),
    }


def _source_variable() -> Panel:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}, "hide": 0}


def _unit_variable() -> Panel:
    query = f"label_values({PREFIX}unit_restarts_total, unit)"
    return {
        "name": "unit", "label": "Unit", "type": "query", "datasource": SOURCE, "query": {"query": query, "refId": "units"},
        "definition": query, "includeAll": True, "multi": True, "allValue": ".*", "refresh": 2, "sort": 1, "current": {}, "hide": 0,
    }  # fmt: skip


def _panel(kind: str, title: str, description: str, targets: list[tuple[str, str]], unit: str, size: tuple[int, int]) -> Panel:
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": SOURCE,
        "gridPos": {"w": size[0], "h": size[1]},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "options": {},
        "targets": [
            {"refId": chr(ord("A") + n), "datasource": SOURCE, "expr": expr, "legendFormat": legend, "instant": kind != "timeseries"}
            for n, (expr, legend) in enumerate(targets)
        ],
    }


def _stat(title: str, description: str, expr: str, unit: str, legend: str = "") -> Panel:
    panel = _panel("stat", title, description, [(expr, legend)], unit, (6, 4))
    shown = "name" if legend else "value"
    panel["options"] = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "textMode": shown}
    return panel


def _series(title: str, description: str, targets: list[tuple[str, str]], unit: str) -> Panel:
    panel = _panel("timeseries", title, description, targets, unit, (12, 8))
    panel["options"] = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi", "sort": "desc"}}
    return panel


def _table(title: str, description: str, expr: str, unit: str) -> Panel:
    panel = _panel("table", title, description, [(expr, "")], unit, (12, 8))
    panel["targets"][0]["format"] = "table"
    return panel


def _placed(panels: list[Panel]) -> list[Panel]:
    """Place panels from left to right, in a new row where the next one does not fit."""
    x = y = height = 0
    for number, panel in enumerate(panels, start=1):
        position = panel["gridPos"]
        if x + position["w"] > 24:
            x, y, height = 0, y + height, 0
        panel["id"] = number
        position |= {"x": x, "y": y}
        x, height = x + position["w"], max(height, position["h"])
    return panels
