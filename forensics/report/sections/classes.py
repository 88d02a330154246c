"""The table of failure classes: of one incident, or of the whole window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from forensics import wording
from forensics.model.values import FailureClass, Incident, IsolatedFailures, Report
from forensics.report import breakdown, charts, summary
from forensics.report.blocks import Block, Bullets, Cell, Column, Detail, Paragraph, Section, Span, Style, Table, plain, reference
from forensics.report.evidence import Names
from forensics.report.room import Room
from forensics.sanitize import one_line

_HELPS: dict[bool | None, Style] = {True: "good", False: "bad", None: "dim"}
_LONGEST_TITLE, _LONGEST_ID = 300, 200


def of_incident(report: Report, incident: Incident, names: Names, room: Room, anchor: str) -> Section:
    """Show what failed in an incident, and what was logged beside it."""
    table = _table(report, incident.classes, room, incident, names)
    return Section(f"{anchor}-breakdown", "What failed", (table, *_beside(incident, names, room)), brief="What failed")


def of_window(report: Report, room: Room) -> Section:
    return Section("classes", "Failure classes over the whole window", (_table(report, report.classes, room, None, None),), brief="Classes")


def named(row: FailureClass | IsolatedFailures, swatch: int | None = None) -> Cell:
    """Name a class by its title, with its id below."""
    return Cell(one_line(row.title, _LONGEST_TITLE), "strong", id=one_line(row.signature, _LONGEST_ID), swatch=swatch)


def _table(report: Report, classes: Sequence[FailureClass], room: Room, incident: Incident | None, names: Names | None) -> Table:
    window = {} if incident is None else breakdown.over_the_window(report, incident)
    span = (report.window.since, report.window.until) if incident is None else (incident.start, incident.end)
    stamp, where = wording.precise_enough(*span), wording.zone(report.timezone)
    counted = breakdown.counted(classes)
    secondary = any(row.secondary for row in classes)
    helped = breakdown.restart_helped(report, here="here")
    styles = charts.styles(incident) if incident is not None and any(bin_.restarts for bin_ in incident.bins) else {}

    def cells(row: FailureClass) -> Iterator[Cell]:
        yield named(row, styles.get(row.signature))
        yield from (Cell(wording.count(breakdown.number(row, name))) for name in counted)
        yield Cell(wording.share(row.share), sort=round(row.share, 6))
        if window:
            yield Cell(wording.count(window.get(row.signature, breakdown.number(row, counted[-1]))))
        yield Cell(stamp(row.first, where))
        yield Cell(stamp(row.last, where))
        yield Cell(wording.duration(row.cycle_s), sort=row.cycle_s)
        yield _helps(row, incident, helped(row, incident))
        if secondary:
            yield Cell(wording.count(row.secondary) if row.secondary else "–")
        if names is not None:
            name = names.ref(row.sample)
            yield Cell(name, to=name)

    return Table(
        name="Failure classes",
        columns=tuple(_columns(counted, breakdown.share_heading(classes), window, secondary=secondary, quoted=names is not None)),
        rows=tuple(tuple(cells(row)) for row in classes[: room.classes]),
        total=_total(classes, counted),
        caption=breakdown.caption(classes),
        more=(max(0, len(classes) - room.classes), "smaller class", "smaller classes"),
    )


def _columns(counted: Sequence[str], share: str, window: Mapping[str, int], *, secondary: bool, quoted: bool) -> Iterator[Column]:
    yield Column("Class")
    yield from (Column(name.capitalize(), "number") for name in counted)
    yield Column(share, "number", short=share.replace("of ", "of\n"))
    if window:
        yield Column("In the window", "number", short="In window")
    yield Column("First", "time", Detail.TEXT)
    yield Column("Last", "time", Detail.TEXT)
    yield Column("Cycle", "number")
    yield Column("Does a restart help?", short="Restart helps")
    if secondary:
        yield Column("Also seen in", "number", Detail.TEXT)
    if quoted:
        yield Column("Sample", least=Detail.TEXT)


def _helps(row: FailureClass, incident: Incident | None, measured: list[str]) -> Cell:
    """Give the catalogue's opinion, and below it what restarts did; one that cured nothing is not called good."""
    denied = row.restart_helps and breakdown.is_uncured(row)
    return Cell(breakdown.helps(row, incident), "dim" if denied else _HELPS[row.restart_helps], below=tuple(measured))


def _total(classes: Sequence[FailureClass], counted: Sequence[str]) -> tuple[Cell, ...]:
    sums = (sum(breakdown.number(row, name) for row in classes) for name in counted)
    return (Cell("All"), *(Cell(wording.count(number)) for number in sums), Cell(wording.share(sum(row.share for row in classes))))


def _beside(incident: Incident, names: Names, room: Room) -> Iterator[Block]:
    """List the known problems that were logged but caused no exit."""
    rows = incident.beside[: room.classes]
    if not rows:
        return
    yield Paragraph(plain(summary.CO_OCCURRING))
    items = []
    for row in rows:
        text = f"{one_line(row.title, _LONGEST_TITLE)} ({one_line(row.signature, _LONGEST_ID)}), "
        items.append((Span(f"{text}in {wording.plural(row.secondary, 'failed start')}"), *reference(names.ref(row.sample))))
    yield Bullets(tuple(items))
