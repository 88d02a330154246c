"""An explanation in, what the user reads out: words for a terminal or JSON; log text is inert and without secrets, as in a report."""

from __future__ import annotations

import json
from collections.abc import Sequence

from forensics.explain.answer import Explanation
from forensics.sanitize import one_line, sanitizer
from forensics.signatures.likeness import Like
from forensics.wording import helps, reflowed


def _of_log(found: Explanation) -> list[str]:
    return [found.text, *found.captures.values(), *([] if found.signature is None else [found.signature.title])]


def as_json(found: Explanation, like: Sequence[Like], *, redact: bool) -> str:
    """The contract of `explain --format json`."""
    safe = sanitizer(_of_log(found), redact=redact)
    signature = found.signature
    answer = {
        "signature": None if signature is None else signature.id,
        "title": None if signature is None else safe(signature.title),
        "severity": None if signature is None else signature.severity,
        "restart_helps": None if signature is None else signature.restart_helps,
        "deciding": None if found.line is None else {"line": found.line, "text": safe(found.text)},
        "why": safe(found.why),
        "captures": {name: safe(value) for name, value in sorted(found.captures.items())},
        "secondary": list(found.secondary),
        "like": [{"signature": one.signature, "score": one.score} for one in like],
    }
    return json.dumps(answer, indent=2, ensure_ascii=False) + "\n"


def as_text(found: Explanation, like: Sequence[Like], *, redact: bool) -> str:
    """The same for people."""
    signature = found.signature
    if signature is None:
        return "Nothing failed in this text.\n"
    safe = sanitizer(_of_log(found), redact=redact)
    rows = [
        ("Failed", f"{one_line(safe(signature.title))} ({signature.id}, {signature.severity})"),
        ("Line", "no line says it" if found.line is None else f"{found.line}: {one_line(safe(found.text), 600)}"),
        ("Why", one_line(safe(found.why), 600)),
        ("Captured", " · ".join(f"{name} = {one_line(safe(value), 200)}" for name, value in sorted(found.captures.items()))),
        ("Restart helps", helps(signature.restart_helps)),
        ("Cause", reflowed(signature.cause)),
        ("Remedy", reflowed(signature.remedy)),
        ("See", " · ".join(signature.references)),
        ("Also there", ", ".join(found.secondary)),
        ("Most like", ", ".join(f"{one.signature} ({one.score:.0%})" for one in like)),
    ]
    return "".join(_row(name, words) for name, words in rows if words)


def _row(name: str, words: str) -> str:
    first, *rest = words.split("\n")
    return "\n".join([f"{name:<14} {first}", *(f"{'':<14} {line}" for line in rest)]) + "\n"
