"""Choose the headline figures of an incident; a figure that does not apply to its kind is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from forensics import wording
from forensics.model.values import Incident, Report
from forensics.report import replayed
from forensics.report.timeline import noticed_s


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure and the section with its evidence."""

    value: str
    label: str
    section: str


def figures(report: Report, incident: Incident) -> list[Figure]:
    """At most seven figures, each with the section of its incident that has the evidence."""
    return list(_figures(report, incident))


def _figures(report: Report, incident: Incident) -> Iterator[Figure]:
    yield _count(report, incident)
    if has_downtime(incident):
        method = wording.method(incident.downtime_method, ongoing=incident.ongoing)
        yield Figure(downtime(incident), f"downtime ({method})", "phases")
    elif (cycle := _interval_s(incident)) is not None:
        yield Figure(wording.duration(cycle), "between two runs that failed", "breakdown")
    yield Figure(noticed(incident), f"until noticed; alert: {_alerted(incident)}", "detection")
    yield Figure(recovered(incident), _recovery_label(incident), "timeline")
    if has_downtime(incident) and incident.availability is not None:
        yield Figure(wording.share(incident.availability), "availability over the window", "method")
    held = sum(fix.outcome == "held" for fix in incident.fix_attempts)
    attempts = f"failure classes / fix attempts, {held} of them held"
    yield Figure(f"{len(incident.classes)} / {len(incident.fix_attempts)}", attempts, "timeline")
    if incident.replay:
        yield _controls(incident)


def _controls(incident: Incident) -> Figure:
    """Count the replayed controls that would have fired."""
    rows = replayed.rows(incident)
    yours = [row for row in rows if row.is_yours]
    firing = sum(row.fires for row in yours)
    of_yours = f"; of your {len(yours)}, {firing or 'none'}" if yours and len(yours) < len(rows) else ""
    return Figure(f"{sum(row.fires for row in rows)} of {len(rows)}", f"controls would have fired{of_yours}", "controls")


def has_downtime(incident: Incident) -> bool:
    """A job is not meant to be up between two of its runs, so it has no downtime."""
    return incident.kind != "failing-job"


def downtime(incident: Incident) -> str:
    return _bound(incident) + wording.duration(incident.downtime_s) if has_downtime(incident) else "–"


def failures(incident: Incident) -> str:
    return _bound(incident) + wording.count(incident.failures)


def restarts(incident: Incident) -> str:
    return _bound(incident) + wording.count(incident.restarts)


def _bound(incident: Incident) -> str:
    return "" if incident.exact else "≥ "


def _count(report: Report, incident: Incident) -> Figure:
    """Restarts for a loop, failures for the other kinds; the other number follows where it differs."""
    if incident.kind == "restart-loop":
        parts = ["restarts", _of_all(incident.restarts, report.restarts.total)]
        if incident.failures not in {0, incident.restarts}:
            parts.append(f"after {wording.plural(incident.failures, 'failure')}")
        return Figure(restarts(incident), ", ".join(part for part in parts if part), "breakdown")
    in_a_row = " in a row" * (incident.kind == "failing-job" and incident.failures > 1)
    parts = [f"failure{'s' * (incident.failures != 1)}{in_a_row}", _of_all(incident.failures, report.failures.total)]
    if incident.restarts:
        parts.append(wording.plural(incident.restarts, "restart"))
    return Figure(failures(incident), ", ".join(part for part in parts if part), "breakdown")


def _of_all(number: int, total: int) -> str:
    return f"{wording.share(number / total)} of all {wording.count(total)}" if 0 < number < total else ""


def _interval_s(incident: Incident) -> float | None:
    """Median time between the runs of a job's largest class."""
    return incident.classes[0].cycle_s if incident.classes else None


def recovered(incident: Incident) -> str:
    if incident.time_to_recover_s is not None:
        return wording.duration(incident.time_to_recover_s)
    if incident.ongoing:
        return "not yet"
    return "each time" if incident.kind == "recurring" else "stopped"


def _recovery_label(incident: Incident) -> str:
    if incident.time_to_recover_s is None and not incident.ongoing:
        return "held again after a failure" if incident.kind == "recurring" else "before it recovered"
    return f"to recover: first failure to {wording.recovery(incident.kind)}"


def _alerted(incident: Incident) -> str:
    alert = incident.detection.alert
    return "never" if alert is None else wording.since_start(alert, incident.start)


def noticed(incident: Incident) -> str:
    """Time until somebody noticed; a range from the first evidence to the declared time, unless an alert settles it."""
    first = noticed_s(incident)
    if first is None:
        return "never"
    declared = incident.detection.declared
    latest = first if declared is None else (declared - incident.start).total_seconds()
    if incident.detection.alert is not None or latest <= first:
        return wording.duration(first)
    return f"{wording.about(first)} … {wording.about(latest)}"
