"""The list of a report's incidents alone: those that are ongoing first, under the numbers that the report has for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import commands, grouped, headline, summary, timeline
from forensics.report.blocks import Block, Cell, Column, Commands, Table, paragraph
from forensics.report.excerpts import as_json, rendered
from forensics.report.options import RenderOptions
from forensics.sanitize import one_line, sanitized

COLUMNS = (
    "number", "id", "host", "unit", "manager", "kind", "ongoing", "start", "end", "length_s", "downtime_s", "failures", "restarts",
    "signature", "title", "trigger", "caused_by", "alert", "noticed_s",
)  # fmt: skip
_SHOWN = (
    Column("#", "number"),
    Column("Unit"),
    Column("Kind"),
    Column("Start", "time"),
    Column("Length", "number"),
    Column("First alert", "time", short="Alert"),
)


def list_incidents(report: Report, format_: str, options: RenderOptions) -> str:
    """Render the list as term, md or json."""
    if format_ == "json":
        rows = rows_of(report, options)
        incidents = [{key: wording.rfc3339(value) if isinstance(value, datetime) else value for key, value in row.items()} for row in rows]
        return as_json({"redacted": options.redact, "incidents": incidents})
    report = sanitized(report, redact=options.redact)
    return rendered(report, tuple(_list(report)), _heading(report), format_, options)


def rows_of(report: Report, options: RenderOptions) -> list[dict[str, Any]]:
    """Return the list as rows of plain values."""
    report = sanitized(report, redact=options.redact)
    return [_plain_row(report, k) for k in _order(report)]


def _heading(report: Report) -> str:
    return "No incident" if not report.incidents else wording.plural(len(report.incidents), "incident")


def _order(report: Report) -> list[int]:
    return sorted(range(len(report.incidents)), key=lambda k: (not report.incidents[k].ongoing, k))


def _list(report: Report) -> Iterator[Block]:
    yield from paragraph(" · ".join(summary.scope(report)), "note")
    if not report.incidents:
        yield from paragraph(one_line(summary.verdict(report), 1000))
        return
    order = _order(report)
    yield Table("Incidents", _SHOWN, tuple(tuple(_row(report, k)) for k in order), named=1, tight=True)
    yield from paragraph(summary.isolated(report), "note")
    yield Commands(((commands.show(report, str(order[0] + 1)), f"incident {order[0] + 1} alone"),), title="Next", tight=True)


def _row(report: Report, k: int) -> Iterator[Cell]:
    incident = report.incidents[k]
    where, stamp = wording.zone(report.timezone), wording.precise_enough(report.window.since, report.window.until)
    cause = summary.caused_by(report, incident).removesuffix(".") or grouped.main_class(incident)
    host = one_line(incident.host, 80) if len(report.hosts) > 1 else ""
    alert = wording.since_start(incident.detection.alert, incident.start)
    yield Cell(str(k + 1))
    name = one_line(summary.unit_name(incident.unit, incident.manager), 120)
    yield Cell(name, "bad" if incident.ongoing else "strong", below=(" · ".join(filter(None, (host, cause))),))
    yield Cell(incident.kind.replace("-", " "))
    yield Cell(stamp(incident.start, where))
    yield Cell("ongoing" if incident.ongoing else wording.duration(_length_s(incident)), "bad" if incident.ongoing else "")
    yield Cell(alert, "bad" if alert == "never" else "")


def _length_s(incident: Incident) -> float | None:
    return None if incident.end is None else (incident.end - incident.start).total_seconds()


def _plain_row(report: Report, k: int) -> dict[str, Any]:
    incident = report.incidents[k]
    main = incident.classes[0] if incident.classes else None
    return {
        "number": k + 1,
        "id": incident.id,
        "host": incident.host,
        "unit": incident.unit,
        "manager": incident.manager,
        "kind": incident.kind,
        "ongoing": incident.ongoing,
        "start": incident.start,
        "end": incident.end,
        "length_s": _length_s(incident),
        "downtime_s": incident.downtime_s if headline.has_downtime(incident) else None,
        "failures": incident.failures,
        "restarts": incident.restarts,
        "signature": None if main is None else main.signature,
        "title": None if main is None else main.title,
        "trigger": incident.trigger_text if incident.trigger is not None else None,
        "caused_by": incident.caused_by,
        "alert": incident.detection.alert,
        "noticed_s": timeline.noticed_s(incident),
    }
