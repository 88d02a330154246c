"""The vocabulary of a readable report: sections made of a few kinds of block. Each format renders each kind once.

Texts are plain and cut to their length; a format escapes them in its own way and adds no words.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, ClassVar, Literal

from forensics.model.values import Evidence

Style = Literal["", "dim", "strong", "bad", "good", "code"]
Align = Literal["text", "number", "time", "wide"]


class Detail(IntEnum):
    """How much a format has room for; a block or column names the least that shows it."""

    TERMINAL = 0
    TEXT = 1
    PAGE = 2


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a sentence. to: the anchor or the quote that it leads to."""

    text: str
    style: Style = ""
    to: str = ""


Sentence = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph. role: where it stands: "verdict", "lead" or "note"; "" for running text."""

    kind: ClassVar[str] = "paragraph"
    spans: Sentence
    role: str = ""
    least: Detail = Detail.TERMINAL


@dataclass(frozen=True, slots=True)
class Bullets:
    kind: ClassVar[str] = "bullets"
    items: tuple[Sentence, ...]
    role: str = ""
    least: Detail = Detail.TERMINAL


@dataclass(frozen=True, slots=True)
class Figure:
    """One headline figure and the anchor of the section with its evidence."""

    value: str
    label: str
    to: str


@dataclass(frozen=True, slots=True)
class Figures:
    kind: ClassVar[str] = "figures"
    items: tuple[Figure, ...]
    least: Detail = Detail.TERMINAL


@dataclass(frozen=True, slots=True)
class Column:
    """One column. short: its heading where room is scarce; beneath: where it has no room, its text goes below the row's name.

    icon: of its cells a terminal shows the glyph alone.
    """

    name: str
    align: Align = "text"
    least: Detail = Detail.TERMINAL
    short: str = ""
    beneath: bool = False
    icon: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One value. below: further lines; id: the class's id; mark: the glyph's meaning and the glyph; swatch: its colour in the figures.

    sort: what a page sorts by where the text is no plain number, such as a duration's seconds; file: a path beside the page to link to.
    """

    text: str
    style: Style = ""
    below: tuple[str, ...] = ()
    id: str = ""
    to: str = ""
    mark: tuple[str, str] | None = None
    swatch: int | None = None
    sort: float | None = None
    file: str = ""


Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table whose first column names its rows. total: the last row; more: how many rows are left out, and what they are.

    tight: in a terminal a row is one line, and each text below it another; texts are cut to the width, ids never.
    """

    kind: ClassVar[str] = "table"
    name: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: Row | None = None
    caption: str = ""
    more: tuple[int, str, str] = (0, "row", "rows")
    groups: tuple[tuple[int, str], ...] = ()  # (index of a row, the heading before it)
    named: int = 0  # the column that names a row
    cards: bool = True  # on a telephone each row is a card; else the table scrolls
    sortable: bool = True  # its rows are of one kind, so that a reader may order them
    tight: bool = False
    least: Detail = Detail.TERMINAL
    most: Detail = Detail.PAGE


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a chain of causes. role: what it is in the chain; basis: measured or inferred; to: its quote."""

    role: str
    text: str
    basis: str
    to: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """Links in the order in which they matter; an unordered one lists what contributed."""

    kind: ClassVar[str] = "chain"
    links: tuple[Link, ...]
    ordered: bool = True
    least: Detail = Detail.TERMINAL


@dataclass(frozen=True, slots=True)
class Commands:
    """Commands to copy, each with what it does. tight: in a terminal both are on one line where they fit."""

    kind: ClassVar[str] = "commands"
    items: tuple[tuple[str, str], ...]
    title: str = ""
    tight: bool = False
    least: Detail = Detail.TERMINAL


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do about one class. aside: how often it occurred, and whether a restart helps.

    lines: the most that a terminal gives to the steps; 0: all that they need.
    """

    kind: ClassVar[str] = "remedy"
    title: str
    aside: str
    measured: str
    cause: str
    steps: str
    lines: int = 0
    least: Detail = Detail.TERMINAL


QUOTE_MARKS = {"decides": ">", "event": "|", "around": " "}


@dataclass(frozen=True, slots=True)
class QuoteLine:
    """One line of a quote: the one that decides, another of its event, or one around it."""

    role: Literal["decides", "event", "around"]
    text: str


@dataclass(frozen=True, slots=True)
class Quote:
    """One piece of evidence. where: its file and offset; lines: none where there is no room for them; commands: that show it again.

    back: anchor and title of the first section that refers to it; claim: what is claimed there.
    """

    name: str
    time: str
    where: str
    lines: tuple[QuoteLine, ...]
    commands: tuple[str, ...]
    of: Evidence
    back: tuple[str, str] = ("", "")
    claim: str = ""

    @property
    def text(self) -> str:
        """The lines as text in which the deciding one is marked, if there are others."""
        if len(self.lines) == 1:
            return self.lines[0].text
        return "\n".join(f"{QUOTE_MARKS[line.role]} {line.text}".rstrip() for line in self.lines)


@dataclass(frozen=True, slots=True)
class Quotes:
    kind: ClassVar[str] = "quotes"
    items: tuple[Quote, ...]
    least: Detail = Detail.TEXT


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure. shape: what draws it; of: the values drawn; a table of the report has the same values as text."""

    kind: ClassVar[str] = "drawing"
    shape: Literal["bars", "growth", "lanes", "controls", "incidents", "heat"]
    name: str
    title: str
    of: Any
    legend: tuple[tuple[str, str], ...] = ()
    anchor: str = ""
    least: Detail = Detail.PAGE


@dataclass(frozen=True, slots=True)
class Folded:
    """Blocks that are shown on demand, and in print."""

    kind: ClassVar[str] = "folded"
    summary: str
    blocks: tuple[Block, ...]
    printed: bool = True
    least: Detail = Detail.PAGE


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with what belongs to it. title "": blocks without a heading; brief: the heading in a table of contents."""

    kind: ClassVar[str] = "section"
    anchor: str
    title: str
    blocks: tuple[Block, ...]
    brief: str = ""
    least: Detail = Detail.TERMINAL


Block = Paragraph | Bullets | Figures | Table | Chain | Commands | Remedy | Quotes | Drawing | Folded | Section


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report in blocks, the same for every format."""

    title: str
    heading: str  # the title with the incident's times
    scope: tuple[str, ...]
    complete: bool
    warning: str  # "" or what must be known before anything is shared
    verdict: str
    calm: bool  # nothing failed
    blocks: tuple[Block, ...]
    generated: str
    anchors: frozenset[str] = field(default_factory=frozenset)


def plain(text: str, style: Style = "") -> Sentence:
    """Make a sentence of one piece."""
    return (Span(text, style),)


def paragraph(text: str, role: str = "", least: Detail = Detail.TERMINAL) -> tuple[Paragraph, ...]:
    """Make a paragraph; none of an empty text."""
    return (Paragraph(plain(text), role, least),) if text else ()


def optional(section: Section | None) -> tuple[Section, ...]:
    """Make none of a section that has nothing to show."""
    return () if section is None else (section,)


def reference(name: str) -> tuple[Span, ...]:
    """Lead to a quote; none without a name."""
    return (Span(name, to=name),) if name else ()


def shown(blocks: tuple[Block, ...], detail: Detail) -> tuple[Block, ...]:
    """Leave out the blocks that this detail has no room for, and sections that are empty without them."""
    kept: list[Block] = []
    for block in blocks:
        if block.least > detail or (isinstance(block, Table) and block.most < detail):
            continue
        if isinstance(block, Section | Folded):
            inside = shown(block.blocks, detail)
            if inside:
                kept.append(replace(block, blocks=inside))
        else:
            kept.append(block)
    return tuple(kept)


def columns_shown(table: Table, detail: Detail) -> list[int]:
    """Return the numbers of the columns that this detail has room for."""
    return [k for k, column in enumerate(table.columns) if column.least <= detail]


def beneath(table: Table, row: Row, detail: Detail) -> tuple[str, ...]:
    """Return the texts of a row's columns that stand below its first cell because there is no room for the column."""
    return tuple(
        row[k].text for k, column in enumerate(table.columns) if column.beneath and column.least > detail and k < len(row) and row[k].text
    )
