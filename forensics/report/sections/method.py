"""What the numbers rest on, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

from forensics import wording
from forensics.model.values import Report
from forensics.report import summary
from forensics.report.blocks import Block, Bullets, Cell, Column, Detail, Section, Table, paragraph, plain
from forensics.report.room import Room
from forensics.sanitize import one_line

_COLUMNS = (Column("Check"), Column("Expected", "number"), Column("Found", "number"), Column("Passed"))


def section(report: Report, room: Room, shortened: str, *, redacted: bool) -> Section:
    """Show the sums, the checks, gaps and damage, and what this format leaves out."""
    return Section("method", "Method and limits", tuple(_blocks(report, room, shortened, redacted=redacted)), brief="Method and limits")


def _blocks(report: Report, room: Room, shortened: str, *, redacted: bool) -> Iterator[Block]:
    yield Bullets(tuple(plain(one_line(line, 1000)) for line in summary.limits(report, room.rows)))
    if report.ledger:
        rows = tuple(
            (
                Cell(one_line(check.name, 200), "strong"),
                Cell(wording.count(check.expected)),
                Cell(wording.count(check.got)),
                Cell("yes", "good") if check.holds else Cell("no", "bad"),
            )
            for check in report.ledger[: room.rows]
        )
        yield Table("Consistency checks", _COLUMNS, rows, caption="Consistency checks", least=Detail.PAGE)
    if shortened:
        yield from paragraph(f"Shortened: {shortened}. --format json has everything.", "note", Detail.PAGE)
    hidden = "replaced by numbered pseudonyms" if redacted else "NOT hidden (--no-redact)"
    yield from paragraph(f"Control characters are removed from quoted log lines; secrets are {hidden}.", "note", Detail.PAGE)
