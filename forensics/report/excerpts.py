"""Show one part of a report alone, a piece of evidence or an incident, by the name that the report has for it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from forensics import wording
from forensics.errors import UsageError
from forensics.model.values import Evidence, Report
from forensics.query import unit_pattern
from forensics.report import causes, commands, json_report, markdown, summary, terminal
from forensics.report.blocks import (
    Block,
    Cell,
    Column,
    Commands,
    Paragraph,
    Quote,
    Quotes,
    Section,
    Span,
    Table,
    optional,
    paragraph,
    shown,
)
from forensics.report.evidence import of_incident, of_isolated
from forensics.report.options import RenderOptions
from forensics.report.room import MARKDOWN, PAGES, TERMINAL, Room
from forensics.report.sections import incident as incident_sections
from forensics.report.sections import isolated, quotes
from forensics.sanitize import one_line, sanitized
from forensics.sanitize.markdown import plain

_MOST_NAMED = 8  # incidents that a mistake is answered with
_LONGEST_LINE = 300


@dataclass(frozen=True, slots=True)
class Part:
    """What is shown. index: of the incident, null of isolated failures; name, evidence: of a piece of evidence."""

    index: int | None
    name: str = ""
    evidence: Evidence | None = None


def show(report: Report, wanted: str, format_: str, options: RenderOptions) -> str:
    """Render what is wanted as term, md or json. Raises UsageError for a name that the report does not have."""
    report = sanitized(report, redact=options.redact)
    part = _find(report, wanted, unit_pattern(wanted))
    if part.evidence is not None:
        return _show_evidence(report, part, part.evidence, format_, options)
    index = part.index or 0
    if format_ == "json":
        incident = json_report.contract(report, redacted=options.redact)["incidents"][index]
        return as_json({"redacted": options.redact, "number": index + 1} | incident)
    title = summary.incident_title(report.incidents[index])
    number = f"{index + 1}. " if len(report.incidents) > 1 else ""
    return rendered(report, tuple(_of_incident(report, index, format_)), f"{number}{title}", format_, options)


def _find(report: Report, wanted: str, unit: str) -> Part:
    """Find evidence by its name, an incident by its number, id or unit. unit: the wanted name with its suffix. Raises UsageError."""
    name = wanted.strip()
    for index in range(len(report.incidents)):
        for evidence, own in of_incident(report, index).by_evidence():
            if own == name.upper():
                return Part(index, own, evidence)
    for evidence, own in of_isolated(report).by_evidence():
        if own == name.upper():
            return Part(None, own, evidence)
    if name.isascii() and name.isdecimal() and 0 < int(name[:9]) <= len(report.incidents):
        return Part(int(name) - 1)
    found = [k for k, incident in enumerate(report.incidents) if incident.id == name or incident.unit in {name, unit}]
    if len(found) == 1:
        return Part(found[0])
    if found:
        raise UsageError(f"{unit} has {len(found)} incidents: {_listed([str(k + 1) for k in found])}; choose one by its number.")
    raise UsageError(f"There is no '{name}' in this report. {_existing(report)}")


def _existing(report: Report) -> str:
    """List the names that exist, in one sentence."""
    loose = _span([name for _, name in of_isolated(report).by_evidence()])
    if not report.incidents:
        return f"It has no incident, and {loose} of isolated failures." if loose else "It has no incident and no isolated failure."
    each = []
    for k, incident in enumerate(report.incidents[:_MOST_NAMED]):
        evidence = _span([name for _, name in of_incident(report, k).by_evidence()])
        each.append(f"incident {k + 1} ({one_line(incident.unit, 80)}{f', {evidence}' if evidence else ''})")
    left = len(report.incidents) - len(each)
    more = f" and {wording.plural(left, 'more incident')}" if left else ""
    return f"It has {', '.join(each)}{more}{f', and {loose} of isolated failures' if loose else ''}."


def _span(names: Sequence[str]) -> str:
    return f"{names[0]} to {names[-1]}" if len(names) > 1 else "".join(names)


def _listed(names: Sequence[str]) -> str:
    more = [f"{len(names) - 20} more"] if len(names) > 20 else []
    return ", ".join([*names[:20], *more])


def _show_evidence(report: Report, part: Part, evidence: Evidence, format_: str, options: RenderOptions) -> str:
    found = (quote for quote in _quotes(report, part.index, PAGES[0]) if quote.name == part.name)
    quote = next(found, None) or quotes.quote(report, part.name, evidence, PAGES[0])
    if format_ == "json":
        incident = None if part.index is None else part.index + 1
        keys = {"redacted": options.redact, "incident": incident, "claim": quote.claim or None, "commands": list(quote.commands)}
        return as_json(keys | json_report.evidence_keys(quote.of, {quote.of: part.name}))
    return rendered(report, (Quotes((quote,)),), f"{part.name} of {_whose(report, part)}", format_, options)


def _whose(report: Report, part: Part) -> str:
    if part.index is None:
        return "the isolated failures"
    return f"incident {part.index + 1}, {one_line(report.incidents[part.index].unit, 120)}"


def _quotes(report: Report, index: int | None, room: Room) -> Iterator[Quote]:
    """Yield all quotes of an incident or of the isolated failures, each with the claim that it supports."""
    if index is None:
        names = of_isolated(report)
        own = isolated.section(report, names, room)
        quoted = quotes.section(report, names, room, "evidence")
        blocks: tuple[Block, ...] = (*optional(own), *optional(quoted))
    else:
        blocks = tuple(incident_sections.blocks(report, index, room, {index: f"i{index + 1}"}, causes.causes(report)))
    for block in quotes.with_places(blocks):
        if isinstance(block, Section):
            yield from (quote for inside in block.blocks if isinstance(inside, Quotes) for quote in inside.items)


def _of_incident(report: Report, index: int, format_: str) -> Iterator[Block]:
    """Yield the section of an incident; a terminal lists the evidence, to be shown one by one."""
    incident, room = report.incidents[index], TERMINAL if format_ == "term" else MARKDOWN
    yield Paragraph((Span(one_line(incident.verdict, 1000)),), "verdict")
    blocks = quotes.with_places(tuple(incident_sections.blocks(report, index, room, {index: f"i{index + 1}"}, causes.causes(report))))
    yield from shown(blocks, room.detail)
    if format_ == "term":
        listed = tuple(_quotes(report, index, room))
        rows = tuple((Cell(quote.name), Cell(quote.time), Cell(one_line(quote.of.message, _LONGEST_LINE))) for quote in listed)
        columns = (Column("Name"), Column("Time", "time"), Column("Line", "wide"))
        if rows:
            yield Section("evidence", "Evidence", (Table("Evidence", columns, rows, named=2, tight=True),))
            first = commands.show(report, listed[0].name)
            yield Commands(((first, "the whole event, with the lines around it"),), title="Next", tight=True)


def rendered(report: Report, blocks: tuple[Block, ...], title: str, format_: str, options: RenderOptions) -> str:
    """Render blocks as term or md."""
    warning = "" if options.redact else wording.NOT_REDACTED
    if format_ == "md":
        return "\n\n".join(part for part in (f"# {plain(title)}", plain(warning), *markdown.rendered(blocks, 2)) if part) + "\n"
    head = [terminal.heading(title), *terminal.rendered(paragraph(warning, "note"))]
    return terminal.printed([*head, *terminal.rendered(blocks, TERMINAL, report.timezone)], options).lstrip("\n")


def as_json(keys: dict[str, Any]) -> str:
    whole = {"schema_version": json_report.SCHEMA_VERSION} | keys
    return json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
