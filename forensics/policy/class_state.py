"""Tell how a failure of one class of one unit stands to those before it: new, ongoing, regressed or escalating."""

from __future__ import annotations

from dataclasses import dataclass, field

STATES = ("new", "ongoing", "regressed", "escalating")
RATE_S = 300
ESCALATING = 4  # times the failures of the five minutes before
MOST_RECENT = 256  # times that are kept for the rate
FUTILE_FAILURES = 3


@dataclass(slots=True)
class ClassState:
    """What is known of one failure class of one unit; times are seconds since 1970. over: the unit was well after `last`."""

    first: float
    last: float
    count: int = 0
    state: str = "new"
    over: bool = False
    recent: list[float] = field(default_factory=list)


def failed(known: ClassState | None, time: float) -> tuple[ClassState, bool]:
    """The class after one more failure, and whether that is worth an alert: it is new, or it was over."""
    if known is None:
        return ClassState(time, time, count=1, recent=[time]), True
    fresh = known.over
    known.state = "regressed" if fresh else rate(known.recent, time)
    known.over, known.last, known.count = False, max(time, known.last), known.count + 1
    known.recent = [*known.recent, time][-MOST_RECENT:]
    return known, fresh


def well(known: ClassState) -> None:
    """The unit was well, or was stopped: what fails again has come back."""
    known.over, known.state = True, "ongoing"


def rate(recent: list[float], time: float) -> str:
    """ongoing, or escalating when the last five minutes have several times the failures of the five before."""
    now = sum(1 for t in recent if 0 <= time - t < RATE_S) + 1
    before = sum(1 for t in recent if RATE_S <= time - t < 2 * RATE_S)
    return "escalating" if before and now >= ESCALATING * before else "ongoing"


def is_futile(*, restart_helps: bool | None, failures: int) -> bool:
    """Whether restarting goes on although it never cures this class. failures: of the class since the unit was well."""
    return restart_helps is False and failures >= FUTILE_FAILURES
