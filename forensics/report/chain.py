"""Write an incident as a chain of causes: trigger, classes, the limits and alerts that were missing, who acted, what ended it.

Each link is marked as measured (it is in the journal, or was computed from it) or as inferred (order in time, or the catalogue's opinion).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from forensics import wording
from forensics.model.controls import DEAD, NEVER
from forensics.model.values import Evidence, FailureClass, FixAttempt, Incident, Phase, Report
from forensics.report import links, summary
from forensics.report.replayed import Row, rows
from forensics.sanitize import brief, one_line

MEASURED, INFERRED = "measured", "inferred"
LEGEND = "Measured: in the journal, or computed from it. Inferred: from the order in time, or from what the catalogue knows of the class."
_MOST_SHARED = 2  # links of the chain that several classes name
_MOST_CLASSES = 5  # links of the chain that may be classes
_LONGEST = 300
_SLACK = timedelta(minutes=5)  # a phase begins at the first failure of its class, a little after the fix that changed it


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain. role: what it is in the chain; basis: measured or inferred."""

    role: str
    text: str
    basis: str
    evidence: Evidence | None = None


def chain(report: Report, incident: Incident) -> list[Link]:
    """List the links in the order in which they matter: from the trigger to what ended the incident."""
    shaped = rows(incident)
    return [
        _trigger(report, incident),
        *_classes(incident),
        *_shared(incident),
        *_limit(report, incident, shaped),
        *_gate(incident),
        _alert(incident, shaped),
        _operator(incident),
        _end(incident),
    ]


def _trigger(report: Report, incident: Incident) -> Link:
    if incident.caused_by:
        return Link("Cause", summary.caused_by(report, incident).removesuffix("."), MEASURED)
    if incident.trigger is None:
        return Link("Trigger", f"{_capital(incident.trigger_text)} shortly before the first failure", MEASURED)
    return Link("Likely trigger", _capital(incident.trigger_text), INFERRED, incident.trigger.evidence)


def _capital(text: str) -> str:
    text = one_line(text, _LONGEST)
    return text[:1].upper() + text[1:]


def _classes(incident: Incident) -> Iterator[Link]:
    """Yield one link for each change of the main class; without phases, one for the largest class."""
    by_name = {row.signature: row for row in incident.classes}
    stretches = [(name, list(phases)) for name, phases in groupby(incident.phases, key=lambda phase: phase.primary) if name in by_name]
    if not stretches and incident.classes:
        stretches = [(incident.classes[0].signature, [])]
    for number, (name, phases) in enumerate(stretches[:_MOST_CLASSES]):
        yield Link(
            "Failure" if not number else "Then", _class(incident, by_name[name], phases, first=not number), MEASURED, by_name[name].sample
        )
    if len(stretches) > _MOST_CLASSES:
        yield Link("Then", f"{wording.plural(len(stretches) - _MOST_CLASSES, 'more change')} of the main class: see the phases", MEASURED)


def _class(incident: Incident, row: FailureClass, phases: list[Phase], *, first: bool) -> str:
    restarts = sum(phase.classes.get(row.signature, 0) for phase in phases)
    counted = wording.plural(restarts, "restart") if restarts else wording.plural(row.failures, "failure")
    useless = restarts and row.restart_helped is not None and row.restart_helped.of and not row.restart_helped.held
    began = (
        f"; from {wording.since_start(phases[0].start, incident.start)} on{_after_fix(incident, phases[0])}" if phases and not first else ""
    )
    return f"{one_line(row.title, _LONGEST)}: {counted}{', none of which helped' if useless else ''}{began}"


def _after_fix(incident: Incident, phase: Phase) -> str:
    """Name the fix attempt after which this phase began."""
    near = [number for number, fix in enumerate(incident.fix_attempts, 1) if abs(fix.time - phase.start) <= _SLACK]
    return f", after fix attempt {near[-1]}" if near else ""


def _shared(incident: Incident) -> Iterator[Link]:
    """Yield the cause that failures of several classes have in common, as it seems."""
    for link in links.shown(incident)[:_MOST_SHARED]:
        yield Link("One cause", links.in_words(incident, link), INFERRED, link.evidence)


def _limit(report: Report, incident: Incident, shaped: list[Row]) -> Iterator[Link]:
    """Yield why no start limit ended a restart loop; one that a gate ended needs none."""
    if not incident.restarts or incident.kind != "restart-loop" or incident.gate is not None:
        return
    unreachable = [row for row in shaped if row.of.kind == "limit" and row.of.status in {NEVER, DEAD}]
    own = sorted(unreachable, key=lambda row: not row.is_yours)[:1]
    reached = [f"{row.name} was not reached" + (f": {brief(row.why, 160)}" if row.why else "") for row in own]
    refused = [] if report.restarts.refused else [f"systemd refused none of {wording.plural(incident.restarts, 'restart')}"]
    if parts := [*refused, *reached]:
        yield Link("Start limit", "; ".join(parts), MEASURED)


def _gate(incident: Incident) -> Iterator[Link]:
    """Yield what a gate did; how many restarts that avoided is an estimate."""
    stop = incident.gate
    if stop is None:
        return
    yield Link("Gate", summary.gate_opened(stop, incident), MEASURED, stop.evidence)
    if stop.restarts_avoided is not None:
        avoided = wording.plural(stop.restarts_avoided, "restart")
        yield Link("Gate", f"About {avoided} avoided, had they gone on at one every {wording.duration(stop.cadence_s)}", INFERRED)


def _alert(incident: Incident, shaped: list[Row]) -> Link:
    detection = incident.detection
    if detection.alert is not None:
        after = wording.since_start(detection.alert, incident.start)
        return Link("Alert", f"The first was delivered at {after}", MEASURED, detection.evidence.get("alert"))
    own = [row for row in shaped if row.is_yours and row.of.kind == "rule" and not row.fires]
    names = ", ".join(brief(row.name, 60) for row in own[:3])
    more = f" and {wording.plural(len(own) - 3, 'more rule')}" if len(own) > 3 else ""
    of_yours = f"; of your rules, {names}{more} could not fire" if own else ""
    return Link("Alert", f"None is on record{of_yours}", MEASURED)


def _operator(incident: Incident) -> Link:
    detection = incident.detection
    if detection.operator is None:
        return Link("Operator", "No action is on record", MEASURED)
    action = f": {one_line(detection.operator_action, 200)}" if detection.operator_action else ""
    waited = wording.spoken_duration((detection.operator - incident.start).total_seconds())
    return Link("Operator", f"First action after {waited}{action}", MEASURED, detection.evidence.get("operator"))


def _end(incident: Incident) -> Link:
    if incident.recovery is None:
        return Link("End", "Still going on at the end of the data" if incident.ongoing else "Stopped before it recovered", MEASURED)
    recovered = f"{_capital(wording.recovery(incident.kind))} at {wording.since_start(incident.recovery, incident.start)}"
    held = [(number, fix) for number, fix in enumerate(incident.fix_attempts, 1) if fix.outcome == "held"]
    if not held:
        return Link("End", f"{recovered}; what fixed it is not on record", MEASURED)
    number, fix = held[-1]
    return Link("End", f"{recovered}, after fix attempt {number}: {one_line(fix.summary, 200)}", MEASURED, fix.evidence)


def factors(incident: Incident) -> list[Link]:
    """List what made the incident longer or harder to see; none of it caused the first failure."""
    return [*_futile(incident), *_fixes(incident.fix_attempts), *_beside(incident)]


def _futile(incident: Incident) -> Iterator[Link]:
    helped = [row.restart_helped for row in incident.classes if row.restart_helped is not None and row.restart_helped.of]
    tried, held = sum(counts.of for counts in helped), sum(counts.held for counts in helped)
    if tried and not held:
        yield Link("Restarts", f"None of {wording.count(tried)} was followed by a start that held", MEASURED)
    useless = sum(row.restarts for row in incident.classes if row.restart_helps is False)
    if useless:
        yield Link("Restarts", f"{wording.count(useless)} came after a failure that no restart can cure", INFERRED)


def _fixes(fixes: tuple[FixAttempt, ...]) -> Iterator[Link]:
    missed = [fix.outcome for fix in fixes if fix.outcome != "held"]
    if missed:
        had = {"no-effect": "had no effect"}
        counts = ", ".join(f"{missed.count(name)} {had.get(name, wording.outcome(name))}" for name in dict.fromkeys(missed))
        yield Link("Fix attempts", f"{len(missed)} of {len(fixes)} did not hold: {counts}", MEASURED)


def _beside(incident: Incident) -> Iterator[Link]:
    for row in incident.beside[:2]:
        text = f"{one_line(row.title, _LONGEST)}, in {wording.plural(row.secondary, 'failed start')}"
        yield Link("Also seen", text, MEASURED, row.sample)
