"""Make the headings and tables of the terminal's report."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from forensics.sanitize import one_line


def heading(text: str) -> RenderableType:
    return Padding(Text(text, style="bold cyan"), (1, 0, 0, 0))


def new_table(*columns: tuple[str, str]) -> Table:
    """Make a plain table; columns are (heading, "left" or "right")."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", expand=False)
    for name, justify in columns:
        made.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    return made


def add_row(to: Table, *cells: str | Text) -> None:
    to.add_row(*(cell if isinstance(cell, Text) else Text(one_line(cell, 600)) for cell in cells))


def with_rest(shown: Table, omitted: int, what: str) -> RenderableType:
    return Group(shown, Text(f"… and {omitted} more {what}.", style="dim")) if omitted > 0 else shown
