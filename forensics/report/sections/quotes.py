"""The evidence that a report refers to, quoted with its place in the journal."""

from __future__ import annotations

from forensics import wording
from forensics.model.values import Evidence, Report
from forensics.report import summary
from forensics.report.blocks import Detail, Quote, Quotes, Section
from forensics.report.evidence import Names
from forensics.report.room import Room
from forensics.sanitize import cut, one_line


def section(report: Report, names: Names, room: Room, anchor: str, title: str = "Evidence") -> Section | None:
    """Quote what the sections before refer to; nothing where they refer to nothing."""
    quoted = tuple(_quote(report, name, evidence, room, k) for k, (name, evidence) in enumerate(names.referred()))
    return Section(anchor, title, (Quotes(quoted),), brief="Evidence", least=Detail.TEXT) if quoted else None


def _quote(report: Report, name: str, evidence: Evidence, room: Room, number: int) -> Quote:
    text = cut(evidence.message, room.quote_bytes) if number < room.quotes else ""
    time = wording.instant(evidence.time, wording.zone(report.timezone))
    return Quote(name, time, one_line(summary.location(evidence.file, evidence.offset), 300), text, evidence)
