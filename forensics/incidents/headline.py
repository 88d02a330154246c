"""Summarise an incident in one sentence for the first screen."""

from __future__ import annotations

from forensics.model.values import Incident
from forensics.wording import spoken_duration


def verdict(incident: Incident, lasted_s: float) -> str:
    return "; ".join([_what(incident, spoken_duration(lasted_s)), _noticed(incident), _ending(incident)]) + "."


def _what(incident: Incident, lasted: str) -> str:
    main = incident.classes[0].title if incident.classes else "an unknown cause"
    if incident.kind == "outage":
        return f"{incident.unit} was down for {lasted}: {main}"
    phases = "1 phase" if len(incident.phases) == 1 else f"{len(incident.phases)} phases"
    least = "" if incident.exact else "at least "
    return f"{least}{incident.restarts:,} restarts in {lasted}: {phases}, mostly {main} ({incident.classes[0].share:.0%})"


def _noticed(incident: Incident) -> str:
    found = incident.detection
    alert = "nothing alerted" if found.alert is None else f"first alert after {_after(incident, found.alert.timestamp())}"
    if found.operator is None:
        return f"{alert}; no operator seen"
    return f"{alert}; first operator action after {_after(incident, found.operator.timestamp())}"


def _after(incident: Incident, then: float) -> str:
    return spoken_duration(then - incident.start.timestamp())


def _ending(incident: Incident) -> str:
    if incident.time_to_recover_s is not None:
        return f"recovered after {spoken_duration(incident.time_to_recover_s)}"
    return "still going on when the data ends" if incident.ongoing else "stopped without a recovery"
