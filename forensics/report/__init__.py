"""Report → text in one of four formats. Every format starts from the presentable report, so none can forget to make log text inert."""

from __future__ import annotations

from collections.abc import Callable

from forensics.model.values import Report
from forensics.report.options import Options
from forensics.sanitize.structure import presentable

Reporter = Callable[[Report, Options], str]


def _term(report: Report, options: Options) -> str:
    from forensics.report import terminal

    return terminal.render(presentable(report, options), options)


def _html(report: Report, options: Options) -> str:
    from forensics.report import html

    return html.render(presentable(report, options), options)


def _md(report: Report, options: Options) -> str:
    from forensics.report import markdown

    return markdown.render(presentable(report, options), options)


def _json(report: Report, options: Options) -> str:
    from forensics.report import json_report

    return json_report.render(presentable(report, options), options)


REPORTERS: dict[str, Reporter] = {"term": _term, "html": _html, "md": _md, "json": _json}  # rich and jinja2 are imported when asked for

__all__ = ["REPORTERS", "Options", "Reporter"]
