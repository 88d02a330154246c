"""Render a report in one of four formats; each starts from the sanitized report, so that none can forget it."""

from __future__ import annotations

from collections.abc import Callable

from forensics.model.values import Report
from forensics.report.options import RenderOptions
from forensics.sanitize import sanitized

Reporter = Callable[[Report, RenderOptions], str]


def _term(report: Report, options: RenderOptions) -> str:
    from forensics.report import terminal

    return terminal.render(sanitized(report, redact=options.redact), options)


def _html(report: Report, options: RenderOptions) -> str:
    from forensics.report import html

    return html.render(sanitized(report, redact=options.redact), options)


def _md(report: Report, options: RenderOptions) -> str:
    from forensics.report import markdown

    return markdown.render(sanitized(report, redact=options.redact), options)


def _json(report: Report, options: RenderOptions) -> str:
    from forensics.report import json_report

    return json_report.render(sanitized(report, redact=options.redact), options)


REPORTERS: dict[str, Reporter] = {"term": _term, "html": _html, "md": _md, "json": _json}  # rich and jinja2 are imported when asked for

__all__ = ["REPORTERS", "RenderOptions", "Reporter"]
