"""Render the blocks of a report for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import StringIO
from typing import Any

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from forensics.model.values import Report
from forensics.report import blocks as b
from forensics.report.document import compose
from forensics.report.options import RenderOptions
from forensics.report.room import BRIEF, TERMINAL, Room
from forensics.report.sections.compare import ANCHOR as COMPARED
from forensics.report.terminal_lines import BriefSteps, Sparkline, TightCommands, TightTable
from forensics.sanitize import brief, one_line
from forensics.wrapping import cells, encodable

STYLES = {"": "", "dim": "dim", "strong": "", "bad": "bold red", "good": "green", "code": ""}
_ROLES = {"verdict": "bold", "note": "dim", "lead": ""}
_LONGEST_CELL, _LONGEST_LINK, _LONGEST_BENEATH = 600, 400, 200
_WIDEST_ID = 34


def render(report: Report, options: RenderOptions) -> str:
    room = BRIEF if options.brief else TERMINAL
    return printed(parts(compose(report, room, redacted=options.redact), room, report.timezone), options)


def printed(parts: Iterable[RenderableType], options: RenderOptions) -> str:
    """Print for a terminal; environment variables (COLUMNS, NO_COLOR, …) are ignored, as the caller has decided."""
    out = StringIO()
    console = Console(
        file=out,
        width=max(40, options.width),
        force_terminal=options.color,
        color_system="standard" if options.color else None,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    for part in parts:
        console.print(part)
    text = "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"
    return encodable(text, options.encoding)


def parts(document: b.Document, room: Room, zone: str) -> Iterator[RenderableType]:
    yield Text(" · ".join(document.scope), style="dim")
    if document.warning:
        yield Text(document.warning, style="bold red")
    yield Text()
    yield Text(document.verdict, style="bold")
    first = 1 if document.blocks and isinstance(document.blocks[0], b.Section) and document.blocks[0].anchor == COMPARED else 0
    yield from rendered(document.blocks[:first], room, zone)
    if document.heading != document.title:
        yield heading(document.heading)
    yield from rendered(document.blocks[first:], room, zone)


def rendered(blocks: Iterable[b.Block], room: Room = TERMINAL, zone: str = "") -> Iterator[RenderableType]:
    """Render each block; those that a terminal has no room for are left out already."""
    for block in blocks:
        if isinstance(block, b.Section):
            yield heading(block.title)
            yield from rendered(block.blocks, room, zone)
        elif isinstance(block, b.Drawing):
            yield from _drawing(block, zone)
        elif isinstance(block, b.Table):
            yield from _table(block, room)
        else:
            yield from _RENDERERS[block.kind](block)


def heading(text: str) -> RenderableType:
    return Padding(Text(text, style="bold cyan"), (1, 0, 0, 0))


def _drawing(drawing: b.Drawing, zone: str) -> Iterator[RenderableType]:
    """Draw the bars of an incident in one line; other figures are for a page."""
    if drawing.shape == "bars":
        yield Text()
        yield Text(drawing.title, style="dim")
        yield Sparkline(drawing.of, zone)


def _paragraph(paragraph: b.Paragraph) -> Iterator[RenderableType]:
    text = _sentence(paragraph.spans)
    text.style = _ROLES.get(paragraph.role, "")
    yield text


def _sentence(spans: b.Sentence) -> Text:
    """Join the pieces; a reference to a quote is left out, as a terminal quotes nothing."""
    made = Text()
    for span in spans:
        if span.to != span.text or not span.to:
            made.append(span.text, style=STYLES[span.style])
    return made


def _bullets(bullets: b.Bullets) -> Iterator[RenderableType]:
    for item in bullets.items:
        yield Padding(_sentence(item), (0, 0, 0, 2))


def _figures(figures: b.Figures) -> Iterator[RenderableType]:
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(justify="right", style="bold", no_wrap=True)
    grid.add_column()
    for figure in figures.items:
        grid.add_row(Text(figure.value), Text(figure.label))
    yield grid


def _table(table: b.Table, room: Room) -> Iterator[RenderableType]:
    yield TightTable(table, STYLES) if table.tight else _columns(table)
    number, one, many = table.more
    if number:
        yield Text(f"… and {number:,} {one if number == 1 else many}; {room.elsewhere}.", style="dim")


def _columns(table: b.Table) -> RenderableType:
    numbers = b.columns_shown(table, TERMINAL.detail)
    made = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", expand=False)
    widest = max((_longest_word(row[table.named]) for row in table.rows), default=0)
    for k in numbers:
        column = table.columns[k]
        name = "" if column.icon else column.short or column.name
        least = min(widest, _WIDEST_ID) if k == table.named else None
        made.add_column(name, justify="right" if column.align == "number" else "left", overflow="fold", min_width=least)
    groups = dict(table.groups)
    for k, row in enumerate(table.rows):
        if k in groups:
            made.add_row(Text(groups[k], style="bold"))
        beneath = b.beneath(table, row, TERMINAL.detail)
        made.add_row(*(_cell(row[n], table.columns[n], beneath if n == table.named else ()) for n in numbers))
    return made


def _longest_word(cell: b.Cell) -> int:
    """Return how many columns keep an id, or a name that is one word, in one piece."""
    return max(len(cell.id), 0 if " " in cell.text else cells(cell.text))


def _cell(cell: b.Cell, column: b.Column, beneath: tuple[str, ...]) -> Text:
    if column.icon and cell.mark is not None:
        return Text(cell.mark[1])
    glyph = f"{cell.mark[1]} " if cell.mark is not None else ""
    text = Text(glyph + one_line(cell.text, _LONGEST_CELL), style=STYLES[cell.style])
    below = (*cell.below, *((cell.id,) if cell.id else ()), *(brief(line, _LONGEST_BENEATH) for line in beneath))
    for line in below:
        text.append(f"\n{line}", style="dim")
    return text


def _chain(chain: b.Chain) -> Iterator[RenderableType]:
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(style="bold", max_width=26)
    if has_basis := any(link.basis for link in chain.links):
        grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for link in chain.links:
        grid.add_row(Text(link.role), *([Text(link.basis)] if has_basis else []), Text(brief(link.text, _LONGEST_LINK)))
    yield grid


def _commands(commands: b.Commands) -> Iterator[RenderableType]:
    yield Padding(Text(commands.title, style="bold"), (1, 0, 0, 0))
    if commands.tight:
        yield TightCommands(commands.items)
        return
    for command, text in commands.items:
        yield Padding(Text(f"{command}\n  {text}" if text else command), (0, 0, 0, 2))


def _remedy(remedy: b.Remedy) -> Iterator[RenderableType]:
    yield Text(f"{remedy.title} ({remedy.aside})", style="bold")
    if remedy.lines:
        yield BriefSteps(remedy.steps, remedy.lines)
        return
    for text in (remedy.measured, remedy.steps):
        if text:
            yield Padding(Text(text), (0, 0, 0, 2))


def _quotes(quotes: b.Quotes) -> Iterator[RenderableType]:
    for quote in quotes.items:
        yield Text(f"{quote.time} · {quote.where}", style="dim")
        if quote.claim:
            yield Text(f"{quote.back[1]}: {quote.claim}")
        yield Text()
        lines = RichTable.grid(padding=(0, 1, 0, 0))
        lines.add_column(no_wrap=True)
        lines.add_column(overflow="fold")
        for line in quote.lines:
            decides = line.role == "decides"
            lines.add_row(b.QUOTE_MARKS[line.role], Text(line.text), style="bold" if decides else "" if line.role == "event" else "dim")
        yield lines
        yield Padding(Text("To see it again", style="bold"), (1, 0, 0, 0))
        yield TightCommands(tuple((command, "") for command in quote.commands))


_RENDERERS: dict[str, Callable[[Any], Iterator[RenderableType]]] = {
    "paragraph": _paragraph,
    "bullets": _bullets,
    "figures": _figures,
    "chain": _chain,
    "commands": _commands,
    "remedy": _remedy,
    "quotes": _quotes,
}
