"""Summarise an incident in one sentence for the first screen."""

from __future__ import annotations

from datetime import datetime

from forensics.model.values import Incident
from forensics.wording import plural, spoken_duration


def verdict(incident: Incident, lasted_s: float) -> str:
    return "; ".join([_what(incident, spoken_duration(lasted_s)), _noticed(incident), _ending(incident)]) + "."


def _what(incident: Incident, lasted: str) -> str:
    main = incident.classes[0].title if incident.classes else "an unknown cause"
    if incident.kind == "outage":
        return f"{incident.unit} was down for {lasted}: {main}"
    phases = plural(len(incident.phases), "phase")
    least = "" if incident.exact else "at least "
    return f"{least}{plural(incident.restarts, 'restart')} in {lasted}: {phases}, mostly {main} ({incident.classes[0].share:.0%})"


def _noticed(incident: Incident) -> str:
    marks = incident.detection
    alert = "no alert" if marks.alert is None else f"first alert after {_after(incident, marks.alert)}"
    if marks.operator is None:
        return f"{alert}; no operator action"
    return f"{alert}; first operator action after {_after(incident, marks.operator)}"


def _after(incident: Incident, time: datetime) -> str:
    return spoken_duration((time - incident.start).total_seconds())


def _ending(incident: Incident) -> str:
    if incident.time_to_recover_s is not None:
        return f"recovered after {spoken_duration(incident.time_to_recover_s)}"
    return "still ongoing when the data ends" if incident.ongoing else "stopped without a recovery"
