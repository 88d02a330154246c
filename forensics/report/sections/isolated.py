"""Failures that are part of no incident."""

from __future__ import annotations

from forensics import wording
from forensics.model.values import Report
from forensics.report import summary
from forensics.report.blocks import Cell, Column, Detail, Section, Table, paragraph
from forensics.report.evidence import Names
from forensics.report.room import Room
from forensics.report.sections.classes import named
from forensics.sanitize import one_line


def section(report: Report, names: Names, room: Room) -> Section | None:
    """Show failures outside of incidents by unit and class; nothing where there are none."""
    if not report.isolated:
        return None
    where, stamp = wording.zone(report.timezone), wording.precise_enough(report.window.since, report.window.until)
    restarted = any(row.restarts for row in report.isolated)
    several_hosts = len(report.hosts) > 1
    rows = []
    for row in report.isolated[: room.rows]:
        name = names.ref(row.sample)
        host = (one_line(row.host, 80),) if several_hosts else ()
        restarts = (Cell(wording.count(row.restarts)),) if restarted else ()
        rows.append(
            (
                Cell(one_line(summary.unit_name(row.unit, row.manager), 200), "strong", below=host),
                named(row),
                Cell(wording.count(row.failures)),
                *restarts,
                Cell(stamp(row.first, where)),
                Cell(stamp(row.last, where)),
                Cell(name, to=name),
            )
        )
    columns = (
        Column("Unit"),
        Column("Class", "wide"),
        Column("Failures", "number"),
        *((Column("Restarts", "number"),) if restarted else ()),
        Column("First", "time", Detail.TEXT),
        Column("Last", "time"),
        Column("Sample", least=Detail.TEXT),
    )
    table = Table("Isolated failures", columns, tuple(rows), more=(len(report.isolated) - len(rows), "more row", "more rows"))
    return Section("isolated", "Isolated failures", (*paragraph(summary.isolated(report)), table), brief="Isolated failures")
