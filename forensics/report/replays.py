"""Render what controls would have done, incident by incident, for a terminal and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import replayed
from forensics.report.json_report import SCHEMA_VERSION, contract
from forensics.report.options import RenderOptions
from forensics.report.terminal import printed
from forensics.report.terminal_table import add_row, heading, new_table
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
    parts: list[RenderableType] = [] if options.redact else [Text(wording.NOT_REDACTED, style="bold red")]
    for incident in report.incidents:
        parts += _incident(report, incident)
    if not report.incidents:
        parts.append(Text("There is no incident in this window to replay controls on."))
    return printed(parts, options)


def _incident(report: Report, incident: Incident) -> list[RenderableType]:
    where = wording.zone(report.timezone)
    start = f"{wording.instant(incident.start, where)} {report.timezone}"
    rows = replayed.rows(incident)
    firing, silent = [row for row in rows if row.fires], [row for row in rows if not row.fires]
    assumptions = dict.fromkeys(text for row in rows for text in row.of.assumptions)
    return [
        heading(f"{incident.unit} on {incident.host}, from {start}"),
        Text(one_line(incident.verdict, 400)),
        Text(replayed.summary(rows)),
        *([_firing(firing)] if firing else []),
        *([heading("Would not have fired"), _silent(silent)] if silent else []),
        *([heading("Assumed"), *(Text(f"· {one_line(text, 300)}") for text in assumptions)] if assumptions else []),
    ]


def _firing(rows: Sequence[replayed.Row]) -> Table:
    """Tabulate the controls that fire; columns without any value are left out."""
    delivered = any(row.delivered != replayed.NOTHING for row in rows)
    limits = any(row.limits for row in rows)
    made = new_table(
        ("Control", "left"), ("First fires", "left"), *[("Delivered", "left")] * delivered, *[("Avoids", "right")] * limits,
        ("Restarts after", "right"), ("Outside of incidents", "left"),
    )  # fmt: skip
    for row in rows:
        name = Text(row.name)
        name.append(f"\n{row.kind} · {row.source}" + (f"\n{one_line(row.why, 200)}" if row.why else ""), style="dim")
        first = Text(f"{row.mark} {row.first}", style="green")
        first.append(f"\n  {row.timing}" if row.timing else "", style="dim")
        add_row(made, name, first, *[row.delivered] * delivered, *[row.avoided] * limits, row.after, row.noise)
    return made


def _silent(rows: Sequence[replayed.Row]) -> Table:
    made = new_table(("Control", "left"), ("", "left"), ("Why", "left"))
    for row in rows:
        name = Text(row.name)
        name.append(f"\n{row.kind} · {row.source}", style="dim")
        add_row(made, name, Text(f"{row.mark} {row.first}", style="bold red" if row.of.status in {"never", "dead"} else "dim"), row.why)
    return made


RENDERERS: dict[str, Callable[[Report, RenderOptions], str]] = {"term": as_text, "json": as_json}
