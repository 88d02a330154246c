"""Phases of an incident: when each was, how long a cycle took, and the restarts of each class."""

from __future__ import annotations

from collections.abc import Iterator

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import charts, summary
from forensics.report.blocks import Block, Cell, Column, Detail, Drawing, Folded, Section, Table, paragraph
from forensics.report.charts import Histogram
from forensics.report.room import Room
from forensics.sanitize import one_line

CAPTION = (
    "A phase is a period with one mix of classes and one restart cadence. The cycle is the time from one start to the next; "
    "it shows how far a start gets."
)


def section(report: Report, incident: Incident, room: Room, anchor: str, drawn: Histogram | None) -> Section | None:
    """Show downtime and phases; one phase alone needs no table, as the classes say it all."""
    blocks = tuple(_blocks(report, incident, room, anchor, drawn))
    title = "Phases" if len(incident.phases) > 1 else "Downtime"
    return Section(f"{anchor}-phases", title, blocks, brief=title) if blocks else None


def _blocks(report: Report, incident: Incident, room: Room, anchor: str, drawn: Histogram | None) -> Iterator[Block]:
    text = " ".join(part for part in (summary.downtime(incident), summary.caveats(incident)) if part)
    yield from paragraph(text, "note")
    if summary.has_phases(incident) and len(incident.phases) > 1:
        yield _list(report, incident, room)
        yield _matrix(report, incident, room)
    if drawn is not None:
        if len(incident.phases) > 1 and room.all_figures:  # of one phase the bars above show as much
            yield Drawing("growth", f"{anchor}-cumulative", "Cumulative restarts", (incident, drawn))
        yield _numbers(report, drawn)


def _list(report: Report, incident: Incident, room: Room) -> Table:
    """One row per phase, where there is no room for one column per phase."""
    where, stamp = wording.zone(report.timezone), wording.precise_enough(incident.start, incident.end)
    titles = {row.signature: row.title for row in incident.classes}
    rows = tuple(
        (
            Cell(str(number)),
            Cell(stamp(phase.start, where)),
            Cell(stamp(phase.end, where)),
            Cell(wording.count(phase.restarts)),
            Cell(wording.duration(phase.cadence_s)),
            Cell(one_line(titles.get(phase.primary, phase.primary), 200)),
        )
        for number, phase in enumerate(incident.phases[: room.phases], 1)
    )
    columns = (
        Column("#", "number"),
        Column("From", "time"),
        Column("To", "time"),
        Column("Restarts", "number"),
        Column("Cycle", "number"),
        Column("Main class", "wide"),
    )
    return Table("Phases", columns, rows, more=_more(incident, room), most=Detail.TERMINAL)


def _more(incident: Incident, room: Room) -> tuple[int, str, str]:
    return max(0, len(incident.phases) - room.phases), "later phase", "later phases"


def _matrix(report: Report, incident: Incident, room: Room) -> Table:
    """One column per phase, one row per class."""
    where, stamp = wording.zone(report.timezone), wording.precise_enough(incident.start, incident.end)
    phases = incident.phases[: room.phases]
    titles, styles = {row.signature: row.title for row in incident.classes}, charts.styles(incident)
    names, counts = summary.phase_matrix(incident)
    rows = [
        (Cell("From"), *(Cell(stamp(phase.start, where)) for phase in phases), Cell("")),
        (Cell("To"), *(Cell(stamp(phase.end, where)) for phase in phases), Cell("")),
        (Cell("Cycle"), *(Cell(wording.duration(phase.cadence_s)) for phase in phases), Cell("")),
    ]
    for name, row in list(zip(names, counts, strict=True))[: room.classes]:
        numbers = (Cell(wording.count(number), "" if number else "dim") for number in row[: room.phases])
        title = Cell(one_line(titles.get(name, name), 200), "strong", swatch=styles.get(name))
        rows.append((title, *numbers, Cell(wording.count(sum(row)))))
    total = (Cell("Restarts"), *(Cell(wording.count(phase.restarts)) for phase in phases))
    return Table(
        "Restarts by class and phase",
        (Column("Class"), *(Column(f"Phase {n}", "number") for n in range(1, len(phases) + 1)), Column("All phases", "number")),
        tuple(rows),
        total=(*total, Cell(wording.count(sum(phase.restarts for phase in incident.phases)))),
        caption=CAPTION,
        more=_more(incident, room),
        cards=False,
        sortable=False,
        least=Detail.TEXT,
    )


def _numbers(report: Report, drawn: Histogram) -> Folded:
    """The numbers that the figures draw, for those who cannot see them."""
    where = wording.zone(report.timezone)
    rows = tuple(
        (
            Cell(wording.minute(start, where)),
            *(Cell(str(layer.counts[k])) for layer in drawn.layers),
            Cell(str(drawn.totals[k])),
            Cell(wording.count(drawn.cumulative[k])),
        )
        for k, start in enumerate(drawn.starts)
    )
    columns = (
        Column("From", "time"),
        *(Column(one_line(layer.name, 60), "number") for layer in drawn.layers),
        Column("All", "number"),
        Column("Cumulative", "number"),
    )
    table = Table(f"Restarts per {drawn.per}", columns, rows, cards=False, sortable=False, least=Detail.PAGE)
    return Folded(f"The numbers behind the figures (restarts per {drawn.per})", (table,), printed=False)
