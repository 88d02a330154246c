"""The conclusion of an incident in at most four sentences: what failed, the one cause behind several classes, its end, what to do first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from shlex import quote

from forensics import wording
from forensics.model.values import FailureClass, Incident, SharedValue
from forensics.report import breakdown, links
from forensics.report.blocks import Bullets, Section, Sentence, Span, plain, reference
from forensics.report.evidence import Names
from forensics.report.recommended import PROGRAM
from forensics.sanitize import brief, one_line

MOST = 4  # sentences
_LONGEST = 240  # characters of what is quoted
_RAN = re.compile(r"^\S{1,64} ran ")
_EARLIER = re.compile(r"\d{1,9} earlier actions?")
_NUMBER = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*•])\s{1,4}")
_DEPLOYED = {
    "system-switch": "switch",
    "package": "change of packages",
    "configuration": "change of its configuration",
    "driver": "new driver",
}


def section(incident: Incident, names: Names, anchor: str) -> Section | None:
    """Draw the conclusion of one incident; None where there is nothing to add to its headline."""
    sentences = tuple(_sentences(incident, names))[:MOST]
    return Section(f"{anchor}-conclusion", "In short", (Bullets(sentences),), brief="In short") if sentences else None


def _sentences(incident: Incident, names: Names) -> Iterator[Sentence]:
    held = _end(incident, names)
    yield from _main_class(incident, names)
    for link in links.shown(incident)[: 1 if held else 2]:
        yield _link(incident, link, names)
    yield from held
    yield from _first_step(incident) if incident.ongoing else _prevention(incident)


def _main_class(incident: Incident, names: Names) -> Iterator[Sentence]:
    """Name what most of it failed of, and whether a restart could have cured it."""
    if not incident.classes or incident.caused_by:
        return
    row, counted = incident.classes[0], breakdown.counted(incident.classes)[-1]
    number, total = breakdown.number(row, counted), sum(breakdown.number(one, counted) for one in incident.classes)
    share = f"{wording.count(number)} of {wording.plural(total, counted.removesuffix('s'))}" if number < total else f"All {counted}"
    share = "The failure" if total == 1 else share
    useless = "; no restart cures it" if row.restart_helps is False else "; no restart cured it here" if breakdown.is_uncured(row) else ""
    yield (Span(f"{share}: "), Span(one_line(row.title, _LONGEST), "strong"), Span(f"{useless}."), *reference(names.ref(row.sample)))


def _link(incident: Incident, link: SharedValue, names: Names) -> Sentence:
    """State what failures name, which is measured; that it is their cause is inferred."""
    end = None if link.ended is None else link.ended.evidence
    return (Span(f"{links.in_words(incident, link)} (inferred)."), *reference(names.ref(link.evidence)), *reference(names.ref(end)))


def _end(incident: Incident, names: Names) -> list[Sentence]:
    """Name the try after which it held: order in time only."""
    tries = [(number, fix) for number, fix in enumerate(incident.fix_attempts, 1) if fix.outcome == "held"]
    if not tries:
        return []
    number, fix = tries[-1]
    of_all = f"fix attempt {number} of {len(incident.fix_attempts)}" if len(incident.fix_attempts) > 1 else "the fix attempt"
    return [(Span(f"It held after {of_all}: {brief(_acts(fix.summary), _LONGEST)}."), *reference(names.ref(fix.evidence)))]


def _acts(summary: str) -> str:
    """Leave out who acted, and how many earlier actions there were."""
    return "; ".join(_RAN.sub("", part) for part in summary.split("; ") if not _EARLIER.fullmatch(part)) or summary


def _first_step(incident: Incident) -> Iterator[Sentence]:
    """Give the first thing to do about what fails now."""
    process = next((link.value for link in incident.links if link.what == "process" and link.ended is None), "")
    if process:
        yield plain(f"Do now: see whose process it is with `systemctl status {process}`, and stop it if it is a left-over.")
    elif incident.caused_by:
        yield plain(f"Do now: repair {one_line(incident.caused_by, 120)} first.")
    elif (row := _failing_now(incident)) is not None:
        step = _NUMBER.sub("", wording.reflowed(row.remedy).split("\n", 1)[0])
        yield plain(f"Do now, about {one_line(row.title, 120)}: {brief(step, 2 * _LONGEST)}")


def _failing_now(incident: Incident) -> FailureClass | None:
    """Choose the class that has a remedy: the main one of the last phase, else the most frequent one."""
    known = [row for row in incident.classes if row.remedy]
    last = incident.phases[-1].primary if incident.phases else ""
    return next((row for row in known if row.signature == last), known[0] if known else None)


def _prevention(incident: Incident) -> Iterator[Sentence]:
    """Name what would have prevented it, or at least have told somebody, with the command that writes it."""
    unit, name = f"--unit {quote(one_line(incident.unit, 300))}", one_line(incident.unit.removesuffix(".service"), 120)
    steps: list[tuple[str, str]] = []
    if incident.trigger is not None and incident.trigger.kind in _DEPLOYED:
        steps.append((f"verify {name} after each {_DEPLOYED[incident.trigger.kind]}", "post-deploy"))
    if port := next((link.port or link.value for link in incident.links if link.port or link.what == "port"), ""):
        steps.append((f"check before each start that port {port} is free", "preflight"))
    lead = "To prevent it"
    if not steps and incident.detection.alert is None:
        lead, steps = "To hear of it next time", [("write alert rules that fire on it", "rules")]
    if not steps:
        return
    yield plain(f"{lead}, {' and '.join(f'{text} (`{PROGRAM} generate {command} {unit}`)' for text, command in steps)}.")
