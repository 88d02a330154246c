"""Show which hosts are missing, old or unreadable, and which reports contradict each other: the numbers may be too low."""

from __future__ import annotations

from collections.abc import Iterator

from forensics import wording
from forensics.model.fleet import FleetView
from forensics.report.blocks import Block, Cell, Column, Detail, Paragraph, Span, Table, paragraph
from forensics.report.sections.fleet_words import listed
from forensics.sanitize import one_line

_LONGEST = 300
_NAMED = 2  # in a sentence


def warning(view: FleetView) -> Iterator[Block]:
    """Warn in one sentence where the numbers are lower bounds."""
    doubts, age = view.doubts, wording.spoken_duration(view.doubts.old_s)
    counted = (
        (doubts.hosts_missing, "host sent no report", "hosts sent no report"),
        (tuple(file for file, _ in doubts.unread), "report could not be read", "reports could not be read"),
        (doubts.hosts_old, f"report is older than {age}", f"reports are older than {age}"),
        (doubts.hosts_incomplete, "report is of incomplete data", "reports are of incomplete data"),
    )
    missing = [f"{wording.plural(len(names), one, many)} ({listed(names, _NAMED)})" for names, one, many in counted if names]
    if doubts.are_lower_bounds:
        yield Paragraph((Span("The numbers are lower bounds: ", "bad"), Span(f"{', '.join(missing)}.")), "lead")
    if doubts.hosts_wrong_clock:
        number = wording.plural(len(doubts.hosts_wrong_clock), "host has", "hosts have")
        yield from paragraph(f"{number} a wrong clock and may be off in time: {listed(doubts.hosts_wrong_clock, _NAMED)}.", "note")


def blocks(view: FleetView, most: int) -> Iterator[Block]:
    """List the hosts behind each doubt, and the versions of the program that wrote the reports."""
    rows = tuple(_rows(view, most))
    versions = ", ".join(f"{one_line(version, 40) or 'unknown'} ({wording.count(number)})" for version, number in view.versions[:most])
    more = f" and {wording.plural(len(view.versions) - most, 'more version')}" if len(view.versions) > most else ""
    if versions:
        yield from paragraph(f"Versions of the program that wrote them, with the number of hosts: {versions}{more}.", "note")
    if rows:
        columns = (Column("Reports", "number"), Column("What"), Column("Which", "wide"))
        yield Table("Reports that need a look", columns, rows, named=1, sortable=False, least=Detail.TEXT)
    elif view.known:
        yield from paragraph(
            f"Every report is complete, at most {wording.spoken_duration(view.doubts.old_s)} old, and of a host of its own.", "note"
        )


def _rows(view: FleetView, most: int) -> Iterator[tuple[Cell, ...]]:
    doubts = view.doubts
    named = (
        ("sent no report", doubts.hosts_missing),
        (f"older than {wording.spoken_duration(doubts.old_s)}", doubts.hosts_old),
        ("incomplete data", doubts.hosts_incomplete),
        ("clock is wrong: made in the future, or before its window", doubts.hosts_wrong_clock),
        ("several reports of one host: the newest counts", doubts.hosts_twice),
        ("one name on several machines: counted as several hosts", doubts.hosts_one_name),
        ("one machine id under several names: counted as one host", doubts.hosts_one_machine),
    )
    for what, names in named:
        if names:
            yield Cell(wording.count(len(names))), Cell(what, "strong"), Cell(listed(names, most))
    if doubts.unread:
        files = [f"{one_line(file, 100)} {one_line(why, 160)}" for file, why in doubts.unread[:most]]
        more = len(doubts.unread) - len(files)
        text = "; ".join([*files, *([f"{wording.count(more)} more"] if more > 0 else [])])
        yield Cell(wording.count(len(doubts.unread))), Cell("not readable", "strong"), Cell(text)
    for note, number in doubts.notes[:most]:
        yield Cell(wording.count(number)), Cell("says of itself", "strong"), Cell(one_line(note, _LONGEST))
