"""Lay out what a terminal shows in single lines: tight tables, sparklines, commands, steps in brief. Texts are cut, ids never."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from forensics import wording
from forensics.model.values import Incident
from forensics.report import blocks as b
from forensics.report.charts import Histogram
from forensics.sanitize import one_line
from forensics.wrapping import cells, shortened, wrapped

_GAP = 2
_INDENT = 4  # of the text below a row
_LEAST_TITLE = 24  # columns; where an id leaves less it gets a line of its own


def _line(*parts: tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ignore")


@dataclass(frozen=True, slots=True)
class TightTable:
    """A table whose rows are single lines: numbers in columns, the name in the room that they leave, its id after it."""

    table: b.Table
    styles: dict[str, str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        table, width = self.table, options.max_width
        heads = [column.short or column.name for column in table.columns]
        rows = [[_text(cell) for cell in row] for row in table.rows]
        widths = [max(cells(text) for text in column) for column in zip(heads, *rows, strict=True)]
        widths[table.named] = max(10, width - sum(w for k, w in enumerate(widths) if k != table.named) - _GAP * (len(heads) - 1))
        names = [_wide(text[table.named], row[table.named].id) for text, row in zip(rows, table.rows, strict=True)]
        widths[table.named] = min(widths[table.named], max(cells(heads[table.named]), *names, 0))
        yield from self._row([(head, "bold") for head in heads], widths, "")
        groups = dict(table.groups)
        for k, (cells_of_row, texts) in enumerate(zip(table.rows, rows, strict=True)):
            if k in groups:
                yield _line((shortened(groups[k], width), "bold"))
            styled = [(text, self.styles[cell.style]) for text, cell in zip(texts, cells_of_row, strict=True)]
            named = cells_of_row[table.named]
            yield from self._row(styled, widths, named.id)
            for below in named.below:
                yield _line((" " * _INDENT + shortened(one_line(below), width - _INDENT), "dim"))

    def _row(self, texts: Sequence[tuple[str, str]], widths: Sequence[int], id_: str) -> Iterator[Text]:
        """Yield a row; what comes after a name that is one long word, and an id that does not fit, is on a line of its own."""
        named, room = self.table.named, widths[self.table.named]
        name, style = texts[named]
        before = [self._column(k, texts, widths) for k in range(named)]
        after = [self._column(k, texts, widths) for k in range(named + 1, len(texts))]
        if cells(name) > room and " " not in name:
            yield Text.assemble(*before, (name, style), overflow="fold")
            before, name = [("".join(" " * cells(text) for text, _ in before), "")], ""
        follows = id_ if id_ and room - cells(id_) - _GAP >= min(cells(name), _LEAST_TITLE) else ""
        name = shortened(name, room - cells(follows) - _GAP if follows else room)
        aside = " " * _GAP + follows if follows else ""
        yield _line(*before, (name, style), (aside, "dim"), (" " * (room - cells(name) - cells(aside)), ""), *after)
        if id_ and not follows:
            yield Text(" " * _INDENT + id_, style="dim", overflow="fold")

    def _column(self, k: int, texts: Sequence[tuple[str, str]], widths: Sequence[int]) -> tuple[str, str]:
        """Return a column's text, as wide as the column and with the gap on the side of the name."""
        text, style = texts[k]
        space, gap = " " * (widths[k] - cells(text)), " " * _GAP
        text = f"{space}{text}" if self.table.columns[k].align == "number" else f"{text}{space}"
        return f"{text}{gap}" if k < self.table.named else f"{gap}{text}", style


def _text(cell: b.Cell) -> str:
    return (f"{cell.mark[1]} " if cell.mark is not None else "") + one_line(cell.text, 600)


def _wide(text: str, id_: str) -> int:
    return cells(text) + (_GAP + cells(id_) if id_ else 0)


@dataclass(frozen=True, slots=True)
class Sparkline:
    """The restarts of an incident in one line, between its start and its end."""

    of: tuple[Incident, Histogram]
    zone: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        incident, drawn = self.of
        stamp, where = wording.precise_enough(incident.start, incident.end), wording.zone(self.zone)
        start, end = stamp(incident.start, where), "ongoing" if incident.ongoing else stamp(incident.end, where)
        counts = _merged(drawn.totals, options.max_width - cells(start) - cells(end) - 2)
        yield _line((f"{start} ", "dim"), (wording.sparkline(counts), ""), (f" {end}", "dim"))


def _merged(counts: Sequence[int], most: int) -> list[int]:
    """Add up neighbours until at most so many counts are left."""
    per = max(1, -(-len(counts) // max(1, most)))
    return [sum(counts[k : k + per]) for k in range(0, len(counts), per)]


@dataclass(frozen=True, slots=True)
class TightCommands:
    """Commands, and on the same line what each does where that fits."""

    items: tuple[tuple[str, str], ...]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = options.max_width - _GAP
        column = max((cells(command) for command, text in self.items if _wide(command, text) <= width), default=0)
        for command, text in self.items:
            *first, last = continued(command, width)
            for line in first:
                yield Text(f"  {line}", overflow="fold")
            fits = text and not first and cells(command) <= column and column + _GAP + cells(text) <= width
            aside = f"{' ' * (column - cells(command) + _GAP)}{text}" if fits else ""
            yield Text.assemble(f"  {last}", (aside, "dim"), overflow="fold")


def continued(command: str, width: int) -> list[str]:
    """Break a command between its words, with a backslash where a shell is to read on."""
    if cells(command) <= width:
        return [command]
    try:
        words = [shlex.quote(word) for word in shlex.split(command)]
    except ValueError:  # an unbalanced quote in a name that was cut
        return [command]
    lines = [""]
    for word in _with_values(words):
        if lines[-1].strip() and cells(lines[-1]) + 1 + cells(word) + 2 > width:
            lines.append("  ")
        lines[-1] += f" {word}" if lines[-1].strip() else word
    return [*(f"{line} \\" for line in lines[:-1]), lines[-1]]


def _with_values(words: Sequence[str]) -> list[str]:
    """Join an option and its value."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("-") and " " not in joined[-1] and not word.startswith("-"):
            joined[-1] += f" {word}"
        else:
            joined.append(word)
    return joined


@dataclass(frozen=True, slots=True)
class BriefSteps:
    """The steps of a remedy in a few lines."""

    text: str
    lines: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in steps_in_brief(self.text, options.max_width - _GAP, self.lines).split("\n"):
            yield _line((f"  {line}", ""))


def steps_in_brief(text: str, width: int, most: int) -> str:
    """Give each step of a remedy a line, and further lines to the first that need them, as far as `most` reaches; the rest is cut."""
    steps = [step for step in text.splitlines() if step.strip()]
    left_out = len(steps) - most + 1 if len(steps) > most else 0
    steps = steps[: len(steps) - left_out]
    spare = most - len(steps) - bool(left_out)
    shown = []
    for step in steps:
        lines = wrapped(step, width).split("\n")
        extra = min(len(lines) - 1, spare)
        spare -= extra
        rest = " ".join([lines[extra], *(line.strip() for line in lines[extra + 1 :])])
        shown += [*lines[:extra], shortened(rest, width)]
    return "\n".join([*shown, *([f"… and {wording.plural(left_out, 'more step')}"] if left_out else [])])
