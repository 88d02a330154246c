"""Changes, fix attempts, detection and recovery in order of time."""

from __future__ import annotations

from collections.abc import Iterator

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import summary, timeline
from forensics.report.blocks import Block, Cell, Column, Detail, Section, Table, paragraph
from forensics.report.evidence import Names
from forensics.report.room import Room
from forensics.sanitize import one_line

_COLUMNS = (
    Column("Kind", icon=True),
    Column("Time", "time"),
    Column("Since first failure", "number", short="After"),
    Column("What", "wide"),
    Column("Outcome"),
    Column("Evidence", least=Detail.TEXT),
)


def section(report: Report, incident: Incident, names: Names, room: Room, anchor: str) -> Section:
    """Show what was changed before and during an incident, and what came of it."""
    return Section(
        f"{anchor}-timeline", "Changes and fix attempts", tuple(_blocks(report, incident, names, room)), brief="Changes and fixes"
    )


def _blocks(report: Report, incident: Incident, names: Names, room: Room) -> Iterator[Block]:
    yield from paragraph(one_line(summary.trigger(incident), 500))
    steps = timeline.steps(incident)
    listed = timeline.marks(incident, room.rows) if room.detail is Detail.TERMINAL else steps[: room.rows]
    if not listed:
        yield from paragraph("No change, fix attempt or recovery is on record.", "note")
        return
    where = wording.zone(report.timezone)
    rows = []
    for step in listed:
        name = names.ref(step.evidence)
        rows.append(
            (
                Cell(timeline.GLYPH_NAMES[step.mark], mark=(step.mark, timeline.GLYPHS[step.mark])),
                Cell(wording.instant(step.time, where)),
                Cell(wording.since_start(step.time, incident.start), sort=round((step.time - incident.start).total_seconds(), 3)),
                Cell(one_line(step.what, 400)),
                Cell(one_line(step.detail, 200)),
                Cell(name, to=name),
            )
        )
    more = (len(steps) - len(listed), "step (a login, a command)", "steps (logins, commands)")
    yield Table("Changes, fix attempts and recovery in order of time", _COLUMNS, tuple(rows), more=more, named=3)
