"""The chain of causes of an incident, and what made it longer."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.model.values import Incident, Report
from forensics.report import chain
from forensics.report.blocks import Block, Chain, Detail, Link, Section, paragraph
from forensics.report.evidence import Names
from forensics.sanitize import one_line

_LONGEST = 600


def section(report: Report, incident: Incident, names: Names, anchor: str) -> Section:
    """Show why it happened and why it lasted, each link marked as measured or inferred."""
    title = "Why it happened, and why it lasted"
    return Section(f"{anchor}-chain", title, tuple(_blocks(report, incident, names)), brief="Why")


def _blocks(report: Report, incident: Incident, names: Names) -> Iterator[Block]:
    yield Chain(_links(chain.chain(report, incident), names))
    if factors := chain.factors(incident):
        yield from paragraph("Contributing factors", "lead")
        yield Chain(_links(factors, names), ordered=False)
    yield from paragraph(chain.LEGEND, "note", Detail.TEXT)


def _links(links: list[chain.Link], names: Names) -> tuple[Link, ...]:
    return tuple(Link(link.role, one_line(link.text, _LONGEST), link.basis, names.ref(link.evidence)) for link in links)
