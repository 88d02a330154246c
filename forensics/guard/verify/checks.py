"""Define a check with its evidence, and the verdict of all checks with the exit code that scripts rely on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["ok", "failed", "unknown"]
OK: Outcome = "ok"
FAILED: Outcome = "failed"
UNKNOWN: Outcome = "unknown"
EXIT_CODES: dict[Outcome, int] = {OK: 0, FAILED: 3, UNKNOWN: 4}


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked and how it came out. evidence: a sentence without its full stop, safe to show."""

    name: str
    outcome: Outcome
    evidence: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of a unit, in the order they were made. took_s: how long they took together."""

    unit: str
    manager: str
    checks: tuple[Check, ...]
    port: int | None
    took_s: float

    @property
    def outcome(self) -> Outcome:
        return outcome_of(self.checks)

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.outcome]


def outcome_of(checks: tuple[Check, ...]) -> Outcome:
    """A failed check decides, then one that could not tell."""
    outcomes = {check.outcome for check in checks}
    return next((outcome for outcome in (FAILED, UNKNOWN) if outcome in outcomes), OK)
