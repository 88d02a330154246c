"""Incident → what happened in which order: who could have known when, what was changed, tried and reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from forensics import wording
from forensics.model.values import Change, Evidence, FixAttempt, Incident
from forensics.sanitize.text import one_line

GLYPHS = {"change": "▲", "fix": "✎", "success": "●", "operator": "☺", "alert": "◆"}
GLYPH_NAMES = {"change": "change", "fix": "fix attempt", "success": "held success", "operator": "operator", "alert": "alert"}
# A change of these kinds is an act that can break a service; the others (a login, a unit's job) only say that somebody was there.
_WEIGHTY = frozenset({"system-switch", "package", "driver", "boot", "unit-reload", "configuration"})


@dataclass(frozen=True, slots=True)
class Lane:
    """One line of the detection gap. after_s null: it never happened, and `note` says what that rests on."""

    label: str
    time: datetime | None
    after_s: float | None
    note: str
    evidence: Evidence | None
    mark: str


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened, for the list of changes and for the marks in the figure."""

    time: datetime
    mark: str
    what: str
    detail: str
    evidence: Evidence | None
    weighty: bool = True


def noticed_s(incident: Incident) -> float | None:
    """Seconds from the start to the first mark that shows that somebody knew; null when nothing shows it."""
    found = incident.detection
    known = [(time - incident.start).total_seconds() for time in (found.alert, found.operator, found.declared) if time is not None]
    return min(known, default=None)


def lanes(incident: Incident) -> list[Lane]:
    """The detection gap from the first failed start: what a machine could have known, who knew, what was tried, when it ended."""
    found, quoted = incident.detection, incident.detection.evidence

    def lane(label: str, time: datetime | None, note: str, evidence: Evidence | None, mark: str) -> Lane:
        return Lane(label, time, None if time is None else (time - incident.start).total_seconds(), note, evidence, mark)

    rows = [
        lane("First line a machine could act on", found.signal, "no line names the failure", quoted.get("signal"), "signal"),
        lane("First alert delivered", found.alert, "no alert is on record", quoted.get("alert"), "alert"),
        lane("First operator action", found.operator, "no action is on record", quoted.get("operator"), "operator"),
    ]
    if found.declared is not None:
        rows.append(lane("Detection as declared", found.declared, "", quoted.get("declared"), "declared"))
    rows += [lane(_fix_label(incident, fix), fix.time, "", fix.evidence, "fix") for fix in _telling_fixes(incident)]
    rows.append(
        lane("First held success", incident.recovery, "still going on" if incident.ongoing else "none in the window", None, "success")
    )
    return rows


def _telling_fixes(incident: Incident) -> list[FixAttempt]:
    """The first attempt, and the one that held."""
    held = [fix for fix in incident.fix_attempts if fix.outcome == "held"]
    return sorted({*incident.fix_attempts[:1], *held[:1]}, key=lambda fix: fix.time)


def _fix_label(incident: Incident, fix: FixAttempt) -> str:
    number = incident.fix_attempts.index(fix) + 1
    return f"Fix attempt {number}: {wording.outcome(fix.outcome)}"


def steps(incident: Incident) -> list[Step]:
    """Changes, fix attempts, detection and recovery in the order they happened; what is told as one of the others is no change again."""
    fixes = [Step(fix.time, "fix", one_line(fix.summary), wording.outcome(fix.outcome), fix.evidence) for fix in incident.fix_attempts]
    found, quoted = incident.detection, incident.detection.evidence
    noticed = [
        Step(time, mark, _noticed(what, quoted.get(mark), incident.changes), "", quoted.get(mark))
        for time, mark, what in ((found.operator, "operator", "First operator action"), (found.alert, "alert", "First alert delivered"))
        if time is not None
    ]
    recovered = [Step(incident.recovery, "success", "First held success", "", None)] if incident.recovery is not None else []
    told = {step.evidence for step in noticed} - {None}
    changes = [
        _changed(change, incident.trigger)
        for change in incident.changes
        if change == incident.trigger or not (change.evidence in told or _part_of_a_fix(change, incident.fix_attempts))
    ]
    return sorted([*changes, *noticed, *fixes, *recovered], key=lambda step: (step.time, step.mark, step.what))


def _noticed(what: str, evidence: Evidence | None, changes: tuple[Change, ...]) -> str:
    """The mark and what it rests on: the change of the same entry in words, else the entry itself."""
    if evidence is None:
        return what
    words = next((change.summary for change in changes if change.evidence == evidence), evidence.message)
    return f"{what}: {one_line(words, 200)}"


def _part_of_a_fix(change: Change, fixes: tuple[FixAttempt, ...]) -> bool:
    """A fix attempt is summed up from the changes it is made of, at most an hour apart."""
    return any(abs((fix.time - change.time).total_seconds()) <= 3600 and change.summary in fix.summary for fix in fixes)


def _changed(change: Change, trigger: Change | None) -> Step:
    likely = change == trigger
    detail = change.kind.replace("-", " ") + (" · likely trigger" if likely else "")
    return Step(change.time, "change", one_line(change.summary), detail, change.evidence, weighty=likely or change.kind in _WEIGHTY)


def marks(incident: Incident, longest: int = 14) -> list[Step]:
    """The steps worth a mark in the figure: everything but changes, and the changes that can break a service."""
    worth = sorted(
        (step for step in steps(incident) if step.weighty), key=lambda step: (step.mark == "change", step.mark == "fix", step.time)
    )
    return sorted(worth[:longest], key=lambda step: (step.time, step.mark))
