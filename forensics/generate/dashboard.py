"""Write a Grafana dashboard of `watch`'s metrics, in the classic JSON model, which Grafana 10 and all later ones import."""

from __future__ import annotations

from typing import Any

from forensics.generate.dashboard_panels import (
    BLUE,
    DARK_RED,
    GREEN,
    GREY,
    NONE_IS_GOOD,
    ORANGE,
    PURPLE,
    RED,
    SOURCE,
    YELLOW,
    Panel,
    series,
    stat,
    states,
    table,
)
from forensics.policy.class_state import STATES
from forensics.watch.metrics import PREFIX

OF_HOST = '{instance=~"$host"}'
OF_UNIT = '{instance=~"$host",unit=~"$unit"}'
RATE = "$__rate_interval"
SCHEMA = 38  # Grafana 10's; later versions bring it up to theirs when they load it
UNIT_STATES = {
    "0": ("down", RED),
    "1": ("up", YELLOW),
    "2": ("up for ten minutes", GREEN),
    "10-99": ("restart loop", DARK_RED),
    "100-199": ("stopped by its gate", PURPLE),
}
CLASS_COLORS = {"new": RED, "ongoing": ORANGE, "regressed": PURPLE, "escalating": DARK_RED}


def dashboard_model(runbooks: str = "") -> dict[str, Any]:
    """Build the dashboard's JSON model. runbooks: URL of the directory with the files of `generate runbook`."""
    panels = [*_figures(), _unit_states(), *_over_time(), _class_states(), _classes(runbooks), *_of_watch()]
    link = {"title": "Runbooks", "type": "link", "icon": "doc", "url": runbooks, "targetBlank": True, "tooltip": "", "tags": [],
            "asDropdown": False, "includeVars": False, "keepTime": False}  # fmt: skip
    return {
        "id": None,
        "uid": "tabby-forensics-watch",
        "title": "tabby-forensics: failures and restarts",
        "description": "What fails, how often it restarts, and whether alerts are delivered.",
        "tags": ["tabby-forensics", "systemd"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "fiscalYearStartMonth": 0,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timepicker": {},
        "timezone": "browser",
        "annotations": {"list": _annotations()},
        "links": [link] if runbooks else [],
        "templating": {"list": _variables()},
        "panels": _placed(panels),
    }


def _figures() -> list[Panel]:
    """Show what needs somebody now."""
    escalating = f'{PREFIX}class_state{{instance=~"$host",unit=~"$unit",state="escalating"}}'
    age = f"time() - max({PREFIX}last_event_timestamp_seconds{OF_HOST})"
    return [
        stat("Units down", "Units whose last attempt has ended.", f"count({PREFIX}unit_up{OF_UNIT} == 0) or vector(0)", "short",
             NONE_IS_GOOD),
        stat("Restart loops", "Units that are in a restart loop.", f"sum({PREFIX}unit_loop_active{OF_UNIT}) or vector(0)", "short",
             NONE_IS_GOOD),
        stat("Stopped by a gate", "Units whose gate keeps them from being restarted.", f"sum({PREFIX}gate_open{OF_UNIT}) or vector(0)",
             "short", ((None, GREEN), (1, PURPLE))),
        stat("Escalating classes", "Failure classes whose rate is rising sharply.", f"count({escalating} == 1) or vector(0)", "short",
             NONE_IS_GOOD),
        stat("Newest failure class", "When a failure class first occurred that had never occurred before.",
             f"max({PREFIX}class_first_seen_timestamp_seconds{OF_UNIT}) * 1000", "dateTimeFromNow"),
        stat("Newest entry", "Age of the newest journal entry; if it is old, `watch` may not be running.", age, "s",
             ((None, GREEN), (300, ORANGE), (600, RED))),
    ]  # fmt: skip


def _unit_states() -> Panel:
    parts = (("unit_up", 1), ("unit_held", 1), ("unit_loop_active", 10), ("gate_open", 100))
    terms = [f"{f'{weight} * ' if weight > 1 else ''}max by (instance, unit) ({PREFIX}{name}{OF_UNIT})" for name, weight in parts]
    return states("Units", "What each unit was doing: a restart loop and an open gate count before up and down.", " + ".join(terms),
                  "{{unit}} on {{instance}}", UNIT_STATES)  # fmt: skip


def _over_time() -> list[Panel]:
    quantiles = ((0.5, "median"), (0.95, "95 %"))
    return [
        series("Restarts", "Automatic restarts per unit.", [(f"sum by (unit) (increase({PREFIX}unit_restarts_total{OF_UNIT}[{RATE}]))",
               "{{unit}}")], "short", bars=True),
        series("Failures by class", "Failed attempts per failure class.",
               [(f"sum by (signature) (increase({PREFIX}failures_total{OF_UNIT}[{RATE}]))", "{{signature}}")], "short", bars=True),
        series("Attempt duration", "Median and 95th percentile of the time from start to end.",
               [(f"histogram_quantile({q}, sum by (le) (rate({PREFIX}attempt_duration_seconds_bucket{OF_UNIT}[{RATE}])))", name)
                for q, name in quantiles], "s"),
        series("Gate trips", "How often a gate stopped the restarts of a unit, failed tries included.",
               [(f"sum by (unit) (increase({PREFIX}gate_trips_total{OF_UNIT}[{RATE}]))", "{{unit}}")], "short", bars=True),
    ]  # fmt: skip


def _class_states() -> Panel:
    terms = [f'{number} * {PREFIX}class_state{{instance=~"$host",unit=~"$unit",state="{name}"}}' for number, name in enumerate(STATES, 1)]
    values = {str(number): (name, CLASS_COLORS[name]) for number, name in enumerate(STATES, 1)}
    return states("Failure classes", "The state of each failure class: new, ongoing, regressed (it was over), escalating.",
                  f"sum by (instance, unit, signature) ({' or '.join(terms)}) > 0", "{{signature}} of {{unit}}", values)  # fmt: skip


def _classes(runbooks: str) -> Panel:
    """List the classes; each leads to its file of `generate runbook`, where it is known where these are."""
    columns = {
        "Failures": (_by_class(f"sum by (instance, unit, signature) ({PREFIX}failures_total{OF_UNIT})", runbooks), "short"),
        "First failure": (_by_class(_times("class_first_seen_timestamp_seconds"), runbooks), "dateTimeFromNow"),
        "Last failure": (_by_class(_times("class_last_seen_timestamp_seconds"), runbooks), "dateTimeFromNow"),
    }
    labels = {"signature": "Failure class", "unit": "Unit", "instance": "Host"} | ({"runbook": "Runbook"} if runbooks else {})
    links = {"runbook": f"{runbooks.rstrip('/')}/${{__value.raw}}"} if runbooks else {}
    return table("Failure classes", "Failures since `watch` was started, and when a class first and last occurred.", columns, labels, links)


def _times(name: str) -> str:
    return f"max by (instance, unit, signature) ({PREFIX}{name}{OF_UNIT}) * 1000"


def _by_class(expr: str, runbooks: str) -> str:
    """Add the name of the runbook's file, as `generate runbook` names it: mined:1f → mined-1f.md."""
    if not runbooks:
        return expr
    known = f'label_replace({expr}, "runbook", "$1.md", "signature", "(.+)")'
    return f'label_replace({known}, "runbook", "mined-$1.md", "signature", "mined:(.+)")'


def _of_watch() -> list[Panel]:
    """Show whether `watch` itself is well."""
    lost = f"sum(increase({PREFIX}journal_lost_lines_total{OF_HOST}[{RATE}]))"
    return [
        series("Queued alerts", "Alerts waiting for a sink that does not accept them.",
               [(f"sum by (sink) ({PREFIX}watch_queued_alerts{OF_HOST})", "{{sink}}")], "short"),
        series("Lost alerts and log lines", "Alerts that a sink refused or a full queue dropped; log lines that journald dropped.",
               [(f"sum by (sink) (increase({PREFIX}watch_refused_alerts_total{OF_HOST}[{RATE}]))", "refused by {{sink}}"),
                (lost, "lines dropped")], "short", bars=True),
        stat("Watch lag", "Age of the newest journal entry when it was processed.", f"max({PREFIX}watch_lag_seconds{OF_HOST})", "s",
             ((None, GREEN), (5, ORANGE), (60, RED)), width=8),
        stat("Skipped", "Entries and ends of attempts that `watch` could not process.",
             f"sum({PREFIX}watch_skipped_total{OF_HOST}) or vector(0)", "short", ((None, GREEN), (1, ORANGE)), width=8),
        stat("Version", "Version of tabby-forensics.", f"max by (version) ({PREFIX}build_info{OF_HOST})", "short", ((None, GREY),),
             "{{version}}", width=8),
    ]  # fmt: skip


def _annotations() -> list[Panel]:
    """Mark new failures as points, restart loops and open gates as spans."""
    first = f"max by (instance, unit, signature) ({PREFIX}class_first_seen_timestamp_seconds{OF_UNIT}) * 1000"
    return [
        _annotation("New failures", RED, first, "New failure: {{signature}}", "{{unit}} on {{instance}}", value_is_time=True),
        _annotation("Restart loops", ORANGE, f"max by (instance, unit) ({PREFIX}unit_loop_active{OF_UNIT})", "Restart loop",
                    "{{unit}} on {{instance}}"),
        _annotation("Open gates", PURPLE, f"max by (instance, unit) ({PREFIX}gate_open{OF_UNIT})", "Stopped by its gate",
                    "{{unit}} on {{instance}}"),
        {"name": "Annotations & Alerts", "type": "dashboard", "builtIn": 1, "enable": True, "hide": True, "iconColor": BLUE,
         "datasource": {"type": "grafana", "uid": "-- Grafana --"}},
    ]  # fmt: skip


def _annotation(name: str, color: str, expr: str, title: str, text: str, *, value_is_time: bool = False) -> Panel:
    return {
        "name": name,
        "enable": True,
        "hide": False,
        "iconColor": color,
        "datasource": SOURCE,
        "target": {"refId": "Anno", "expr": expr, "interval": "60s", "instant": False, "range": True},
        "expr": expr,
        "step": "60s",
        "titleFormat": title,
        "textFormat": text,
        "tagKeys": "unit,signature",
        "useValueForTime": value_is_time,
    }


def _variables() -> list[Panel]:
    source = {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0,
              "current": {"selected": False, "text": "default", "value": "default"},
              "includeAll": False, "multi": False, "refresh": 1, "regex": "", "options": [], "skipUrlSync": False}  # fmt: skip
    return [
        source,
        _variable("host", "Host", f"label_values({PREFIX}build_info, instance)"),
        _variable("unit", "Unit", f"label_values({PREFIX}unit_restarts_total{OF_HOST}, unit)"),
    ]


def _variable(name: str, label: str, query: str) -> Panel:
    """Choose several values of a label, at first all of them."""
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE, "query": {"query": query, "refId": name},
        "includeAll": True, "multi": True, "allValue": ".*", "refresh": 2, "sort": 1, "regex": "", "hide": 0, "options": [],
        "skipUrlSync": False, "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }  # fmt: skip


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
