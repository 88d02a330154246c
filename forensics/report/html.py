"""Render the blocks of a report as a self-contained page: no network access, hostile text escaped, scripts allowed by hash only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from forensics import wording
from forensics.model.values import Report
from forensics.report import svg, timeline
from forensics.report.blocks import Document, Section
from forensics.report.csp import own_style_sheets, plotly_script, policy
from forensics.report.document import compose
from forensics.report.drawings import Drawn, draw, drawings
from forensics.report.figures.description import LAYOUTS, TWO_LAYOUTS
from forensics.report.options import RenderOptions
from forensics.report.room import PAGES, Room
from forensics.resources import folder
from forensics.sanitize import brief

LARGEST = 300_000  # bytes of a page without the interactive figures
_LEAST_CONTENTS = 4  # sections of a page that has a list of its contents
LARGEST_FIGURES = 80_000  # bytes that their numbers may take beyond that; their script is not counted


@dataclass(frozen=True, slots=True)
class View:
    """What a page shows. contents: (anchor, heading in brief); data: the interactive figures by name; empty where they are not wanted."""

    document: Document
    contents: tuple[tuple[str, str], ...]
    drawn: dict[str, Drawn]
    data: dict[str, Any]


def render(report: Report, options: RenderOptions) -> str:
    """Render the fullest page that is small enough; the script of the figures is not counted."""
    for room in PAGES:
        view = _view(report, options, room)
        text = page(view)
        if len(text.encode()) <= LARGEST + (LARGEST_FIGURES if view.data else 0):
            break
    return page(view, plotly_script()) if view.data else text


def _view(report: Report, options: RenderOptions, room: Room) -> View:
    document = compose(report, room, redacted=options.redact)
    where = wording.zone(report.timezone)
    drawn = {
        drawing.name: draw(drawing, where, LAYOUTS if room.all_figures or drawing.shape == "incidents" else TWO_LAYOUTS)
        for drawing in drawings(document.blocks)
    }
    data = {name: one.data for name, one in drawn.items() if one.data is not None} if options.figures else {}
    return View(document, contents(document), drawn, data)


def contents(document: Document) -> tuple[tuple[str, str], ...]:
    """List the sections; a page that is short needs no list."""
    listed = tuple((block.anchor, block.brief) for block in document.blocks if isinstance(block, Section) and block.brief)
    return listed if len(listed) >= _LEAST_CONTENTS else ()


def page(view: View, plotly: str = "", more_style: str = "") -> str:
    """Fill the template; more_style: the name of a further style sheet of the program."""
    style, page_script, figures_script = (_shipped(name) for name in ("style.css", "page.js", "figures.js"))
    style += _shipped(more_style) if more_style else Markup()
    scripts = (page_script, figures_script, plotly) if view.data else (page_script,)
    return _templates().get_template("page.html.j2").render(
        document=view.document, contents=view.contents, drawn=view.drawn, data=view.data,
        style=style, page_script=page_script, figures_script=figures_script, plotly=Markup(plotly),  # noqa: S704  the library itself
        own_style_sheets=own_style_sheets(plotly), policy=policy((style,), scripts),
    )  # fmt: skip


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(folder("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {
        "brief": brief,
        "code_spans": code_spans,
        "thousands": wording.count,
        "px": svg.px,
        "bars_path": svg.bars_path,
        "line_path": svg.line_path,
    }
    templates.globals |= {"glyphs": timeline.GLYPHS}
    templates.policies["json.dumps_kwargs"] = {"sort_keys": True, "ensure_ascii": False, "separators": (",", ":")}
    return templates


def code_spans(text: str) -> list[tuple[bool, str]]:
    """Split text at backticks into (is code, text)."""
    return [(k % 2 == 1, part) for k, part in enumerate(text.split("`")) if part]


def _shipped(name: str) -> Markup:
    """Read a file of the program itself: the only text that goes into the page unescaped."""
    return Markup((folder("reports") / name).read_text(encoding="utf-8"))  # noqa: S704
