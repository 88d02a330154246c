"""Show the catalogue of known failures: as a list, a table or JSON, and one pattern with all that it knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from forensics.cli.csv_table import as_csv
from forensics.sanitize import filled, one_line
from forensics.sanitize.characters import make_visible, without_controls
from forensics.signatures.pattern import Example, Pattern
from forensics.wording import helps, reflowed
from forensics.wrapping import wrapped

COLUMNS = {"id": pl.String, "severity": pl.String, "restart_helps": pl.Boolean, "restart_helps_when": pl.String, "title": pl.String}
MOST_EXAMPLES, LONGEST_EXAMPLE = 3, 600  # in a terminal
INDENT = 15


def list_as_text(patterns: Sequence[Pattern]) -> str:
    width = max((len(pattern.id) for pattern in patterns), default=0)
    return "".join(f"{pattern.id:<{width}}  {pattern.severity:<8}  {pattern.title} ({_answer(pattern)})\n" for pattern in patterns)


def list_as_json(patterns: Sequence[Pattern]) -> str:
    return json.dumps([{**_row(pattern), "file": str(pattern.file)} for pattern in patterns], indent=2) + "\n"


def list_as_csv(patterns: Sequence[Pattern]) -> str:
    return as_csv(COLUMNS, [_row(pattern) for pattern in patterns])


def _row(pattern: Pattern) -> dict[str, Any]:
    return {
        "id": pattern.id,
        "title": pattern.title,
        "severity": pattern.severity,
        "restart_helps": pattern.restart_helps,
        "restart_helps_when": pattern.signature.restart_helps_when,
    }


def _answer(pattern: Pattern) -> str:
    when = pattern.signature.restart_helps_when
    return f"a restart helps {when}".rstrip() if pattern.restart_helps else "a restart does not help"


def as_json(pattern: Pattern) -> str:
    signature = filled(pattern.signature)
    page = {
        **_row(pattern),
        "cause": reflowed(signature.cause),
        "remedy": reflowed(signature.remedy),
        "references": list(signature.references),
        "explains": list(pattern.explains),
        "examples": [_example(example) for example in pattern.examples],
        "counterexamples": [_example(example) for example in pattern.counterexamples],
        "file": str(pattern.file),
    }
    return json.dumps(page, indent=2, ensure_ascii=False) + "\n"


def _example(example: Example) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": example.message, "columns": dict(example.columns), "captures": dict(example.captures)}
    return shown if example.why is None else {**shown, "why": example.why}


def as_text(pattern: Pattern, width: int) -> str:
    """Show one pattern, a row per fact. width: of the terminal."""
    signature = filled(pattern.signature)
    rows = [
        ("Pattern", f"{pattern.id}, {pattern.severity}"),
        ("Title", pattern.title),
        ("Restart helps", helps(pattern.restart_helps, signature.restart_helps_when)),
        ("Cause", reflowed(signature.cause)),
        ("Remedy", reflowed(signature.remedy)),
        ("See", " · ".join(signature.references)),
        ("Also explains", ", ".join(pattern.explains)),
        *(("Example", line) for line in map(_in_one_line, pattern.examples[:MOST_EXAMPLES])),
        *((("But not", f"{_in_one_line(example)}\n({example.why})")) for example in pattern.counterexamples[:1]),
        ("File", str(pattern.file)),
    ]
    hanging = " " * INDENT
    shown = (f"{name:<{INDENT}}{wrapped(value, max(width, 50), hanging)}\n" for name, value in rows if value)
    return make_visible(without_controls("".join(shown)))


def _in_one_line(example: Example) -> str:
    columns = " ".join(f"{name}={value}" for name, value in example.columns.items())
    return one_line(" · ".join(part for part in (example.message, columns) if part), LONGEST_EXAMPLE)
