"""What to do about each class that has a remedy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    blocks = tuple(_remedy(row, incident, helped(row, incident)) for row in known)
    return Section(anchor, "What to do, by class", blocks, brief="What to do") if blocks else None


def _remedy(row: FailureClass, incident: Incident | None, measured: list[str]) -> Remedy:
    name = breakdown.counted((row,))[0]
    count = wording.plural(breakdown.number(row, name), name.removesuffix("s"))
    return Remedy(
        title=one_line(row.title, 300),
        aside=f"{count}; restart helps: {breakdown.helps(row, incident)}",
        measured=" ".join([*([f"A restart helped: {', '.join(measured)}."] if measured else []), *_named(row, incident), *_example(row)]),
        cause=wording.reflowed(row.cause),
        steps=wording.reflowed(row.remedy),
    )


def _example(row: FailureClass) -> Iterator[str]:
    """Yield how usual the values in the steps are, where those of the failures differ."""
    if row.values_in is not None and row.values_in[0] < row.values_in[1]:
        same, of = row.values_in
        yield f"The values below are an example, from {wording.count(same)} of {wording.count(of)} failures."


def _named(row: FailureClass, incident: Incident | None) -> Iterator[str]:
    """Yield what the failures of a class have in common with those of others: its remedy is about this process, port or path."""
    links = [link for link in (() if incident is None else incident.links) if row.signature in link.classes]
    holders = {link.port: link.value for link in (() if incident is None else incident.links) if link.port}
    names = []
    for link in links:
        holder = f" (held by process {holders[link.value]}, it seems)" if link.what == "port" and link.value in holders else ""
        kind = "" if link.what in {"path", "device", "unit"} else f"{link.what} "
        names.append(f"{kind}{one_line(link.value, 240)}{holder}")
    if names:
        yield f"Named in its failures: {', '.join(names)}."
