"""Compute the one timeline of all incidents: a lane per unit, or per group of units that one change hit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report.charts import COLORS, OTHER
from forensics.report.grouped import Group, main_class
from forensics.sanitize import one_line

_MOST_LANES = 24


@dataclass(frozen=True, slots=True)
class Stretch:
    """One incident in a lane. style: number of its main class's colour and pattern."""

    start: datetime
    end: datetime
    ongoing: bool
    style: int
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One unit, or a group whose incidents lie above each other. changed: when the change was that began them; text: at its end."""

    label: str
    stretches: tuple[Stretch, ...]
    changed: datetime | None
    text: str
    is_group: bool


@dataclass(frozen=True, slots=True)
class Lanes:
    """What the figure shows. classes: (style, title); more: how many lanes are left out."""

    start: datetime
    end: datetime
    lanes: tuple[Lane, ...]
    classes: tuple[tuple[int, str], ...]
    more: int


def lanes(report: Report, groups: Sequence[Group], most: int) -> Lanes:
    """Make a lane of each unit, in the order of the index; at most `most` incidents."""
    known = report.incidents
    end = max([*(incident.end or incident.start for incident in known), *((report.window.until,) if report.window.until else ())])
    start = min([*(incident.start for incident in known), *((report.window.since,) if report.window.since else ())])
    styles = _styles(known)
    made = [lane for group in groups for lane in _of_group(known, group, styles, end, most)]
    shown = made[:_MOST_LANES]
    used = {stretch.style for lane in shown for stretch in lane.stretches}
    titles = {styles.get(main_class(incident), COLORS - 1): main_class(incident) for incident in reversed(known)}
    crowded = len(styles) > COLORS
    classes = tuple((style, OTHER if crowded and style == COLORS - 1 else titles[style]) for style in sorted(used) if titles.get(style))
    return Lanes(start, max(end, start + timedelta(minutes=1)), tuple(shown), classes, len(made) - len(shown))


def _styles(incidents: Sequence[Incident]) -> dict[str, int]:
    """Number the main classes in the order in which they first occur."""
    names = dict.fromkeys(main_class(incident) for incident in incidents)
    return {name: min(rank, COLORS - 1) for rank, name in enumerate(names)}


def _of_group(known: Sequence[Incident], group: Group, styles: dict[str, int], end: datetime, most: int) -> Iterator[Lane]:
    members = [k for k in group.members if k < most]
    units: dict[tuple[str, str, str, str], list[int]] = {}
    for k in members:
        units.setdefault((known[k].machine, known[k].host, known[k].manager, known[k].unit), []).append(k)
    if group.by and len(units) > 1:
        trigger = known[members[0]].trigger if group.by == "change" else None
        label = f"{wording.count(len(units))} units: {', '.join(dict.fromkeys(one_line(known[k].unit, 60) for k in members))}"
        yield Lane(label, _stretches(known, members, styles, end), trigger.time if trigger else None, _text(known, members), is_group=True)
        return
    for some in units.values():
        trigger = known[some[0]].trigger
        label = f"{', '.join(str(k + 1) for k in some)}. {one_line(known[some[0]].unit, 120)}"
        yield Lane(label, _stretches(known, some, styles, end), trigger.time if trigger else None, _text(known, some), is_group=False)


def _stretches(known: Sequence[Incident], some: Sequence[int], styles: dict[str, int], end: datetime) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(
            known[k].start,
            end if known[k].ongoing else known[k].end or known[k].start,
            known[k].ongoing,
            styles[main_class(known[k])],
            f"{k + 1}. {one_line(known[k].unit, 120)}: {main_class(known[k])}",
        )
        for k in some
    )


def _text(known: Sequence[Incident], some: Sequence[int]) -> str:
    """Write how long the one incident was, or how many there were."""
    ongoing = sum(known[k].ongoing for k in some)
    if len(some) > 1:
        return f"{len(some)} incidents{f', {ongoing} ongoing' if ongoing else ''}"
    only = known[some[0]]
    return "ongoing" if only.ongoing else wording.duration(((only.end or only.start) - only.start).total_seconds())
