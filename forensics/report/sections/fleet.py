"""Lay out a page over many hosts: the headline, what makes its numbers uncertain, classes, when hosts failed, and the hosts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from forensics import wording
from forensics.model.fleet import FleetClass, FleetView
from forensics.report.blocks import (
    Block,
    Bullets,
    Cell,
    Column,
    Commands,
    Detail,
    Drawing,
    Figure,
    Figures,
    Section,
    Table,
    paragraph,
    plain,
)
from forensics.report.recommended import PROGRAM
from forensics.report.room import Room
from forensics.report.sections import fleet_doubts, fleet_hosts
from forensics.report.sections.fleet_words import change_kind, hours, listed
from forensics.sanitize import brief, one_line

_LONGEST_ID, _LONGEST_TITLE, _LONGEST_SUMMARY = 60, 200, 120
_CLASS = Column("Class")
_CLASS_COLUMNS = (
    Column("Hosts", "number"),
    Column("Still down", "number", short="Down"),
    Column("Host-hours", "number", short="Hours"),
    Column("Failures", "number", Detail.TEXT),
    Column("Restarts", "number"),
    _CLASS,
    Column("First", "time", Detail.TEXT),
    Column("On all within", "number", Detail.TEXT),
    Column("Shared change", "wide", Detail.TEXT),
)


@dataclass(frozen=True, slots=True)
class FleetRoom:
    """The most of everything on a page over many hosts. sentences: classes that are described; names: characters of hosts' names."""

    of: Room
    classes: int
    sentences: int
    groups: int
    hosts: int
    names: int
    doubts: int
    heat: bool = True


def headline(view: FleetView) -> str:
    """Sum up in one sentence: what cost most, on how many hosts, after which change."""
    if not view.known:
        return "No host's report could be read."
    if not view.failed:
        return f"Nothing failed on {wording.plural(view.known, 'host')}."
    if not view.classes:
        return f"{wording.count(view.failed)} of {wording.plural(view.known, 'host')} had failures."
    main = view.classes[0]
    change = main.change
    after = "" if change is None else f" after the same {change_kind(change.kind, change.summary)}"
    some = f" on {wording.count(change.sharing)}" if change is not None and change.sharing < main.affected else ""
    on = f"{_id(main)} on {wording.count(main.affected)} of {wording.plural(view.known, 'host')}"
    down = f"{wording.count(main.still_down)} still down" if main.still_down else "none still down"
    others = len(view.classes) - 1
    also = f"; {wording.plural(others, 'more class', 'more classes')}" if others else ""
    return "; ".join([f"{on}{after}{some}", *([hours(main.downtime_s)] if main.downtime_s else []), f"{down}{also}"])


def blocks(view: FleetView, room: FleetRoom) -> Iterator[Block]:
    """Yield everything below the headline."""
    yield from fleet_doubts.warning(view)
    yield _figures(view)
    if view.classes:
        yield Section("classes", "What failed", tuple(_classes(view, room)), brief="What failed")
    if view.heat is not None and room.heat:
        title = "When hosts failed: a row for hosts that failed first at about the same time"
        yield Section("when", "When", (Drawing("heat", "heat", title, view.heat),), brief="When", least=Detail.PAGE)
    if view.known:
        yield Section("hosts", "Hosts", tuple(fleet_hosts.blocks(view, room.groups, room.hosts, room.names)), brief="Hosts")
    yield Section("reports", "The reports", tuple(fleet_doubts.blocks(view, room.doubts)), brief="Reports")
    yield from _next(view)


def _figures(view: FleetView) -> Figures:
    shown = (
        (wording.count(view.known), "hosts with a report", "reports"),
        (wording.count(view.failed), "hosts with failures", "hosts" if view.known else "reports"),
        (wording.count(view.still_down), "hosts still down", "hosts" if view.known else "reports"),
        (hours(view.downtime_s).split(" ", 1)[0], "host-hours down", "classes" if view.classes else "reports"),
        (wording.count(view.restarts), "restarts", "classes" if view.classes else "reports"),
    )
    return Figures(tuple(Figure(*one) for one in shown), least=Detail.TEXT)


def _classes(view: FleetView, room: FleetRoom) -> Iterator[Block]:
    rows = view.classes[: room.classes]
    more = (len(view.classes) - len(rows), "more class", "more classes")
    columns = _columns(room)
    yield Table("Failure classes", columns, tuple(_row(row, room) for row in rows), more=more, named=columns.index(_CLASS), tight=True)
    yield Bullets(tuple(plain(sentence(row, view)) for row in view.classes[: room.sentences]))


def _columns(room: FleetRoom) -> tuple[Column, ...]:
    """Return the columns that this format has; a tight table shows all that it has."""
    return tuple(column for column in _CLASS_COLUMNS if column.least <= room.of.detail)


def _row(row: FleetClass, room: FleetRoom) -> tuple[Cell, ...]:
    change = "–" if row.change is None else brief(row.change.summary, _LONGEST_SUMMARY)
    down = wording.count(row.still_down) if row.still_down else "–"
    cells = (
        Cell(wording.count(row.affected)),
        Cell(down, "bad" if row.still_down else "dim"),
        Cell(hours(row.downtime_s).split(" ", 1)[0] if row.downtime_s else "–", sort=row.downtime_s),
        Cell(wording.count(row.failures)),
        Cell(wording.count(row.restarts)),
        Cell(one_line(row.title, _LONGEST_TITLE), "strong", id=_id(row)),
        Cell(wording.minute(row.first)),
        Cell(wording.duration(row.all_s) if row.affected > 1 else "–", sort=row.all_s),
        Cell(change),
    )
    return tuple(cell for cell, column in zip(cells, _CLASS_COLUMNS, strict=True) if column.least <= room.of.detail)


def sentence(row: FleetClass, view: FleetView) -> str:
    """Describe a class: where, since when, how it spread, what it cost, and which change its hosts share."""
    where = f" on {listed(row.units, 3)}" if row.units else ""
    parts = [f"{wording.count(row.affected)} of {wording.plural(view.known, 'host')}"]
    parts.append(f"first {brief(row.host, _LONGEST_ID)} at {wording.minute(row.first)}")
    if row.affected > 1 and not row.all_s:
        parts.append("all at the same time")
    elif row.affected > 2:
        parts.append(f"half within {wording.duration(row.half_s)}, all within {wording.duration(row.all_s)}")
    elif row.affected > 1:
        parts.append(f"both within {wording.duration(row.all_s)}")
    parts += [*([hours(row.downtime_s)] if row.downtime_s else []), wording.plural(row.restarts, "restart")]
    if row.still_down:
        parts.append(f"still down: {wording.count(row.still_down)}")
    return f"{_id(row)}{where}: {'; '.join(parts)}.{_shared(row)}"


def _shared(row: FleetClass) -> str:
    change = row.change
    if change is None:
        return "" if row.affected < 2 else " No change in the day before is shared by half of them."
    of = "all" if change.sharing == row.affected else f"{wording.count(change.sharing)} of them"
    before = f" The same change before it on {of}: {brief(change.summary, _LONGEST_SUMMARY)}."
    unlisted = f"; {wording.plural(change.unlisted, 'other report lists', 'other reports list')} no changes" if change.unlisted else ""
    if not change.hosts_well:
        return f"{before} No host is known to have this change without this failure{unlisted}."
    have = wording.plural(len(change.hosts_well), "host has", "hosts have")
    return f"{before} {have} this change without this failure: {listed(change.hosts_well, 5)}{unlisted}."


def _id(row: FleetClass) -> str:
    return brief(row.signature, _LONGEST_ID)


def _next(view: FleetView) -> Iterator[Block]:
    """Write how to make the report of one host; its JSON is what was read here."""
    if view.since is None or view.until is None:
        return
    window = f"--since {quote(f'{view.since:%F %T} UTC')} --until {quote(f'{view.until:%F %T} UTC')}"
    yield Commands(((f"{PROGRAM} report {window} -o report.html", "the page of one host"),), title="On a host", tight=True)


def unread(view: FleetView) -> tuple[Block, ...]:
    """Say what to do where nothing could be read."""
    return paragraph("" if view.known else "Write a report on each host with `tabby-forensics report --format json -o HOST.json`.")
