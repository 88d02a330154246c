"""Render an explanation as text for a terminal or as JSON; log text is sanitized as in a report."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from forensics.explain.answer import Candidate, Explanation
from forensics.explain.format import Format
from forensics.sanitize import filled, for_unit, one_line, sanitizer
from forensics.signatures.likeness import Like
from forensics.wording import NOT_REDACTED, helps, plural, reflowed
from forensics.wrapping import wrapped


def _log_texts(explanation: Explanation) -> list[str]:
    titles = [] if explanation.signature is None else [explanation.signature.title]
    return [explanation.text, *explanation.captures.values(), *titles, *(candidate.text for candidate in explanation.candidates)]


_kept = sanitizer((), redact=False)  # a rule, and the expression of a pattern


def as_json(explanation: Explanation, like: Sequence[Like], *, redact: bool) -> str:
    """Render the JSON contract of `explain --format json`."""
    safe = sanitizer(_log_texts(explanation), redact=redact)
    signature = explanation.signature
    answer = {
        "signature": None if signature is None else signature.id,
        "title": None if signature is None else safe(signature.title),
        "severity": None if signature is None else signature.severity,
        "restart_helps": None if signature is None else signature.restart_helps,
        "restart_helps_when": None if signature is None else signature.restart_helps_when,
        "deciding": None if explanation.line is None else {"line": explanation.line, "text": safe(explanation.text)},
        "why": _kept(explanation.why),
        "captures": {name: safe(value) for name, value in sorted(explanation.captures.items())},
        "secondary": list(explanation.secondary),
        "like": [{"signature": neighbour.signature, "score": neighbour.score} for neighbour in like],
        "candidates": [_candidate(candidate, safe) for candidate in explanation.candidates],
        "format": explanation.understood.name,
        "lines": explanation.understood.lines,
        "redacted": redact,
    }
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


def _candidate(candidate: Candidate, safe: Callable[[str], str]) -> dict[str, object]:
    return {
        "signature": candidate.signature,
        "line": candidate.line,
        "text": safe(candidate.text),
        "evidence": candidate.evidence,
        "points": candidate.points,
        "reasons": list(candidate.reasons),
    }


def as_text(explanation: Explanation, like: Sequence[Like], *, redact: bool, verbose: bool = False, width: int = 0) -> str:
    """Render the same for people, a row per fact. verbose: with the other events that may explain the failure; width: 0 wraps nothing."""
    signature = explanation.signature
    if signature is None:
        return nothing_failed(explanation.understood)
    signature = filled(signature, explanation.captures, explanation.text)
    remedy = for_unit(signature.remedy, explanation.unit)
    safe = sanitizer(_log_texts(explanation), redact=redact)
    rows = [
        ("Failed", f"{one_line(safe(signature.title))} ({signature.id}, {signature.severity})"),
        ("Line", "no log line shows it" if explanation.line is None else f"{explanation.line}: {one_line(safe(explanation.text), 600)}"),
        ("Why", one_line(_kept(explanation.why), 600)),
        ("Captured", " · ".join(f"{name} = {one_line(safe(value), 200)}" for name, value in sorted(explanation.captures.items()))),
        ("Restart helps", helps(signature.restart_helps, signature.restart_helps_when)),
        ("Cause", reflowed(signature.cause)),
        ("Remedy", reflowed(remedy)),
        ("See", " · ".join(signature.references)),
        ("Also seen", ", ".join(explanation.secondary)),
        ("Most like", ", ".join(f"{neighbour.signature} ({neighbour.score:.0%})" for neighbour in like)),
    ]
    head = "" if redact else f"{NOT_REDACTED}\n"
    others = [("Or", _runner_up(candidate, safe)) for candidate in explanation.candidates[1:]] if verbose else []
    return head + "".join(_row(name, text, width) for name, text in [*rows, *others] if text)


def nothing_failed(understood: Format) -> str:
    """State that a text shows no failure, as surely as it was understood."""
    if understood.is_understood:
        return "Nothing failed in this text.\n"
    return f"No failure recognised in {plural(understood.lines, 'line')} of {understood.name}.\n"


def _runner_up(candidate: Candidate, safe: Callable[[str], str]) -> str:
    place = "" if candidate.line is None else f"line {candidate.line}: "
    name = f" ({candidate.signature})" if candidate.signature else ""
    because = ", ".join([candidate.evidence, *candidate.reasons])
    return f"{place}{one_line(safe(candidate.text), 200)}{name}\n{candidate.points} points: {because}"


def _row(name: str, text: str, width: int) -> str:
    return f"{name:<14} {wrapped(text, width, ' ' * 15)}\n"
