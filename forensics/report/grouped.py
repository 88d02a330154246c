"""Order the incidents of a report for its index, and group those that one change or one moment brought on several units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from forensics import wording
from forensics.model.values import Change, Incident, Report
from forensics.sanitize import one_line

_TOGETHER_S = 60.0  # between the starts of incidents that one cause may have begun


@dataclass(frozen=True, slots=True)
class Group:
    """Incidents, by their index in the report. heading: what they have in common; by: what tells so, "" for those that stand alone."""

    members: tuple[int, ...]
    heading: str = ""
    by: Literal["change", "moment", ""] = ""


def groups(report: Report) -> list[Group]:
    """Put what is ongoing first; incidents that stand alone are in one group where nothing comes between them."""
    incidents = report.incidents
    shared = [*_by_change(incidents)]
    taken = {k for group in shared for k in group.members}
    shared += _by_moment(incidents, [k for k in range(len(incidents)) if k not in taken])
    taken = {k for group in shared for k in group.members}
    alone = [k for k in range(len(incidents)) if k not in taken]
    goes_on = [group for group in shared if any(incidents[k].ongoing for k in group.members)]
    over = [group for group in shared if group not in goes_on]
    first = Group(tuple(k for k in alone if incidents[k].ongoing), "Ongoing" if shared else "")
    last = Group(tuple(k for k in alone if not incidents[k].ongoing), "Other incidents" if shared else "")
    if not shared:
        return [Group((*first.members, *last.members))] if incidents else []
    return [group for group in (first, *_ordered(goes_on), *_ordered(over), last) if group.members]


def main_class(incident: Incident) -> str:
    """Return the title of the largest class; "" without classes."""
    return one_line(incident.classes[0].title, 300) if incident.classes else ""


def _ordered(some: list[Group]) -> list[Group]:
    return sorted(some, key=lambda group: (-len(group.members), group.members))


def _members(incidents: Sequence[Incident], some: Sequence[int]) -> tuple[int, ...]:
    return tuple(sorted(some, key=lambda k: (not incidents[k].ongoing, k)))


def _by_change(incidents: Sequence[Incident]) -> Iterator[Group]:
    """Yield incidents of several units with the same trigger."""
    found: dict[tuple[str, str, datetime, str], list[int]] = {}
    for k, incident in enumerate(incidents):
        if (change := incident.trigger) is not None:
            found.setdefault((incident.machine, incident.host, change.time, change.summary), []).append(k)
    for some in found.values():
        if (number := _units(incidents, some)) > 1:
            yield Group(
                _members(incidents, some),
                f"{wording.plural(number, 'unit')} after one change: {_change(incidents[some[0]].trigger)}",
                "change",
            )


def _by_moment(incidents: Sequence[Incident], left: Sequence[int]) -> Iterator[Group]:
    """Yield incidents of several units with the same main class, each at most a minute after the one before."""
    by_class: dict[str, list[int]] = {}
    for k in sorted(left, key=lambda k: incidents[k].start):
        if incidents[k].classes:
            by_class.setdefault(incidents[k].classes[0].signature, []).append(k)
    for some in by_class.values():
        for near in _near(incidents, some):
            if (number := _units(incidents, near)) > 1:
                heading = f"{wording.plural(number, 'unit')} within a minute of each other: {main_class(incidents[near[0]])}"
                yield Group(_members(incidents, near), heading, "moment")


def _near(incidents: Sequence[Incident], some: Sequence[int]) -> Iterator[list[int]]:
    """Cut a list of incidents, in order of their starts, where more than a minute passes."""
    near: list[int] = []
    for k in some:
        if near and (incidents[k].start - incidents[near[-1]].start).total_seconds() > _TOGETHER_S:
            yield near
            near = []
        near.append(k)
    if near:
        yield near


def _units(incidents: Sequence[Incident], some: Sequence[int]) -> int:
    return len({(incidents[k].machine, incidents[k].host, incidents[k].manager, incidents[k].unit) for k in some})


def _change(change: Change | None) -> str:
    return "" if change is None else one_line(change.summary, 200)
