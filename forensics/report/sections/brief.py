"""The report in brief, of what the other sections show: what failed, when, why, what would have caught it, what to do, what to ask next."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from forensics import wording
from forensics.model.values import FailureClass, Incident, Report
from forensics.report import breakdown, chain, charts, commands, grouped, headline, recommended, replayed, summary
from forensics.report.blocks import (
    Block,
    Cell,
    Chain,
    Column,
    Commands,
    Detail,
    Drawing,
    Figure,
    Figures,
    Link,
    Remedy,
    Section,
    Table,
    paragraph,
)
from forensics.report.evidence import of_incident
from forensics.report.room import Room
from forensics.report.sections import classes, compare, remedies
from forensics.sanitize import brief, one_line

_MOST_FIGURES, _MOST_STEPS = 4, 5
_LONGEST_LINK = 110  # characters of a link of the chain: two lines at 80 columns
_FOLDERS = re.compile(r"(?<![\w.])(?:/[\w.@+-]{1,100}){2,12}(?=/[\w.@+-])")  # of a path, all but its last part
_CLOCK = re.compile(r"^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.,]{0,10}Z?\]?\s{1,4}")
_WHO = re.compile(r"(?<=[:;] )(?:\d{1,9} earlier actions?; )?\w{1,64} ran ")
_NEARLY_ALL = 0.9
_LONGEST_CAUSE = 160  # of the one cause behind several classes: its end is at its end
_ENDS = {"Cause", "Trigger", "Likely trigger", "One cause", "End"}
_INDEX = (
    Column("#", "number"),
    Column("Unit"),
    Column("Start", "time"),
    Column("Failures", "number"),
    Column("Downtime", "number"),
)


def blocks(report: Report, room: Room) -> Iterator[Block]:
    """Yield the report in brief: of one incident what it was, of several their index."""
    alone = report.incidents[0] if len(report.incidents) == 1 else None
    rows = report.classes if alone is None else alone.classes
    if (section := compare.in_brief(report)) is not None:
        yield section
    if alone is not None:
        yield from _incident(report, alone, room)
    else:
        yield from _index(report, room)
    if rows:
        isolated = paragraph(summary.isolated(report) if report.incidents else "", "note")
        yield Section("classes", "What failed", (_classes(rows, room), *isolated))
    if alone is not None:
        yield Section("chain", "Why it began, what ended it", (Chain(tuple(_links(report, alone))),))
    yield from _remedy(report, rows, alone, room)
    yield Commands(tuple(_next(report)), title="Next", tight=True)


def _incident(report: Report, incident: Incident, room: Room) -> Iterator[Block]:
    yield from paragraph(summary.gate(incident))
    yield Figures(tuple(_figures(report, incident))[:_MOST_FIGURES])
    drawn = charts.histogram(incident, room.bins)
    if drawn is not None:
        title = f"Restarts, at most {wording.count(max(drawn.totals))} per {drawn.per}"
        yield Drawing("bars", "restarts", title, (incident, drawn), least=Detail.TERMINAL)


def _figures(report: Report, incident: Incident) -> Iterator[Figure]:
    """Yield the headline figures; one that repeats the figure of another is left out."""
    values = set()
    for one in headline.figures(report, incident):
        if one.value not in values:
            yield Figure(one.value, one.label, "")
        values.add(one.value)


def _index(report: Report, room: Room) -> Iterator[Section]:
    """Yield the index of the incidents, those that go on first, each with its main class."""
    if not report.incidents:
        return
    rows: list[tuple[Cell, ...]] = []
    heads: list[tuple[int, str]] = []
    for group in grouped.groups(report):
        members = group.members[: max(0, room.overview - len(rows))]
        if members and group.heading:
            heads.append((len(rows), group.heading))
        rows += [_row(report, k, known=group.by == "moment") for k in members]
    more = (len(report.incidents) - len(rows), "more incident", "more incidents")
    table = Table("Incidents", _INDEX, tuple(rows), more=more, groups=tuple(heads), named=1, tight=True)
    yield Section("incidents", "Incidents", (table,))


def _row(report: Report, k: int, *, known: bool) -> tuple[Cell, ...]:
    """Make the row of one incident. known: its main class is in the heading of its group."""
    incident = report.incidents[k]
    where, stamp = wording.zone(report.timezone), wording.precise_enough(report.window.since, report.window.until)
    name = one_line(summary.unit_name(incident.unit, incident.manager), 120)
    return (
        Cell(str(k + 1)),
        Cell(name, "bad" if incident.ongoing else "strong", below=() if known and not incident.ongoing else (_cause(report, incident),)),
        Cell(stamp(incident.start, where)),
        Cell(headline.failures(incident)),
        Cell(headline.downtime(incident)),
    )


def _cause(report: Report, incident: Incident) -> str:
    """Name the cause of an incident, and whether it goes on."""
    cause = summary.caused_by(report, incident).removesuffix(".") or grouped.main_class(incident) or wording.kind(incident.kind)
    return f"ongoing: {cause}" if incident.ongoing else cause


def _classes(rows: Sequence[FailureClass], room: Room) -> Table:
    """One row a class, with the line that decides below it; failures have no column where nearly each was followed by a restart."""
    counted = breakdown.counted(rows)
    counted = counted[-1:] if all(row.restarts >= _NEARLY_ALL * row.failures for row in rows) else counted
    columns = (*(Column(name.capitalize(), "number") for name in counted), Column("Share", "number"), Column("Class"))
    made = []
    for row in rows[: room.classes]:
        below = (_FOLDERS.sub("…", _CLOCK.sub("", one_line(row.sample.message))),) if row.sample is not None else ()
        named = classes.named(row)
        counts = (Cell(wording.count(breakdown.number(row, name))) for name in counted)
        made.append((*counts, Cell(wording.share(row.share)), Cell(named.text, named.style, below=below, id=named.id)))
    more = (max(0, len(rows) - room.classes), "smaller class", "smaller classes")
    return Table("What failed", columns, tuple(made), more=more, named=len(columns) - 1, tight=True)


def _links(report: Report, incident: Incident) -> Iterator[Link]:
    """Yield trigger, cause and end of the chain of causes, and the first control that would have acted."""
    for link in chain.chain(report, incident):
        if link.role in _ENDS:
            inferred = f" ({link.basis})" if link.basis == chain.INFERRED else ""
            yield Link(link.role, f"{_cut(link.text, _LONGEST_CAUSE if link.role == 'One cause' else _LONGEST_LINK)}{inferred}", "")
    if rows := replayed.rows(incident):
        first = replayed.first(rows)
        yield Link("First control", "none of those replayed would have acted" if first is None else _acts(first), "")


def _cut(text: str, longest: int) -> str:
    """Leave out who acted, and cut a text between two of its words."""
    whole = _WHO.sub("", one_line(text))
    return whole if len(whole) <= longest else f"{whole[:longest].rpartition(' ')[0].rstrip(',;:')} …"


def _acts(row: replayed.Row) -> str:
    avoids = f", {row.avoided} restarts avoided" if row.avoided != replayed.NOTHING else ""
    return f"{brief(row.name, _LONGEST_LINK - 40)} would have acted at {row.first}{avoids}"


def _remedy(report: Report, rows: Sequence[FailureClass], incident: Incident | None, room: Room) -> Iterator[Block]:
    """Yield what to do about the largest class that has a remedy."""
    known = [row for row in rows if row.remedy][:1]
    if section := remedies.section(report, known, incident, room, "remedy"):
        shorter = (replace(block, measured="", lines=_MOST_STEPS) for block in section.blocks if isinstance(block, Remedy))
        yield replace(section, title="What to do first", blocks=tuple(shorter))


def _next(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the commands that lead on, with the options by which this report was asked for."""
    program, again = recommended.PROGRAM, f" {report.asked.options}" if report.asked.options else ""
    if len(report.incidents) > 1:
        first = next((k for k, incident in enumerate(report.incidents, 1) if incident.ongoing), 1)
        yield commands.show(report, str(first)), f"incident {first}"
    elif report.incidents and (name := _first_evidence(report)):
        yield commands.show(report, name), "the first line quoted, in context"
    yield f"{program} report --full{again}", "everything, in the terminal"
    yield f"{program} report -o {'incident' if report.incidents else 'report'}.html{again}", "a page with figures, to pass on"
    for incident in report.incidents[:1]:
        command, text = recommended.commands(incident)[0]
        yield f"{command}{again}", text


def _first_evidence(report: Report) -> str:
    """Name the line that decides in the largest class, as every format and `show` do."""
    rows = report.incidents[0].classes
    return of_incident(report, 0).ref(rows[0].sample) if rows else ""
