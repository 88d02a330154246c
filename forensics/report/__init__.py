"""Report → text in one of four formats. Every format starts from the presentable report, so none can forget to make log text inert."""

from __future__ import annotations

from collections.abc import Callable

from forensics.model import Report
from forensics.report import html, json_report, markdown, terminal
from forensics.report.options import Options
from forensics.report.presentable import presentable

Reporter = Callable[[Report, Options], str]


def _of_presentable(render: Reporter) -> Reporter:
    return lambda report, options: render(presentable(report, options), options)


REPORTERS: dict[str, Reporter] = {
    "term": _of_presentable(terminal.render),
    "html": _of_presentable(html.render),
    "md": _of_presentable(markdown.render),
    "json": _of_presentable(json_report.render),
}

__all__ = ["REPORTERS", "Options", "Reporter"]
