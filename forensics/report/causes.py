"""Link an incident to the incident of the unit that it could not run without."""

from __future__ import annotations

from forensics.model.values import Incident, Report


def causes(report: Report) -> dict[int, int]:
    """Map the index of an incident that another unit caused to the index of that unit's incident, where there is one."""
    by_unit: dict[tuple[str, str, str], list[int]] = {}
    for k, incident in enumerate(report.incidents):
        by_unit.setdefault((incident.machine, incident.host, incident.unit), []).append(k)
    linked = {}
    for k, incident in enumerate(report.incidents):
        candidates = by_unit.get((incident.machine, incident.host, incident.caused_by or ""), [])
        overlapping = [j for j in candidates if j != k and _overlap(report.incidents[j], incident)]
        if overlapping:
            linked[k] = max(overlapping, key=lambda j: (report.incidents[j].start <= incident.start, report.incidents[j].start))
    return linked


def _overlap(one: Incident, other: Incident) -> bool:
    return (one.end is None or one.end >= other.start) and (other.end is None or other.end >= one.start)
