"""The evidence that a report refers to: each piece with what is around it, its place in the journal, and how to see it again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from forensics import wording
from forensics.model.values import Evidence, Report
from forensics.report import commands, summary
from forensics.report.blocks import Block, Bullets, Chain, Detail, Folded, Paragraph, Quote, QuoteLine, Quotes, Section, Table
from forensics.report.evidence import Names, shown_before
from forensics.report.room import Room
from forensics.sanitize import cut, one_line

_AROUND_SHARE = 4  # lines before and after get a quarter of the room that the event has
_LONGEST_AROUND, _LONGEST_OF_EVENT = 300, 1000  # bytes of a line that does not decide
_LONGEST_CLAIM = 300
_LEFT_OUT = QuoteLine("around", "…")


def section(report: Report, names: Names, room: Room, anchor: str, title: str = "Evidence") -> Section | None:
    """Quote what the sections before refer to; nothing where they refer to nothing."""
    quoted = tuple(quote(report, name, evidence, room, k) for k, (name, evidence) in enumerate(names.referred()))
    return Section(anchor, title, (Quotes(quoted),), brief=title, least=Detail.TEXT) if quoted else None


def quote(report: Report, name: str, evidence: Evidence, room: Room, number: int = 0) -> Quote:
    """Quote a piece of evidence as far as there is room. number: of the pieces quoted before."""
    return Quote(
        name=name,
        time=wording.instant(evidence.time, wording.zone(report.timezone)),
        where=one_line(summary.location(evidence.file, evidence.offset), 300),
        lines=_lines(evidence, room.quote_bytes) if number < room.quotes else (),
        commands=tuple(filter(None, (commands.show(report, name), commands.journalctl(report, evidence)))),
        of=evidence,
    )


def _lines(evidence: Evidence, longest: int) -> tuple[QuoteLine, ...]:
    """Return the deciding line, as much of its event as fits, and the lines around it."""
    event, decides = evidence.event or (evidence.message,), evidence.decides
    room = longest // _AROUND_SHARE
    before = list(_fitting(reversed(shown_before(evidence)), room, _LONGEST_AROUND))[::-1]
    after = _fitting(evidence.after, room, _LONGEST_AROUND)
    return (
        *(QuoteLine("around", line) for line in before),
        *_of_event(event, decides if decides < len(event) else 0, longest),
        *(QuoteLine("around", line) for line in after),
    )


def _of_event(event: Sequence[str], decides: int, longest: int) -> Iterator[QuoteLine]:
    """Yield the deciding line and those nearest to it."""
    own = cut(event[decides], longest)
    room = longest - len(own.encode())
    above = list(_fitting(reversed(event[:decides]), room, _LONGEST_OF_EVENT))[::-1]
    below = list(_fitting(event[decides + 1 :], room - sum(len(line.encode()) for line in above), _LONGEST_OF_EVENT))
    if len(above) < decides:
        yield _LEFT_OUT
    yield from (QuoteLine("event", line) for line in above)
    first, *more = own.split("\n")
    yield QuoteLine("decides", first)
    yield from (QuoteLine("event", line) for line in (*more, *below))
    if decides + 1 + len(below) < len(event):
        yield _LEFT_OUT


def _fitting(lines: Iterable[str], room: int, longest: int) -> Iterator[str]:
    for line in lines:
        short = cut(line, longest).replace("\n", " ")
        room -= len(short.encode())
        if room < 0:
            return
        yield short


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a quote is referred to. claim: what is claimed there."""

    anchor: str = ""
    title: str = ""
    claim: str = ""


def with_places(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """Let each quote lead back to the first claim that refers to it."""
    first: dict[str, _Place] = {}
    for name, place in _references(blocks, _Place()):
        first.setdefault(name, place)
    return tuple(_with_place(block, first) for block in blocks)


def _with_place(block: Block, first: dict[str, _Place]) -> Block:
    if isinstance(block, Section | Folded):
        return replace(block, blocks=tuple(_with_place(inside, first) for inside in block.blocks))
    if isinstance(block, Quotes):
        return replace(block, items=tuple(_led_back(quote, first.get(quote.name, _Place())) for quote in block.items))
    return block


def _led_back(quote: Quote, place: _Place) -> Quote:
    return replace(quote, back=(place.anchor, place.title), claim=cut(place.claim, _LONGEST_CLAIM))


def _references(blocks: Iterable[Block], place: _Place) -> Iterator[tuple[str, _Place]]:
    """Yield what is referred to, and where."""
    for block in blocks:
        if isinstance(block, Section):
            yield from _references(block.blocks, _Place(block.anchor, block.title) if block.title else place)
        elif isinstance(block, Folded):
            yield from _references(block.blocks, place)
        else:
            yield from ((name, replace(place, claim=claim)) for name, claim in _claims(block))


def _claims(block: Block) -> Iterator[tuple[str, str]]:
    """Yield (what is referred to, what is claimed) of a block without others in it."""
    if isinstance(block, Table):
        yield from ((cell.to, row[block.named].text) for row in block.rows for cell in row)
    elif isinstance(block, Chain):
        yield from ((link.to, f"{link.role}: {link.text}") for link in block.links)
    elif isinstance(block, Bullets | Paragraph):
        for spans in block.items if isinstance(block, Bullets) else (block.spans,):
            claim = "".join(span.text for span in spans if span.to != span.text).strip(" ,")
            yield from ((span.to, claim) for span in spans)
