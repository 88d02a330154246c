"""Define what of a window is compared, and take it from a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from forensics.model.values import Gap, Report


@dataclass(frozen=True, slots=True)
class PastIncident:
    """What of an incident is compared. classes: signature → failures."""

    id: str
    unit: str
    manager: str
    host: str
    machine: str
    kind: str
    ongoing: bool
    start: datetime
    end: datetime | None
    downtime_s: float
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What of a window is compared. classes: signature → (title, failures); recorded_since: where its data begin."""

    since: datetime
    until: datetime
    entries: int
    complete: bool
    failures: int
    restarts: int
    hosts: tuple[str, ...] = ()
    gaps: tuple[tuple[datetime, datetime], ...] = ()
    classes: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    incidents: tuple[PastIncident, ...] = ()
    recorded_since: datetime | None = None

    @property
    def length_s(self) -> float:
        return (self.until - self.since).total_seconds()

    @property
    def recorded_s(self) -> float:
        """The length of the window without what is missing at its start or in gaps."""
        begin = max(self.since, self.recorded_since or self.since)
        missing, reached = 0.0, begin
        for start, end in sorted(self.gaps):
            first, last = max(start, reached), min(end, self.until)
            if last > first:
                missing += (last - first).total_seconds()
                reached = last
        return max(0.0, (self.until - begin).total_seconds() - missing)


def facts_of(report: Report, recorded_since: datetime | None = None) -> Facts | None:
    """Take from a report what is compared; None where its window is empty."""
    since, until = report.window.since, report.window.until
    if since is None or until is None or since >= until:
        return None
    return Facts(
        since=since,
        until=until,
        entries=report.completeness.entries,
        complete=report.completeness.complete,
        failures=report.failures.total,
        restarts=report.restarts.total,
        hosts=report.hosts,
        gaps=tuple(_missing(report.completeness.gaps)),
        classes={row.signature: (row.title, max(row.failures, row.restarts)) for row in report.classes},
        incidents=tuple(
            PastIncident(
                one.id, one.unit, one.manager, one.host, one.machine, one.kind, one.ongoing, one.start, one.end, one.downtime_s,
                {row.signature: max(row.failures, row.restarts) for row in one.classes},
            )
            for one in report.incidents
        ),
        recorded_since=recorded_since,
    )  # fmt: skip


def _missing(gaps: tuple[Gap, ...]) -> Iterator[tuple[datetime, datetime]]:
    return ((gap.start, gap.end) for gap in gaps if gap.kind == "missing")
