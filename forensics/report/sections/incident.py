"""All sections of one incident, in the order of the questions: what, when, who noticed, why, what to do, how it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from forensics.model.values import Incident, Report
from forensics.report import charts, headline, summary
from forensics.report.blocks import Block, Drawing, Figure, Figures, Paragraph, Section, Span, optional, paragraph
from forensics.report.evidence import of_incident
from forensics.report.room import Room
from forensics.report.sections import changes, classes, conclusion, controls, detection, phases, quotes, remedies, why
from forensics.sanitize import one_line

_MOST_CONSEQUENCES = 60


def blocks(report: Report, index: int, room: Room, anchors: Mapping[int, str], linked: Mapping[int, int]) -> Iterator[Block]:
    """Yield the blocks of an incident. anchors: index → anchor, of the incidents that have a section; linked: effect → cause."""
    incident, anchor = report.incidents[index], anchors[index]
    names = of_incident(report, index)
    yield from _caused_by(report, index, anchors, linked)
    yield from paragraph(summary.gate(incident))
    yield from _consequences(report, index, anchors, linked)
    yield Figures(tuple(Figure(one.value, one.label, _target(anchor, one.section, room)) for one in headline.figures(report, incident)))
    yield from optional(conclusion.section(incident, names, anchor))
    drawn = charts.histogram(incident, room.bins)
    if drawn is not None:
        yield Drawing("bars", f"{anchor}-restarts", f"Restarts per {drawn.per} by class", (incident, drawn))
    if room.all_figures:
        gap = "Detection gap: time since the first failure (log scale)"
        yield Drawing("lanes", f"{anchor}-gap", gap, tuple(charts.detection_rows(incident)), anchor=f"{anchor}-detection")
    yield classes.of_incident(report, incident, names, room, anchor)
    yield from optional(phases.section(report, incident, room, anchor, drawn))
    yield changes.section(report, incident, names, room, anchor)
    yield detection.section(report, incident, names, anchor)
    yield why.section(report, incident, names, anchor)
    yield from optional(controls.section(report, incident, room, anchor))
    yield from optional(remedies.section(report, incident.classes, incident, room, f"{anchor}-remedy"))
    yield Section(f"{anchor}-cost", "Cost", paragraph(f"{summary.cost(incident)}."), brief="Cost")
    yield from optional(quotes.section(report, names, room, f"{anchor}-evidence"))


def _target(anchor: str, section: str, room: Room) -> str:
    if section == "detection" and not room.all_figures:
        return f"{anchor}-who"
    return "method" if section == "method" else f"{anchor}-{section}"


def _caused_by(report: Report, index: int, anchors: Mapping[int, str], linked: Mapping[int, int]) -> Iterator[Paragraph]:
    """Yield what an incident was a consequence of, leading to its incident or to the isolated failures."""
    incident = report.incidents[index]
    if not incident.caused_by:
        return
    to = anchors.get(linked.get(index, -1), "")
    isolated = not to and summary.caused_by_isolated(report, incident)
    see = (Span(" (see the "), Span("isolated failures", to="isolated"), Span(")")) if isolated else ()
    yield Paragraph(
        (
            Span(f"{one_line(incident.unit, 120)} was down because "),
            Span(one_line(incident.caused_by, 120), to=to),
            Span(" failed"),
            *see,
            Span("."),
        )
    )


def _consequences(report: Report, index: int, anchors: Mapping[int, str], linked: Mapping[int, int]) -> Iterator[Paragraph]:
    effects = [effect for effect, cause in linked.items() if cause == index]
    if not effects:
        return
    spans = [Span("Also down because of this: ")]
    for effect in effects[:_MOST_CONSEQUENCES]:
        spans += [Span(_name(report.incidents[effect]), to=anchors.get(effect, "")), Span(", ")]
    more = f", and {len(effects) - _MOST_CONSEQUENCES} more" if len(effects) > _MOST_CONSEQUENCES else ""
    yield Paragraph((*spans[:-1], Span(f"{more}.")))


def _name(incident: Incident) -> str:
    return one_line(incident.unit, 120)
