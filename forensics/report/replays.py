"""Render what controls would have done, incident by incident, for a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import replayed, terminal
from forensics.report.blocks import Block, Bullets, Cell, Column, Section, Style, Table, paragraph, plain
from forensics.report.json_report import SCHEMA_VERSION, contract
from forensics.report.options import RenderOptions
from forensics.sanitize import one_line, sanitized

KEYS = ("id", "unit", "manager", "host", "machine", "kind", "ongoing", "start", "end", "failures", "restarts", "verdict", "replay")


def as_json(report: Report, options: RenderOptions) -> str:
    """Write of each incident what it is, and the controls as in the report's JSON."""
    whole = contract(sanitized(report, redact=options.redact), redacted=options.redact)
    page: dict[str, Any] = {name: whole[name] for name in ("program", "generated", "redacted", "host", "timezone", "window", "notes")}
    incidents = [{name: incident[name] for name in KEYS} for incident in whole["incidents"]]
    return json.dumps({"schema_version": SCHEMA_VERSION, **page, "incidents": incidents}, indent=2, ensure_ascii=False) + "\n"


def as_text(report: Report, options: RenderOptions) -> str:
    report = sanitized(report, redact=options.redact)
    blocks: list[Block] = [] if options.redact else [*paragraph(wording.NOT_REDACTED)]
    for incident in report.incidents:
        blocks += _incident(report, incident)
    if not report.incidents:
        blocks += paragraph("There is no incident in this window to replay controls on.")
    return terminal.printed(terminal.rendered(blocks), options)


def _incident(report: Report, incident: Incident) -> Iterator[Section]:
    where = wording.zone(report.timezone)
    start = f"{wording.instant(incident.start, where)} {report.timezone}"
    rows = replayed.rows(incident)
    firing, silent = [row for row in rows if row.fires], [row for row in rows if not row.fires]
    summed = (*paragraph(one_line(incident.verdict, 400)), *paragraph(replayed.summary(rows)))
    yield Section("", f"{incident.unit} on {incident.host}, from {start}", (*summed, *([_firing(firing)] if firing else [])))
    if silent:
        yield Section("", "Would not have fired", (_silent(silent),))
    if assumptions := dict.fromkeys(text for row in rows for text in row.of.assumptions):
        yield Section("", "Assumed", (Bullets(tuple(plain(f"· {one_line(text, 300)}") for text in assumptions)),))


def _firing(rows: Sequence[replayed.Row]) -> Table:
    """Tabulate the controls that fire; columns without any value are left out."""
    delivered = [Column("Delivered")] if any(row.delivered != replayed.NOTHING for row in rows) else []
    avoided = [Column("Avoids", "number")] if any(row.limits for row in rows) else []
    after = Column("Restarts after", "number")
    made = []
    for row in rows:
        optional = (*([Cell(row.delivered)] if delivered else ()), *([Cell(row.avoided)] if avoided else ()))
        made.append((_control(row, one_line(row.why, 200)), _first(row), *optional, Cell(row.after), Cell(row.noise)))
    columns = (Column("Control"), Column("First fires"), *delivered, *avoided, after, Column("Outside of incidents"))
    return Table("Controls that would have fired", columns, tuple(made))


def _silent(rows: Sequence[replayed.Row]) -> Table:
    columns = (Column("Control"), Column(""), Column("Why", "wide"))
    return Table("Controls that would not have fired", columns, tuple((_control(row), _first(row), Cell(row.why)) for row in rows))


def _control(row: replayed.Row, *more: str) -> Cell:
    return Cell(row.name, below=(f"{row.kind} · {row.source}", *(line for line in more if line)))


def _first(row: replayed.Row) -> Cell:
    style: Style = "good" if row.fires else "bad" if row.of.status in {"never", "dead"} else "dim"
    return Cell(row.first, style, below=(row.timing,) if row.timing else (), mark=(row.of.status, row.mark))


RENDERERS: dict[str, Callable[[Report, RenderOptions], str]] = {"term": as_text, "json": as_json}
