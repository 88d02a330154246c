"""The milestones of the detection gap."""

from __future__ import annotations

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import timeline
from forensics.report.blocks import Cell, Column, Detail, Section, Table
from forensics.report.evidence import Names
from forensics.sanitize import one_line

_COLUMNS = (
    Column("Milestone"),
    Column("Since first failure", "number", short="After"),
    Column("Time", "time"),
    Column("Evidence", least=Detail.TEXT),
)


def section(report: Report, incident: Incident, names: Names, anchor: str) -> Section:
    """Show what was detectable when, who noticed, what was tried, when it recovered."""
    where = wording.zone(report.timezone)
    rows = []
    for lane in timeline.lanes(incident):
        name = names.ref(lane.evidence)
        after = Cell("never", "bad") if lane.time is None else Cell(wording.since_start(lane.time, incident.start), sort=lane.after_s)
        time = Cell(lane.note) if lane.time is None else Cell(wording.instant(lane.time, where))
        rows.append((Cell(one_line(lane.label, 100), "strong"), after, time, Cell(name, to=name)))
    return Section(f"{anchor}-who", "Detection", (Table("Detection", _COLUMNS, tuple(rows)),), brief="Detection")
