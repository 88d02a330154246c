"""Summarise an incident in one sentence for the first screen."""

from __future__ import annotations

from datetime import datetime

from forensics.model.values import LOST, Incident
from forensics.wording import plural, spoken_duration

ASLEEP_S = 60.0  # of the host, from which it is worth a word


def verdict(incident: Incident, lasted_s: float) -> str:
    return "; ".join([_what(incident, spoken_duration(lasted_s)), _noticed(incident), _ending(incident)]) + "."


def _what(incident: Incident, lasted: str) -> str:
    asleep = f" (and {spoken_duration(incident.slept_s)} asleep)" if incident.slept_s >= ASLEEP_S else ""
    return f"{WHATS[incident.kind](incident, lasted + asleep)}: {_causes(incident)}"


def _causes(incident: Incident) -> str:
    main = incident.classes[0].title if incident.classes else "an unknown cause"
    because = f"{incident.caused_by} failed" if incident.caused_by else main
    if incident.kind != "restart-loop":
        return because
    return f"{plural(len(incident.phases), 'phase')}, mostly {because} ({incident.classes[0].share:.0%}{_unrecorded(incident)})"


def _unrecorded(incident: Incident) -> str:
    """Say how many restarts left no line, where these are more than those of the main class."""
    lost = incident.classes[-1]
    more = lost.signature == LOST.id and lost.share > incident.classes[0].share
    return f"; {lost.share:.0%} left no line" if more else ""


def _loop(incident: Incident, lasted: str) -> str:
    least = "" if incident.exact else "at least "
    return f"{least}{plural(incident.restarts, 'restart')} in {lasted}"


def _outage(incident: Incident, lasted: str) -> str:
    tries = f", {plural(incident.failures, 'start')} failed" if incident.failures > 1 else ""
    return f"{incident.unit} was down for {lasted}{tries}"


def _failing_job(incident: Incident, lasted: str) -> str:
    failed = f"{incident.unit} failed {incident.failures:,} times in a row, over {lasted}"
    if incident.last_good is None:
        return failed
    return f"{failed}, the first {spoken_duration((incident.start - incident.last_good).total_seconds())} after its last good run"


def _recurring(incident: Incident, _: str) -> str:
    if incident.downtime_s == 0:  # failures while stopping keep nothing down
        return f"{incident.unit} failed {incident.failures:,} times while it was being stopped, and was started again each time"
    down = spoken_duration(incident.downtime_s)
    return f"{incident.unit} failed {incident.failures:,} times although it held each time in between, down for {down} in all"


WHATS = {"restart-loop": _loop, "outage": _outage, "failing-job": _failing_job, "recurring": _recurring}


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
    if incident.kind == "recurring":
        return "held again after the last failure"
    return "still ongoing when the data ends" if incident.ongoing else "stopped without a recovery"
