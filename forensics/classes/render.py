"""Render class summaries as JSON, as rows of a table or as text for a terminal; log text is sanitized as in a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, tzinfo
from typing import Any

import polars as pl

from forensics.classes.summary import ClassSummary
from forensics.sanitize import one_line, sanitizer
from forensics.wording import NOT_REDACTED, helps, minute, plural, rfc3339, sparkline

COLUMNS = {
    "signature": pl.String, "title": pl.String, "severity": pl.String, "restart_helps": pl.Boolean, "restart_helps_when": pl.String,
    "failures": pl.Int64, "restarts": pl.Int64, "first": pl.Datetime, "last": pl.Datetime, "units": pl.String, "pinned": pl.Boolean,
}  # fmt: skip
_INDENT = " " * 18
_HEADING = f"failures  restarts  {'when':<24}  first → last failure"


def as_json(summaries: Sequence[ClassSummary], *, redact: bool) -> str:
    """Render {"redacted": …, "classes": [...]}, in the order given."""
    safe = sanitizer([row.signature.title for row in summaries], redact=redact)
    classes = [
        {
            "signature": row.signature.id,
            "title": safe(row.signature.title),
            "severity": row.signature.severity,
            "restart_helps": row.signature.restart_helps,
            "restart_helps_when": row.signature.restart_helps_when,
            "failures": row.failures,
            "restarts": row.restarts,
            "first": rfc3339(row.first),
            "last": rfc3339(row.last),
            "units": list(row.units),
            "sparkline": list(row.histogram),
            "family": row.family,
            "pinned": row.pinned,
            "like": [{"signature": like.signature, "score": like.score} for like in row.like],
        }
        for row in summaries
    ]
    return json.dumps({"redacted": redact, "classes": classes}, indent=2, ensure_ascii=False) + "\n"


def as_rows(summaries: Sequence[ClassSummary], *, redact: bool) -> list[dict[str, Any]]:
    """Make rows with COLUMNS, in the order given."""
    safe = sanitizer([row.signature.title for row in summaries], redact=redact)
    return [
        {
            "signature": row.signature.id,
            "title": safe(row.signature.title),
            "severity": row.signature.severity,
            "restart_helps": row.signature.restart_helps,
            "restart_helps_when": row.signature.restart_helps_when,
            "failures": row.failures,
            "restarts": row.restarts,
            "first": row.first.astimezone(UTC),
            "last": row.last.astimezone(UTC),
            "units": row.units,
            "pinned": row.pinned,
        }
        for row in summaries
    ]


def as_text(summaries: Sequence[ClassSummary], where: tzinfo, *, redact: bool) -> str:
    """Render a few lines per family of classes, under its largest class, and what is counted; times in the zone `where`."""
    if not summaries:
        return "No failures are on record.\n"
    titles = [row.signature.title for row in summaries]
    safe = sanitizer(titles, redact=redact)
    title_of = {title: safe(title) for title in titles}
    members: dict[str, list[ClassSummary]] = {}
    for row in summaries:
        members.setdefault(row.family, []).append(row)
    lines = [
        *([] if redact else [NOT_REDACTED]),
        _HEADING,
        *(line for family in members.values() for line in _family_lines(family, where, title_of)),
    ]
    failures, restarts = sum(row.failures for row in summaries), sum(row.restarts for row in summaries)
    counted = f"{plural(failures, 'failed attempt')}, {plural(restarts, 'automatic restart')} in the store."
    why = "A failed attempt is not always restarted. `report` counts the same in its window."
    return "\n".join([*lines, "", f"{counted} {why}"]) + "\n"


def _family_lines(family: Sequence[ClassSummary], where: tzinfo, title_of: dict[str, str]) -> list[str]:
    head, *others = family
    failures, restarts = sum(row.failures for row in family), sum(row.restarts for row in family)
    span = f"{minute(head.first, where)} → {minute(head.last, where)}"
    pinned = "  pinned" if head.pinned else ""
    answer = helps(head.signature.restart_helps, head.signature.restart_helps_when)
    lines = [
        f"{failures:>8,}  {restarts:>8,}  {sparkline(_summed(family))}  {span}  {one_line(title_of[head.signature.title], 200)}",
        f"{_INDENT}  {head.signature.id}  restart helps: {answer}  {', '.join(head.units)}{pinned}",
    ]
    if head.like:
        lines.append(f"{_INDENT}  most like {', '.join(f'{like.signature} ({like.score:.0%})' for like in head.like)}")
    return lines + [
        f"{_INDENT}  + {row.failures:,} / {row.restarts:,} {row.signature.id}  {one_line(title_of[row.signature.title], 120)}"
        for row in others
    ]


def _summed(family: Sequence[ClassSummary]) -> list[int]:
    return [sum(counts) for counts in zip(*(row.histogram for row in family), strict=True)]
