"""Write what was found as text, worst last, or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Result
from forensics.sanitize import safe_line
from forensics.wording import plural

MARKS = {OK: "ok", PROBLEM: "PROBLEM", UNKNOWN: "unknown"}
WIDTH = 118


def as_text(results: Sequence[Result]) -> str:
    return "\n".join(line for result in results for line in _lines(result)) + f"\n\n{summary(results)}\n"


def as_json(results: Sequence[Result]) -> str:
    checks = [
        {
            "check": result.name,
            "status": result.finding.status,
            "found": safe_line(result.finding.found),
            "means": safe_line(result.finding.means),
            "remedy": safe_line(result.finding.remedy),
        }
        for result in results
    ]
    return json.dumps({"checks": checks, "summary": summary(results)}, indent=2, ensure_ascii=False) + "\n"


def summary(results: Sequence[Result]) -> str:
    """Count what was found, and name what could not be."""
    problems = sum(1 for result in results if result.finding.status == PROBLEM)
    unknown = [result.name for result in results if result.finding.status == UNKNOWN]
    not_checked = f" Could not tell: {', '.join(unknown)}." if unknown else ""
    return f"{plural(len(results), 'check')}, {plural(problems, 'problem')}.{not_checked}"


def _lines(result: Result) -> Iterator[str]:
    finding = result.finding
    yield from _wrapped(f"{MARKS[finding.status]:<8} {result.name:<16} ", finding.found)
    if finding.means:
        yield from _wrapped(" " * 26, finding.means)
    if finding.remedy:
        yield from _wrapped(" " * 24 + "→ ", finding.remedy)


def _wrapped(before: str, text: str) -> list[str]:
    return textwrap.wrap(safe_line(text), WIDTH, initial_indent=before, subsequent_indent=" " * 26, break_on_hyphens=False) or [before]
