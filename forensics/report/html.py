"""Render a self-contained HTML page: no network access, hostile text escaped, scripts allowed by hash only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import (
    audited,
    breakdown,
    causes,
    chain,
    charts,
    control_lanes,
    headline,
    plotly_figures,
    recommended,
    replayed,
    summary,
    svg,
    timeline,
)
from forensics.report.csp import own_style_sheets, plotly_script, policy
from forensics.report.options import RenderOptions
from forensics.resources import folder
from forensics.sanitize import brief, cut, one_line

LARGEST = 300_000  # bytes of a page without the interactive figures
LARGEST_FIGURES = 80_000  # bytes that their numbers may take beyond that; their script is not counted


@dataclass(frozen=True, slots=True)
class Level:
    """How much a page shows. A page that is too large is rendered again at the next level and lists what it omits."""

    incidents: int
    overview: int
    classes: int
    phases: int
    rows: int
    quotes: int
    quote_bytes: int
    bins: int
    lanes: int  # controls in the figure, and in the table below it
    controls: int  # further controls in the folded table


LEVELS = (
    Level(incidents=20, overview=500, classes=60, phases=24, rows=120, quotes=100, quote_bytes=4096, bins=240, lanes=10, controls=40),
    Level(incidents=12, overview=300, classes=40, phases=16, rows=60, quotes=40, quote_bytes=1024, bins=170, lanes=10, controls=10),
    Level(incidents=6, overview=250, classes=25, phases=12, rows=40, quotes=20, quote_bytes=600, bins=170, lanes=8, controls=0),
    Level(incidents=3, overview=150, classes=15, phases=8, rows=25, quotes=10, quote_bytes=400, bins=100, lanes=6, controls=0),
    Level(incidents=1, overview=60, classes=8, phases=6, rows=10, quotes=4, quote_bytes=200, bins=60, lanes=5, controls=0),
)


def render(report: Report, options: RenderOptions) -> str:
    """Render the fullest page that is small enough; the script of the figures is not counted."""
    for level in LEVELS:
        view = _view(report, options, level)
        page = _page(view, plotly="")
        if len(page.encode()) <= LARGEST + (LARGEST_FIGURES if view["data"] else 0):
            break
    return _page(view, plotly_script()) if view["data"] else page


def _page(view: dict[str, Any], plotly: str) -> str:
    scripts = (view["script"], plotly) if view["data"] else ()
    page = _templates().get_template("page.html.j2")
    unwanted = own_style_sheets(plotly)
    return page.render(view, plotly=Markup(plotly), own_style_sheets=unwanted, policy=policy((view["style"],), scripts))  # noqa: S704


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(folder("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        name: getattr(wording, name)
        for name in ("count", "share", "duration", "instant", "minute", "since_start", "size", "helps", "method", "plural", "reflowed")
    } | {"cut": cut, "one_line": one_line, "brief": brief, "code_spans": code_spans}
    templates.globals |= {
        "glyphs": timeline.GLYPHS,
        "glyph_names": timeline.GLYPH_NAMES,
        "width": svg.WIDTH,
        "precise_enough": wording.precise_enough,
        "breakdown": breakdown,
        "unit_name": summary.unit_name,
    }
    templates.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False, "separators": (",", ":")}
    return templates


def code_spans(text: str) -> list[tuple[bool, str]]:
    """Split text at backticks into (is code, text)."""
    return [(k % 2 == 1, part) for k, part in enumerate(text.split("`")) if part]


def _shipped(name: str) -> Markup:
    """Read a file of the program itself: the only text that goes into the page unescaped."""
    return Markup((folder("reports") / name).read_text(encoding="utf-8"))  # noqa: S704


def _view(report: Report, options: RenderOptions, level: Level) -> dict[str, Any]:
    where = wording.zone(report.timezone)
    chosen = _longest_downtimes(report, level.incidents)
    several = len(report.incidents) > 1
    links = _links(report, set(chosen))
    incidents = [_incident(report, report.incidents[k], k + 1, level, several=several) | links[k] for k in chosen]
    overview = _overview(report, set(chosen), level) if several else None
    data = {name: figure for incident in incidents for name, figure in incident["data"].items()}
    if overview is not None and report.incidents:
        data["recovery"] = plotly_figures.lanes(charts.recovery_rows(report, _LANES))
    return {
        "report": report,
        "where": where,
        "level": level,
        "scope": summary.scope(report),
        "complete": report.completeness.complete,
        "quality": summary.data_quality(report),
        "totals": summary.totals(report),
        "helped": breakdown.restart_helped(report),
        "helped_here": breakdown.restart_helped(report, here="here"),
        "title": summary.title(report) + " · tabby-forensics",
        "headline": summary.title(report) + _span(report),
        "calm": summary.nothing_failed(report),
        "verdict": summary.verdict(report),
        "incidents": incidents,
        "overview": overview,
        "audit": _audit(report),
        "isolated": summary.Quotes("I"),
        "isolated_text": summary.isolated(report),
        "isolated_remedies": [] if incidents else [row for row in report.classes[: level.classes] if row.remedy or row.cause],
        "several_hosts": len(report.hosts) > 1,
        "limits": _limits(report, level),
        "redacted": options.redact,
        "not_redacted": wording.NOT_REDACTED,
        "also_seen": summary.CO_OCCURRING,
        "data": data if options.figures else {},
        "style": _shipped("style.css"),
        "script": _shipped("figures.js"),
    }


_LANES = 20  # incidents in the figure of several


def _longest_downtimes(report: Report, most: int) -> list[int]:
    """Indices of the incidents with the longest downtime, which get a section, in the order of the report."""
    ranked = sorted(range(len(report.incidents)), key=lambda k: (-report.incidents[k].downtime_s, k))
    return sorted(ranked[:most])


def _span(report: Report) -> str:
    where = wording.zone(report.timezone)
    if len(report.incidents) != 1:
        return ""
    only = report.incidents[0]
    stamp = wording.precise_enough(only.start, only.end)
    end = "ongoing" if only.ongoing else stamp(only.end, where)
    return f" · {stamp(only.start, where)} → {end}"


def _incident(report: Report, incident: Incident, number: int, level: Level, *, several: bool) -> dict[str, Any]:
    where = wording.zone(report.timezone)
    anchor = f"i{number}"
    histogram = charts.histogram(incident, level.bins)
    rows = charts.detection_rows(incident)
    steps = timeline.steps(incident)
    titles = {row.signature: row.title for row in incident.classes}
    names, counts = summary.phase_matrix(incident)
    data = {f"{anchor}-gap": plotly_figures.lanes(rows)}
    if histogram is not None:
        data[f"{anchor}-restarts"] = plotly_figures.restarts_per_bin(incident, histogram, where)
        data[f"{anchor}-cumulative"] = plotly_figures.cumulative(incident, histogram, where)
    matrix = [(name, titles.get(name, name), row, sum(row)) for name, row in zip(names, counts, strict=True)]
    return {
        "of": incident,
        "anchor": anchor,
        "number": number,
        "title": summary.incident_title(incident),
        "caused_by_isolated": summary.caused_by_isolated(report, incident),
        "gate": summary.gate(incident),
        "figures": headline.figures(report, incident),
        "histogram": histogram,
        "bars": svg.restarts_per_bin(incident, histogram, where) if histogram else None,
        "growth": svg.cumulative(incident, histogram, where) if histogram else None,
        "lanes": svg.lanes(rows),
        "detection": timeline.lanes(incident),
        "marks_used": list(dict.fromkeys(step.mark for step in timeline.marks(incident))),
        "styles": charts.styles(incident),
        "phases": summary.has_phases(incident),
        "downtime": summary.downtime(incident),
        "caveats": summary.caveats(incident),
        "matrix": matrix[: level.classes],
        "steps": steps[: level.rows],
        "steps_omitted": max(0, len(steps) - level.rows),
        "quotes": summary.Quotes(f"{anchor}.E" if several else "E"),
        "chain": chain.chain(report, incident),
        "factors": chain.factors(incident),
        "basis": chain.LEGEND,
        "replay": _replay(report, incident, level),
        "cost": summary.cost(incident),
        "over_the_window": breakdown.over_the_window(report, incident),
        "remedies": [row for row in incident.classes[: level.classes] if row.remedy or row.cause],
        "data": data,
    }


def _replay(report: Report, incident: Incident, level: Level) -> dict[str, Any] | None:
    """Return what the section of controls shows; None where none was replayed."""
    rows = replayed.rows(incident)
    if not rows:
        return None
    shown = replayed.chosen(rows, level.lanes)
    rest = replayed.remaining(rows, shown)
    listed = rest[: level.controls]
    return {
        "summary": replayed.summary(rows),
        "title": replayed.title(rows),
        "wide": control_lanes.draw(incident, shown, control_lanes.WIDE),
        "narrow": control_lanes.draw(incident, shown, control_lanes.NARROW),
        "legend": replayed.legend(shown),
        "columns": replayed.columns(rows),
        "shown": shown,
        "rest": listed,
        "omitted": len(rest) - len(listed),
        "assumptions": replayed.assumptions([*shown, *listed]),
        "commands": recommended.commands(incident),
        "commands_note": recommended.NOTE,
        "audit_command": "" if report.controls else recommended.audit_command(incident),
    }


def _audit(report: Report) -> dict[str, Any] | None:
    if not report.controls:
        return None
    return {"summary": audited.summary(report.controls), "legend": audited.LEGEND, "layers": audited.layers(report.controls)}


def _links(report: Report, chosen: set[int]) -> list[dict[str, Any]]:
    """List for each incident (text, anchor) of its cause's incident and of its consequences; no anchor without a section."""
    linked = causes.causes(report)
    anchors = [f"i{k + 1}" if k in chosen else "" for k in range(len(report.incidents))]
    links: list[dict[str, Any]] = [
        {"cause": incident.caused_by, "cause_anchor": anchors[linked[k]] if k in linked else "", "consequences": []}
        for k, incident in enumerate(report.incidents)
    ]
    for effect, cause in linked.items():
        links[cause]["consequences"].append((report.incidents[effect].unit, anchors[effect]))
    return links


def _overview(report: Report, chosen: set[int], level: Level) -> dict[str, Any]:
    where = wording.zone(report.timezone)
    stamp = wording.precise_enough(report.window.since, report.window.until)
    rows = []
    linked = causes.causes(report)
    for k, incident in enumerate(report.incidents[: level.overview]):
        rows.append(
            {
                "number": k + 1,
                "anchor": f"i{k + 1}" if k in chosen else "",
                "unit": one_line(summary.unit_name(incident.unit, incident.manager), 120),
                "host": one_line(incident.host, 80),
                "kind": wording.kind(incident.kind),
                "because_of": linked[k] + 1 if k in linked else 0,
                "start": stamp(incident.start, where),
                "failures": headline.failures(incident),
                "restarts": headline.restarts(incident),
                "downtime": headline.downtime(incident),
                "alert": wording.since_start(incident.detection.alert, incident.start),
                "noticed": headline.noticed(incident),
                "recovered": headline.recovered(incident),
            }
        )
    return {
        "rows": rows,
        "omitted": max(0, len(report.incidents) - level.overview),
        "summary": _times(report),
        "lanes": svg.lanes(charts.recovery_rows(report, _LANES)),
    }


def _times(report: Report) -> str:
    """Mean and median times over the incidents, where they are known."""
    times = report.detection_summary
    parts = [
        f"{name} {wording.duration(seconds)}"
        for name, seconds in (
            ("mean time to detect", times.mttd_s),
            ("median time to detect", times.median_ttd_s),
            ("mean time to recover", times.mttr_s),
        )
        if seconds is not None
    ]
    return f"Across {wording.plural(times.incidents, 'incident')}: {', '.join(parts)}." if parts else ""


def _limits(report: Report, level: Level) -> str:
    """Describe what this page omits; "" if it shows everything."""
    omitted = []
    if len(report.incidents) > level.incidents:
        have = "has" if level.incidents == 1 else "have"
        omitted.append(f"{wording.count(level.incidents)} of {wording.count(len(report.incidents))} incidents {have} a section")
    if level is not LEVELS[0]:
        omitted.append(
            f"quoted lines are cut after {wording.count(level.quote_bytes)} bytes, tables after {wording.count(level.rows)} rows"
        )
    return "; ".join(omitted)
