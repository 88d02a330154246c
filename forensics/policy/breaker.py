"""Decide when restarts are stopped and tried again: a circuit breaker of one unit; standard library only."""

from __future__ import annotations

from dataclasses import dataclass, replace

from forensics.policy.limits import HELD_S

CLOSED, OPEN, HALF_OPEN, HELD = "closed", "open", "half-open", "held"
STATES = (CLOSED, OPEN, HALF_OPEN, HELD)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a breaker opens, and how long it waits. futile: failures in a row of a class that no restart cures."""

    futile: int = 3
    any_class: int = 5  # failures in a row of any class
    cooldown_s: float = 600.0  # in the seed incident 60 s are 4,284 starts, 600 s are 572
    longest_s: float = 3600.0
    held_s: float = HELD_S


@dataclass(frozen=True, slots=True)
class Breaker:
    """State of one unit. opened: how often since the boot, which numbers the tries; held: a person keeps the unit down."""

    state: str = CLOSED
    failures: int = 0  # in a row
    signature: str = ""  # the class of the last failure, "" where it is not known
    alike: int = 0  # of these failures, how many in a row up to the last have its class
    opened: int = 0
    cooldown_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """What is known of a failure. alike: failures in a row of its class, where those before it were not counted one by one."""

    signature: str = ""
    restart_helps: bool | None = None
    alike: int | None = None


UNKNOWN = Failure()


def needs_class(breaker: Breaker, limits: Limits) -> bool:
    """Whether the class of the next failure can decide anything, or will be shown."""
    return breaker.state != CLOSED or breaker.failures + 1 >= min(limits.futile, limits.any_class)


def failed(breaker: Breaker, limits: Limits, failure: Failure = UNKNOWN) -> tuple[Breaker, bool]:
    """Count one more failure; return the breaker, and whether restarts are to be stopped now."""
    counted = _counted(breaker, failure)
    if breaker.state == HELD:
        return counted, True
    if breaker.state == CLOSED and not _is_enough(counted, limits, failure):
        return counted, False
    return replace(counted, state=OPEN, opened=breaker.opened + 1, cooldown_s=_cooldown(breaker, limits)), True


def probed(breaker: Breaker) -> Breaker:
    """Let one start through."""
    return replace(breaker, state=HALF_OPEN)


def closed(breaker: Breaker) -> Breaker:
    """Close after a run that held, a good end, or because a person wants it; openings keep their numbers."""
    return Breaker(opened=breaker.opened)


def asked(breaker: Breaker) -> Breaker:
    """Note that a client stopped or restarted the unit: a breaker that is closed counts anew, any other stays as it is."""
    return closed(breaker) if breaker.state == CLOSED else breaker


def hold(breaker: Breaker) -> Breaker:
    """Keep the unit down until a person closes the breaker; what was to be tried is off."""
    return replace(breaker, state=HELD, opened=breaker.opened + 1)


def _counted(breaker: Breaker, failure: Failure) -> Breaker:
    before = breaker.alike if failure.signature == breaker.signature else 0
    alike = before + 1 if failure.alike is None else failure.alike
    failures = breaker.failures + 1
    return replace(breaker, failures=failures, signature=failure.signature, alike=min(alike, failures) if failure.signature else 0)


def _is_enough(counted: Breaker, limits: Limits, failure: Failure) -> bool:
    futile = failure.restart_helps is False and counted.alike >= limits.futile
    return futile or counted.failures >= limits.any_class


def _cooldown(breaker: Breaker, limits: Limits) -> float:
    """Choose how long to wait: twice as long after a try that failed; a start by hand before the try changes nothing."""
    if breaker.state == OPEN:
        return breaker.cooldown_s
    doubled = breaker.cooldown_s * 2 if breaker.state == HALF_OPEN else limits.cooldown_s
    return min(limits.longest_s, max(limits.cooldown_s, doubled))
