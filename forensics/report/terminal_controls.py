"""Render the chain of causes, the replayed controls and the audit for a terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forensics.model.values import Incident, Report
from forensics.report import audited, chain, recommended, replayed
from forensics.report.terminal_table import add_row, heading, new_table, with_rest
from forensics.sanitize import brief

MOST_CONTROLS = 8
_STYLES = {"fires": "green", "never": "bold red", "dead": "bold red", "effective": "green", "unknown": "dim"}


def causes(report: Report, incident: Incident) -> RenderableType:
    """Render the chain of causes and the contributing factors, one line per link."""
    factors = chain.factors(incident)
    contributing: list[RenderableType] = [Text("Contributing factors", style="bold"), _links(factors)] if factors else []
    return Group(_links(chain.chain(report, incident)), *contributing)


def _links(links: list[chain.Link]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", max_width=26)
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for link in links:
        add_row(grid, f"{link.role}", link.basis, brief(link.text, 400))
    return grid


def controls(report: Report, incident: Incident) -> list[RenderableType]:
    """Render the controls that would have fired, and the commands that write them; nothing without a replay."""
    rows = replayed.rows(incident)
    if not rows:
        return []
    audit = (
        []
        if report.controls
        else [Text("Which of your controls would really act?", style="bold"), _indented(recommended.audit_command(incident))]
    )
    commands = [_indented(f"{command}\n  {text}") for command, text in recommended.commands(incident)]
    return [
        heading("Controls"),
        Text(replayed.summary(rows)),
        _table(rows),
        Text("\nRecommended", style="bold"),
        *commands,
        *audit,
        Text(recommended.NOTE, style="dim"),
    ]


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 2))


def _table(rows: list[replayed.Row]) -> RenderableType:
    shown = replayed.chosen(rows, MOST_CONTROLS)
    avoided = "avoided" in replayed.columns(shown)
    right = [("Avoids", "right")] if avoided else []
    made = new_table(("Control", "left"), ("First fires", "left"), *right, ("Outside of incidents", "left"))
    for row in shown:
        name = Text(row.name)
        name.append(f"\n{row.kind} · {row.source}" if row.fires else f"\n{brief(row.why, 200)}", style="dim")
        first = Text(f"{row.mark} {row.first}", style=_STYLES.get(row.of.status, "dim"))
        first.append(f"\n  {row.timing}" if row.timing else "", style="dim")
        add_row(made, name, first, *[row.avoided] * avoided, row.noise)
    return with_rest(made, len(rows) - len(shown), "controls: --format html, or tabby-forensics replay")


def audit(report: Report) -> list[RenderableType]:
    """Render the audit layer by layer; nothing where none was made."""
    if not report.controls:
        return []
    made = new_table(("Control", "left"), ("Status", "left"), ("Where the chain breaks", "left"), ("Remedy", "left"))
    for layer, rows in audited.layers(report.controls):
        add_row(made, Text(layer, style="bold"), "", "", "")
        for row in rows:
            status = Text(f"{row.mark} {row.status}", style=_STYLES.get(row.status, "bold red"))
            add_row(made, f"  {row.name}", status, brief(row.where, 200), brief(row.remedy, 200))
    return [heading("Audit of controls in four layers"), Text(audited.summary(report.controls)), made]
