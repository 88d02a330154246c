"""Report → one self-contained HTML page."""

from __future__ import annotations

from forensics.model import Report
from forensics.report import markdown
from forensics.report.options import Options


def render(report: Report, options: Options) -> str:
    from markupsafe import escape

    return f"<!doctype html><meta charset=utf-8><title>report</title><pre>{escape(markdown.render(report, options))}</pre>\n"
