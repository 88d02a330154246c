"""The index of several incidents."""

from __future__ import annotations

from collections.abc import Container, Iterator

from forensics import wording
from forensics.model.values import Report
from forensics.report import causes, charts, headline, summary
from forensics.report.blocks import Block, Cell, Column, Drawing, Section, Style, Table, paragraph
from forensics.report.room import Room
from forensics.sanitize import one_line

_LANES = 20  # incidents in the figure
_COLUMNS = (
    Column("#", "number"),
    Column("Unit"),
    Column("Start", "time"),
    Column("Failures", "number"),
    Column("Restarts", "number"),
    Column("Downtime", "number"),
    Column("First alert", "time", short="Alert"),
    Column("Noticed after", "time", short="Noticed"),
    Column("Recovered after", "time", short="Recovered"),
)


def section(report: Report, chosen: Container[int], room: Room) -> Section:
    """List the incidents; those that have a section of their own lead to it."""
    return Section("incidents", "Incidents", tuple(_blocks(report, chosen, room)), brief="Incidents")


def _blocks(report: Report, chosen: Container[int], room: Room) -> Iterator[Block]:
    rows = tuple(_rows(report, chosen, room))
    count = wording.count(len(report.incidents))
    caption = f"{count} incidents; those with a link have their own section below."
    more = (len(report.incidents) - len(rows), "more incident", "more incidents")
    yield Table("Incidents", _COLUMNS, rows, caption=caption, more=more, named=1)
    yield from paragraph(_times(report), "note")
    title = "Time until noticed and until recovered, from the first failure (log scale)"
    legend = (("operator", "noticed"), ("success", "recovered"))
    yield Drawing("lanes", "recovery", title, tuple(charts.recovery_rows(report, _LANES)), legend)


def _rows(report: Report, chosen: Container[int], room: Room) -> Iterator[tuple[Cell, ...]]:
    where, stamp = wording.zone(report.timezone), wording.precise_enough(report.window.since, report.window.until)
    linked = causes.causes(report)
    for k, incident in enumerate(report.incidents[: room.overview]):
        because = f", because of {linked[k] + 1}" if k in linked else ""
        kind = f"{wording.kind(incident.kind).lower()}{because}"
        host = (one_line(incident.host, 80),) if len(report.hosts) > 1 else ()
        name = one_line(summary.unit_name(incident.unit, incident.manager), 120)
        alert, recovered = wording.since_start(incident.detection.alert, incident.start), headline.recovered(incident)
        yield (
            Cell(str(k + 1)),
            Cell(name, "strong", below=(kind, *host), to=f"i{k + 1}" if k in chosen else ""),
            Cell(stamp(incident.start, where)),
            Cell(headline.failures(incident)),
            Cell(headline.restarts(incident)),
            Cell(headline.downtime(incident)),
            Cell(alert, _bad(alert == "never")),
            Cell(headline.noticed(incident)),
            Cell(recovered, _bad(recovered in {"not yet", "stopped"})),
        )


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
    return f"Across {wording.plural(times.incidents, 'incident')}: {', '.join(parts)}." if parts else ""
