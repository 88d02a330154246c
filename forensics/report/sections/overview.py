"""The index of several incidents: what is ongoing first, units that one change hit together, and one timeline of all."""

from __future__ import annotations

from collections.abc import Container, Iterator

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import causes, grouped, headline, incident_lanes, summary, timeline
from forensics.report.blocks import Block, Cell, Column, Detail, Drawing, Section, Style, Table, paragraph
from forensics.report.room import Room
from forensics.sanitize import one_line

_RESTARTS = Column("Restarts", "number")


def section(report: Report, chosen: Container[int], room: Room) -> Section:
    """List the incidents; those that have a section of their own lead to it."""
    return Section("incidents", "Incidents", tuple(_blocks(report, chosen, room)), brief="Incidents")


def _blocks(report: Report, chosen: Container[int], room: Room) -> Iterator[Block]:
    groups = grouped.groups(report)
    yield _index(report, groups, chosen, room)
    yield from paragraph(_times(report), "note")
    lanes = incident_lanes.lanes(report, groups, room.overview)
    if lanes.lanes:
        legend = (("change", "likely trigger"),) if any(lane.changed for lane in lanes.lanes) else ()
        yield Drawing("incidents", "all-incidents", "All incidents over the window, by main class", lanes, legend)
        if lanes.more:
            yield from paragraph(f"{wording.plural(lanes.more, 'more unit')} omitted in the figure.", "note", Detail.PAGE)


def _index(report: Report, groups: list[grouped.Group], chosen: Container[int], room: Room) -> Table:
    """One row per incident; a group's heading says what its incidents have in common."""
    rows: list[tuple[Cell, ...]] = []
    heads: list[tuple[int, str]] = []
    linked = causes.causes(report)
    restarts = any(incident.restarts != incident.failures for incident in report.incidents)
    for group in groups:
        members = group.members[: max(0, room.overview - len(rows))]
        if members and group.heading:
            heads.append((len(rows), group.heading))
        rows += [tuple(_row(report, k, group, linked, chosen, restarts=restarts)) for k in members]
    count = wording.count(len(report.incidents))
    return Table(
        "Incidents",
        _columns(restarts=restarts),
        tuple(rows),
        caption=f"{count} incidents; those with a link have their own section below.",
        more=(len(report.incidents) - len(rows), "more incident", "more incidents"),
        named=1,
        groups=tuple(heads),
    )


def _columns(*, restarts: bool) -> tuple[Column, ...]:
    return (
        Column("#", "number"),
        Column("Unit"),
        Column("Cause", "wide", Detail.TEXT, beneath=True),
        Column("Start", "time"),
        Column("Failures", "number"),
        *((_RESTARTS,) if restarts else ()),
        Column("Downtime", "number"),
        Column("First alert", "time", Detail.TEXT),
        Column("Noticed after", "time", Detail.TEXT),
        Column("Recovered after", "time", Detail.TEXT),
    )


def _row(report: Report, k: int, group: grouped.Group, linked: dict[int, int], chosen: Container[int], *, restarts: bool) -> Iterator[Cell]:
    incident = report.incidents[k]
    where, stamp = wording.zone(report.timezone), wording.precise_enough(report.window.since, report.window.until)
    because = f", because of {linked[k] + 1}" if k in linked else ""
    host = (one_line(incident.host, 80),) if len(report.hosts) > 1 else ()
    name = one_line(summary.unit_name(incident.unit, incident.manager), 120)
    alert, recovered = wording.since_start(incident.detection.alert, incident.start), headline.recovered(incident)
    yield Cell(str(k + 1))
    yield Cell(name, "strong", below=(f"{wording.kind(incident.kind).lower()}{because}", *host), to=f"i{k + 1}" if k in chosen else "")
    yield Cell(grouped.main_class(incident), below=_trigger(incident, group))
    yield Cell(stamp(incident.start, where))
    yield Cell(headline.failures(incident), sort=incident.failures)
    if restarts:
        yield Cell(headline.restarts(incident), sort=incident.restarts)
    yield Cell(headline.downtime(incident), sort=incident.downtime_s if headline.has_downtime(incident) else None)
    yield Cell(alert, _bad(alert == "never"), sort=_after(incident))
    yield Cell(headline.noticed(incident), sort=timeline.noticed_s(incident))
    yield Cell(recovered, _bad(recovered in {"not yet", "stopped"}), sort=incident.time_to_recover_s)


def _trigger(incident: Incident, group: grouped.Group) -> tuple[str, ...]:
    """Write the likely trigger; of a change that the group's heading names, only how long before it was."""
    if incident.trigger is None:
        return ()
    text = incident.trigger_text
    return (one_line(text.removeprefix(f"{incident.trigger.summary}, ") if group.by == "change" else text, 200),)


def _after(incident: Incident) -> float | None:
    alert = incident.detection.alert
    return None if alert is None else (alert - incident.start).total_seconds()


def _bad(is_bad: bool) -> Style:
    return "bad" if is_bad else ""


def _times(report: Report) -> str:
    """Mean and median times over the incidents, where they are known."""
    times = report.detection_summary
    parts = [
        f"{name} {wording.duration(seconds)}"
        for name, seconds in (
            ("mean time to detect", times.mttd_s),
            ("median time to detect", times.median_ttd_s),
            ("mean time to recover", times.mttr_s),
        )
        if seconds is not None
    ]
    noticed = sum(timeline.noticed_s(incident) is not None for incident in report.incidents)
    of = f"{wording.count(noticed)} of {wording.plural(times.incidents, 'incident')} were noticed"
    return f"{of}; of those whose times are known: {', '.join(parts)}." if parts else ""
