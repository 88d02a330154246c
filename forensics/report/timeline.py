"""Put an incident's changes, fix attempts, detection and recovery in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics import wording
from forensics.model.values import Change, Evidence, FixAttempt, GateStop, Incident
from forensics.sanitize import one_line

GLYPHS = {"change": "▲", "fix": "✎", "success": "●", "operator": "☺", "alert": "◆", "gate": "■"}
GLYPH_NAMES = {"change": "change", "fix": "fix attempt", "success": "recovery", "operator": "operator", "alert": "alert", "gate": "gate"}
# Changes of these kinds can break a service; the others (a login, a unit's job) only show that somebody was there.
_WEIGHTY = frozenset({"system-switch", "package", "driver", "boot", "unit-reload", "configuration"})


@dataclass(frozen=True, slots=True)
class Lane:
    """One milestone of the detection gap. after_s None: it never happened, and `note` explains."""

    label: str
    time: datetime | None
    after_s: float | None
    note: str
    evidence: Evidence | None
    mark: str


@dataclass(frozen=True, slots=True)
class Step:
    """One row in the list of changes; a weighty one is also a mark in the figure."""

    time: datetime
    mark: str
    what: str
    detail: str
    evidence: Evidence | None
    weighty: bool = True


def noticed_s(incident: Incident) -> float | None:
    """Seconds from the start until somebody demonstrably knew; None without evidence."""
    times = incident.detection.alert, incident.detection.operator, incident.detection.declared
    return min(((time - incident.start).total_seconds() for time in times if time is not None), default=None)


def lanes(incident: Incident) -> list[Lane]:
    """Milestones of the detection gap: what was detectable, who noticed, what was tried, when it recovered."""
    detection, quoted = incident.detection, incident.detection.evidence

    def lane(label: str, time: datetime | None, note: str, evidence: Evidence | None, mark: str) -> Lane:
        return Lane(label, time, None if time is None else (time - incident.start).total_seconds(), note, evidence, mark)

    rows = [
        lane("First actionable log line", detection.signal, "no log line names the failure", quoted.get("signal"), "signal"),
        lane("First alert delivered", detection.alert, "no alert is on record", quoted.get("alert"), "alert"),
        lane("First operator action", detection.operator, "no action is on record", quoted.get("operator"), "operator"),
    ]
    if detection.declared is not None:
        rows.append(lane("Detection time as declared", detection.declared, "", quoted.get("declared"), "declared"))
    rows += [lane(_fix_label(incident, fix), fix.time, "", fix.evidence, "fix") for fix in _decisive_fixes(incident)]
    rows.append(lane(_recovery(incident), incident.recovery, "ongoing" if incident.ongoing else "none in the window", None, "success"))
    return rows


def _recovery(incident: Incident) -> str:
    name = wording.recovery(incident.kind)
    return name[0].upper() + name[1:]


def _decisive_fixes(incident: Incident) -> list[FixAttempt]:
    """The first fix attempt and the one that held."""
    held = [fix for fix in incident.fix_attempts if fix.outcome == "held"]
    return sorted({*incident.fix_attempts[:1], *held[:1]}, key=lambda fix: fix.time)


def _fix_label(incident: Incident, fix: FixAttempt) -> str:
    number = incident.fix_attempts.index(fix) + 1
    return f"Fix attempt {number}: {wording.outcome(fix.outcome)}"


def steps(incident: Incident) -> list[Step]:
    """List changes, fix attempts, detection and recovery in order of time, each event once."""
    fixes = [Step(fix.time, "fix", one_line(fix.summary), wording.outcome(fix.outcome), fix.evidence) for fix in incident.fix_attempts]
    detection, quoted = incident.detection, incident.detection.evidence
    first_signs = (
        (detection.operator, "operator", "First operator action", detection.operator_action),
        (detection.alert, "alert", "First alert delivered", None),
    )
    noticed = [
        Step(time, mark, _noticed(what, quoted.get(mark), summary), "", quoted.get(mark))
        for time, mark, what, summary in first_signs
        if time is not None
    ]
    recovered = [Step(incident.recovery, "success", _recovery(incident), "", None)] if incident.recovery is not None else []
    stop = incident.gate
    gated = [] if stop is None else [Step(stop.opened, "gate", "The gate stopped the restarts", _avoided(stop), stop.evidence)]
    already_listed = {step.evidence for step in noticed} - {None}
    changes = [
        _change_step(change, incident.trigger)
        for change in incident.changes
        if change == incident.trigger or not (change.evidence in already_listed or _part_of_a_fix(change, incident.fix_attempts))
    ]
    return sorted([*changes, *noticed, *fixes, *gated, *recovered], key=lambda step: (step.time, step.mark, step.what))


def _avoided(stop: GateStop) -> str:
    return "" if stop.restarts_avoided is None else f"about {wording.plural(stop.restarts_avoided, 'restart')} avoided"


def _noticed(what: str, evidence: Evidence | None, summary: str | None) -> str:
    """Describe a detection by what was done, else by its evidence."""
    text = summary or (evidence.message if evidence is not None else "")
    return f"{what}: {one_line(text, 200)}" if text else what


def _part_of_a_fix(change: Change, fixes: tuple[FixAttempt, ...]) -> bool:
    """A fix attempt consists of changes at most an hour apart; its summary contains theirs."""
    return any(abs((fix.time - change.time).total_seconds()) <= 3600 and change.summary in fix.summary for fix in fixes)


def _change_step(change: Change, trigger: Change | None) -> Step:
    likely = change == trigger
    detail = change.kind.replace("-", " ") + (" · likely trigger" if likely else "")
    return Step(change.time, "change", one_line(change.summary), detail, change.evidence, weighty=likely or change.kind in _WEIGHTY)


def marks(incident: Incident, longest: int = 14) -> list[Step]:
    """Choose the steps that get a mark in the figure: at most `longest`, changes last, and only those that can break a service."""
    worth = sorted(
        (step for step in steps(incident) if step.weighty), key=lambda step: (step.mark == "change", step.mark == "fix", step.time)
    )
    return sorted(worth[:longest], key=lambda step: (step.time, step.mark))
