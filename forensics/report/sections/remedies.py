"""What to do about each class that has a remedy."""

from __future__ import annotations

from collections.abc import Sequence

from forensics import wording
from forensics.model.values import FailureClass, Incident, Report
from forensics.report import breakdown
from forensics.report.blocks import Remedy, Section
from forensics.report.room import Room
from forensics.sanitize import one_line


def section(report: Report, classes: Sequence[FailureClass], incident: Incident | None, room: Room, anchor: str) -> Section | None:
    """Show cause and remedy of the classes that the catalogue knows, most frequent first."""
    known = [row for row in classes[: room.classes] if row.remedy or row.cause]
    helped = breakdown.restart_helped(report)
    blocks = tuple(_remedy(row, helped(row, incident)) for row in known)
    return Section(anchor, "What to do, by class", blocks, brief="What to do") if blocks else None


def _remedy(row: FailureClass, measured: list[str]) -> Remedy:
    name = breakdown.counted((row,))[0]
    count = wording.plural(breakdown.number(row, name), name.removesuffix("s"))
    return Remedy(
        title=one_line(row.title, 300),
        aside=f"{count}; restart helps: {wording.helps(row.restart_helps, row.restart_helps_when)}",
        measured=f"A restart helped: {', '.join(measured)}." if measured else "",
        cause=wording.reflowed(row.cause),
        steps=wording.reflowed(row.remedy),
    )
