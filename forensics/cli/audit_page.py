"""Write an audit for a terminal, in four layers, as JSON and as a table."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl
import typer

from forensics.cli.csv_table import as_csv as table_as_csv
from forensics.model.controls import Control
from forensics.report import audited
from forensics.report.json_report import control_keys
from forensics.wording import instant, plural

if TYPE_CHECKING:
    from forensics.audit.inventory.subject import Subject

COLORS = {"effective": typer.colors.GREEN, "unknown": typer.colors.YELLOW}
INDENT = 16
COLUMNS = {"layer": pl.Int64, "id": pl.String, "control": pl.String, "status": pl.String, "link": pl.String, "evidence": pl.String,
           "remedy": pl.String}  # fmt: skip


def as_json(subject: Subject, controls: Sequence[Control]) -> str:
    """Write the keys of the report's `controls`, and what was audited."""
    about = {
        "unit": subject.unit,
        "manager": subject.manager,
        "host": subject.host,
        "incident": subject.incident,
        "restarts": subject.restarts,
        "failures": subject.failures,
    }
    page = {"schema_version": 1, "subject": about, "controls": [control_keys(control) for control in controls]}
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def as_csv(controls: Sequence[Control]) -> str:
    """Write a row per control, with the first link that is broken."""
    rows = [
        {
            "layer": control.layer,
            "id": control.id,
            "control": control.control,
            "status": control.status,
            "link": row.broken,
            "evidence": row.evidence,
            "remedy": control.remedy,
        }
        for control in controls
        for _, (row,) in audited.layers((control,))
    ]
    return table_as_csv(COLUMNS, rows)


def as_text(subject: Subject, controls: Sequence[Control], width: int, *, color: bool) -> str:
    return "\n".join([*_head(subject), audited.summary(controls), *_layers(controls, max(width, 60), color)]) + "\n"


def _head(subject: Subject) -> Iterator[str]:
    """Name what is audited, and why this."""
    where = f" on {subject.host}" if subject.host else ""
    yield f"Audit of {subject.unit}{where}: {subject.reason}."
    if subject.start is not None:
        lasted = f"{instant(subject.start)} – {'now' if subject.end is None else instant(subject.end)} UTC"
        yield f"Against its incident {subject.incident}: {subject.kind}, {lasted}, {plural(subject.restarts, 'restart')}."
    if subject.others:
        yield f"Other units with incidents: {', '.join(subject.others[:5])}. Audit one with --unit."


def _layers(controls: Sequence[Control], width: int, color: bool) -> Iterator[str]:
    for layer, rows in audited.layers(controls):
        yield ""
        yield typer.style(layer, bold=True) if color else layer
        for row in rows:
            status = f"{row.mark} {row.status}".ljust(INDENT - 2)
            yield f"  {typer.style(status, COLORS.get(row.status, typer.colors.RED)) if color else status}{row.name}"
            yield from _wrapped(row.where, width, "")
            yield from _wrapped(row.remedy, width, "→ ")


def _wrapped(text: str, width: int, mark: str) -> list[str]:
    indent = " " * INDENT
    return textwrap.wrap(text, width, initial_indent=indent + mark, subsequent_indent=indent + " " * len(mark), break_on_hyphens=False)
