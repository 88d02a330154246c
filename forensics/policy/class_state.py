"""Classify each failure of a failure class by those before it: new, ongoing, regressed or escalating."""

from __future__ import annotations

from dataclasses import dataclass, field

STATES = ("new", "ongoing", "regressed", "escalating")
RATE_S = 300
ESCALATING = 4  # times the failures of the five minutes before
MOST_RECENT = 256  # times that are kept for the rate
FUTILE_FAILURES = 3


@dataclass(slots=True)
class ClassState:
    """One failure class of one unit; times are seconds since 1970. over: the unit was healthy after `last`."""

    first: float
    last: float
    count: int = 0
    state: str = "new"
    over: bool = False
    recent: list[float] = field(default_factory=list)


def failed(earlier: ClassState | None, time: float) -> tuple[ClassState, bool]:
    """Count one more failure; return the class, and whether to alert: it is new, or was over."""
    if earlier is None:
        return ClassState(time, time, count=1, recent=[time]), True
    came_back = earlier.over
    earlier.state = "regressed" if came_back else _trend(earlier.recent, time)
    earlier.over, earlier.last, earlier.count = False, max(time, earlier.last), earlier.count + 1
    earlier.recent = [*earlier.recent, time][-MOST_RECENT:]
    return earlier, came_back


def mark_over(failure_class: ClassState) -> None:
    """Note that the unit was healthy, or was stopped: a further failure has come back."""
    failure_class.over, failure_class.state = True, "ongoing"


def _trend(recent: list[float], time: float) -> str:
    """Return ongoing, or escalating when the last five minutes have ESCALATING times the failures of the five before."""
    now = sum(1 for t in recent if 0 <= time - t < RATE_S) + 1
    before = sum(1 for t in recent if RATE_S <= time - t < 2 * RATE_S)
    return "escalating" if before and now >= ESCALATING * before else "ongoing"


def is_futile(*, restart_helps: bool | None, failures: int) -> bool:
    """Whether restarting goes on although it cannot fix this class. failures: of the class since the unit was healthy."""
    return restart_helps is False and failures >= FUTILE_FAILURES
