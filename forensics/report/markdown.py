"""Render the blocks of a report as GitHub-flavoured Markdown in which no log line can become markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from forensics.model.values import Report
from forensics.report import blocks as b
from forensics.report.document import compose
from forensics.report.options import RenderOptions
from forensics.report.room import MARKDOWN
from forensics.sanitize.markdown import plain, quoted

_LONGEST, _LONGEST_CELL, _LONGEST_REMEDY, _LONGEST_QUOTE = 1000, 400, 4096, 4096
_BOLD = frozenset({"verdict"})


def render(report: Report, options: RenderOptions) -> str:
    return whole(compose(report, MARKDOWN, redacted=options.redact))


def whole(document: b.Document) -> str:
    """Write a document with its head."""
    times = document.heading.removeprefix(document.title)  # the program's own
    head = [f"# {plain(document.title)}{times}", plain(" · ".join(document.scope), _LONGEST), plain(document.warning)]
    verdict = f"**{plain(document.verdict, _LONGEST)}**"
    return "\n\n".join(part for part in (*head, verdict, *rendered(document.blocks, 2)) if part) + "\n"


def rendered(blocks: Iterable[b.Block], level: int) -> Iterator[str]:
    """Render each block in its own way; level: of the headings."""
    for block in blocks:
        if isinstance(block, b.Section):
            yield f"{'#' * level} {plain(block.title)}"
            yield from rendered(block.blocks, level + 1)
        elif isinstance(block, b.Remedy):
            yield f"{'#' * level} {plain(block.title)} ({plain(block.aside)})"
            yield from _remedy(block)
        else:
            yield from _RENDERERS[block.kind](block)


def _paragraph(paragraph: b.Paragraph) -> Iterator[str]:
    text = _sentence(paragraph.spans)
    yield f"**{text}**" if paragraph.role in _BOLD else text


def _sentence(spans: b.Sentence) -> str:
    """Join the pieces of a sentence. Quotes are named; anchors are left out, as not every reader of Markdown has them."""
    return "".join(f" {span.text}" if span.to and span.to == span.text else plain_piece(span.text) for span in spans)


def plain_piece(text: str) -> str:
    """Escape a piece of a sentence, its spaces at the ends kept."""
    inner = text.strip(" ")
    if not inner:
        return text
    before, after = text[: len(text) - len(text.lstrip(" "))], text[len(text.rstrip(" ")) :]
    return before + plain(inner, _LONGEST) + after


def _bullets(bullets: b.Bullets) -> Iterator[str]:
    yield "\n".join(f"- {_sentence(item)}" for item in bullets.items)


def _figures(figures: b.Figures) -> Iterator[str]:
    yield "\n".join(f"- **{figure.value}** {plain(figure.label)}" for figure in figures.items)


def _table(table: b.Table) -> Iterator[str]:
    numbers = b.columns_shown(table, MARKDOWN.detail)
    heads = [table.columns[k].name for k in numbers]
    rule = ["---:" if table.columns[k].align == "number" else "---" for k in numbers]
    rows = list(_rows(table, numbers))
    if table.total is not None:
        total = [_cell(cell, table.columns[k]) for k, cell in enumerate(table.total)]
        rows.append([*total, *[""] * (len(numbers) - len(total))])
    yield "\n".join("| " + " | ".join(cells) + " |" for cells in (heads, rule, *rows))
    number, one, many = table.more
    if number:
        yield f"… and {number:,} {one if number == 1 else many}; {plain(MARKDOWN.elsewhere)}."


def _rows(table: b.Table, numbers: Sequence[int]) -> Iterator[list[str]]:
    """Yield the cells of each row; a group's heading is a row whose other cells are empty."""
    groups = dict(table.groups)
    for k, row in enumerate(table.rows):
        if k in groups:
            yield [f"**{plain(groups[k])}**", *[""] * (len(numbers) - 1)]
        yield [_cell(row[n], table.columns[n]) for n in numbers]


def _cell(cell: b.Cell, column: b.Column) -> str:
    """Escape a text; numbers and times are the program's own."""
    text = cell.text if column.align in {"number", "time"} else plain(cell.text, _LONGEST_CELL)
    if cell.mark is not None:
        text = f"{cell.mark[1]} {text}"
    beside = [plain(line, _LONGEST_CELL) for line in (*((cell.id,) if cell.id else ()), *cell.below) if line]
    return f"{text} ({'; '.join(beside)})" if beside else text


def _chain(chain: b.Chain) -> Iterator[str]:
    yield "\n".join(f"{f'{number}.' if chain.ordered else '-'} {_link(link)}" for number, link in enumerate(chain.links, 1))


def _link(link: b.Link) -> str:
    return f"**{plain(link.role)}** ({link.basis}): {plain(link.text, _LONGEST)}{f' {link.to}' if link.to else ''}"


def _commands(commands: b.Commands) -> Iterator[str]:
    yield f"{commands.title}{'' if commands.title.endswith('?') else ':'}"
    yield quoted("\n".join(f"{command}   # {text}" if text else command for command, text in commands.items))


def _remedy(remedy: b.Remedy) -> Iterator[str]:
    yield plain(remedy.measured)
    for text in (remedy.cause, remedy.steps):
        yield "\\\n".join(plain(line, _LONGEST_REMEDY) for line in text.splitlines())


def _quotes(quotes: b.Quotes) -> Iterator[str]:
    for quote in quotes.items:
        yield f"**{quote.name}** {quote.time} {plain(quote.where)}"
        yield quoted(quote.text, _LONGEST_QUOTE) if quote.lines else "Not quoted, to keep this page small."
        yield quoted("\n".join(quote.commands), _LONGEST_QUOTE)


_RENDERERS: dict[str, Callable[[Any], Iterator[str]]] = {
    "paragraph": _paragraph,
    "bullets": _bullets,
    "figures": _figures,
    "table": _table,
    "chain": _chain,
    "commands": _commands,
    "quotes": _quotes,
}
