"""The audit of controls in four layers."""

from __future__ import annotations

from forensics.model.controls import EFFECTIVE, UNKNOWN
from forensics.model.values import Report
from forensics.report import audited
from forensics.report.blocks import Block, Cell, Column, Section, Style, Table, paragraph

_COLUMNS = (Column("Control"), Column("Status"), Column("Where the chain breaks", "wide"), Column("Remedy", "wide"))
_STYLES: dict[str, Style] = {EFFECTIVE: "good", UNKNOWN: "dim"}


def section(report: Report) -> Section | None:
    """Show each audited control with the link of it that is broken; nothing where none was made."""
    if not report.controls:
        return None
    rows: list[tuple[Cell, ...]] = []
    groups = []
    for layer, of_layer in audited.layers(report.controls):
        groups.append((len(rows), layer))
        rows += [
            (
                Cell(row.name, "strong"),
                Cell(row.status, _STYLES.get(row.status, "bad"), mark=(row.status, row.mark)),
                Cell(row.where),
                Cell(row.remedy),
            )
            for row in of_layer
        ]
    table = Table("Audit of controls", _COLUMNS, tuple(rows), groups=tuple(groups))
    blocks: tuple[Block, ...] = (*paragraph(audited.summary(report.controls), "lead"), table, *paragraph(audited.LEGEND, "note"))
    return Section("audit", "Audit of controls in four layers", blocks, brief="Audit")
