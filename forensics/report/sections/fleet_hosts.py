"""List the hosts by what failed on them: each group in a row, and folded below it its hosts with links to their reports."""

from __future__ import annotations

import re
from collections.abc import Iterator

from forensics import wording
from forensics.model.fleet import FleetHost, FleetView, HostGroup
from forensics.report.blocks import Block, Cell, Column, Detail, Folded, Row, Table, paragraph
from forensics.report.sections.fleet_words import hours, listed, within
from forensics.sanitize import brief

_LONGEST_NAME, _LONGEST_ID = 80, 60
_GROUP_COLUMNS = (Column("Hosts", "number"), Column("Host-hours", "number", short="Hours"), Column("What failed"))
_HOST_COLUMNS = (
    Column("Host"),
    Column("First failure", "time"),
    Column("Failures", "number"),
    Column("Restarts", "number"),
    Column("Host-hours", "number"),
    Column("Ongoing", "number"),
    Column("Also failed", "wide"),
)
# a path below the page's own directory: no scheme, no root, no step upwards, nothing to escape
_BESIDE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]{0,99}/){0,8}[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.(?:json|html)", re.ASCII)


def blocks(view: FleetView, groups: int, hosts: int, names: int) -> Iterator[Block]:
    """Show the groups; then, where there is room, at most so many hosts of each, and so many characters of further names."""
    shown = view.groups[:groups]
    rows = tuple(_group_row(group) for group in shown)
    more = (len(view.groups) - len(shown), "more group of hosts", "more groups of hosts")
    yield Table("Hosts by what failed", _GROUP_COLUMNS, rows, more=more, named=2, tight=True, sortable=False)
    for group in shown:
        yield _folded(group, hosts, names)


def beside_the_page(file: str) -> str:
    """Return a report's path as a link; "" where it is not a plain path below the page's directory."""
    return file if _BESIDE.fullmatch(file) else ""


def _heading(group: HostGroup) -> str:
    if not group.signature:
        return "nothing failed"
    return f"{brief(group.signature, _LONGEST_ID)}{', still down' if group.still_down else ''}"


def _group_row(group: HostGroup) -> Row:
    down = sum(host.downtime_s for host in group.hosts)
    return (
        Cell(wording.count(len(group.hosts))),
        Cell(hours(down).split(" ", 1)[0] if down else "–"),
        Cell(_heading(group), "bad" if group.still_down else "strong", below=(listed([host.name for host in group.hosts], 4),)),
    )


def _folded(group: HostGroup, hosts: int, names: int) -> Folded:
    """Show the hosts of a group on demand: a table of the first, and the names of the others, so that a browser finds them."""
    listed_hosts = group.hosts[:hosts] if group.signature else ()
    rest = [host.name for host in group.hosts[len(listed_hosts) :]]
    also = "Further hosts: " if listed_hosts else ""
    inside: list[Block] = []
    if listed_hosts:
        inside.append(
            Table(f"Hosts: {_heading(group)}", _HOST_COLUMNS, tuple(_host_row(host, group) for host in listed_hosts), cards=False)
        )
    if rest:
        inside += paragraph(f"{also}{within(rest, names)}.", "names")
    summary = f"{wording.plural(len(group.hosts), 'host')}: {_heading(group)}"
    return Folded(summary, tuple(inside), printed=False, least=Detail.PAGE)


def _host_row(host: FleetHost, group: HostGroup) -> Row:
    others = [name for name in host.classes if name != group.signature]
    return (
        Cell(brief(host.name, _LONGEST_NAME), "strong", file=beside_the_page(host.file)),
        Cell(wording.minute(host.first)),
        Cell(wording.count(host.failures)),
        Cell(wording.count(host.restarts)),
        Cell(hours(host.downtime_s).split(" ", 1)[0], sort=host.downtime_s),
        Cell(wording.count(host.ongoing) if host.ongoing else "–"),
        Cell(listed(others, 2)),
    )
