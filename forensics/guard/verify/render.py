"""Render a verdict: a line for each check, or JSON."""

from __future__ import annotations

import json

from forensics.guard.verify.checks import FAILED, OK, UNKNOWN, Outcome, Verdict
from forensics.wording import duration

MARKS: dict[Outcome, str] = {OK: "OK  ", FAILED: "FAIL", UNKNOWN: "?   "}
WORDS: dict[Outcome, str] = {OK: "verified", FAILED: "failed", UNKNOWN: "could not tell"}


def as_text(verdict: Verdict) -> str:
    """Write a line for each check, and the verdict with what decided it."""
    width = max((len(check.name) for check in verdict.checks), default=0)
    lines = [f"{MARKS[check.outcome]}  {check.name.ljust(width)}  {check.evidence}." for check in verdict.checks]
    deciding = [check.name for check in verdict.checks if check.outcome == verdict.outcome != OK]
    by = f" ({', '.join(deciding)})" if deciding else ""
    return "\n".join([*lines, f"{verdict.unit}: {WORDS[verdict.outcome]}{by}, after {duration(round(verdict.took_s, 1))}."]) + "\n"


def as_json(verdict: Verdict) -> str:
    """Write the verdict as JSON."""
    checks = [{"check": check.name, "outcome": check.outcome, "evidence": check.evidence} for check in verdict.checks]
    shown = {
        "unit": verdict.unit,
        "manager": verdict.manager,
        "port": verdict.port,
        "outcome": verdict.outcome,
        "exit_code": verdict.exit_code,
        "took_s": round(verdict.took_s, 2),
        "checks": checks,
    }
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
