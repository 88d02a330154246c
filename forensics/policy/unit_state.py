"""Follow one unit from event to event: since when it fails, as which kind of incident, and when it is healthy again.

A *span* is the time between two moments at which the unit was healthy: a success that held, a job that finished, a stop that stayed. What
fails in a span belongs together, and the span is an incident when it is a restart loop, an outage or a job that fails again and again,
dated from its first failure to its end. Spans that are none of these are isolated failures; many of them within a day are a recurring
incident. The functions take what the journal shows, in the journal's order, and return the spans that end by it. A later event can date an
end back: that an attempt held is known ten minutes after it started, that a stop stayed five minutes after the stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from forensics.model.moments import Moment, elapsed_s
from forensics.policy.limits import (
    CONSEQUENCE_S,
    HELD_S,
    JOB_FAILURES,
    LOOP_RESTARTS,
    OUTAGE_S,
    RECURRING,
    RECURRING_WINDOW_S,
    SHUTDOWN_S,
    STOP_GAP_S,
    UNRESTARTED_S,
)

PROVEN_S, PROVEN_LIVES = 60.0, 3  # an attempt stopped on request was healthy after a minute and three times what failed ones live
MOST_LIVES = 31  # of failed attempts that are kept for that
MOST_SIGNATURES = 200  # of a span whose failures are counted one by one


@dataclass(slots=True)
class Series:
    """Isolated failures of one unit that follow each other within a day: recurring once there are enough of them within one."""

    recent: list[Moment] = field(default_factory=list)  # the last failures, as many as make it recurring
    is_recurring: bool = False


@dataclass(slots=True)
class Span:
    """Times are µs since 1970. start: of the first failure; end: null while it goes on; recovery: the end, by a success.

    down_since: when the first failure ended. series: of a span that is over and is no incident by itself.
    """

    start: int | None = None
    end: int | None = None
    recovery: int | None = None
    down_since: Moment | None = None
    is_long: bool = False  # ten minutes have passed since then, and nothing was up again
    of_job: bool = False
    is_gated: bool = False  # a gate has stopped its restarts
    failures: dict[str, int] = field(default_factory=dict)  # by signature, "" for those beyond MOST_SIGNATURES
    restarts: int = 0
    lives: list[float] = field(default_factory=list)  # seconds, of failed attempts that did not hold
    series: Series | None = None

    @property
    def own_kind(self) -> str | None:
        """The kind of incident that it is by itself; null for isolated failures."""
        if self.restarts >= LOOP_RESTARTS:
            return "restart-loop"
        if self.of_job:
            return "failing-job" if sum(self.failures.values()) >= JOB_FAILURES else None
        return "outage" if self.is_long or (self.is_gated and self.failures) else None

    @property
    def kind(self) -> str | None:
        """The kind of the incident that it belongs to."""
        return "recurring" if self.series is not None and self.series.is_recurring else self.own_kind


@dataclass(slots=True)
class Running:
    """The running attempt. announced: its service type reports when it is ready, which it is not before."""

    invocation: str
    started: Moment
    announced: bool = False
    ready: Moment | None = None
    held: bool = False

    @property
    def up_since(self) -> Moment | None:
        return self.ready if self.announced else self.started


class Attempt(NamedTuple):  # made once per attempt of a month: a third of a frozen dataclass's cost
    """An attempt that has ended. failed: by its end or its last lines; lived_s: by the boot's clock.

    started: its first entry; stated: the manager's line about the start, which can come after the service's first.
    """

    started: Moment
    ended: Moment
    lived_s: float
    outcome: str
    failed: bool
    signature: str = ""
    stated: Moment | None = None
    announced: bool = False
    ready: Moment | None = None
    failed_stopping: bool = False  # it was stopped on request, and failed in that

    @property
    def began(self) -> Moment:
        """Since when it was up, if it was: what dates a recovery."""
        return self.ready or self.stated or self.started

    @property
    def up_s(self) -> float | None:
        """How long it was up; null when it never got ready."""
        if not self.announced:
            return self.lived_s
        return None if self.ready is None else self.lived_s - max(0.0, elapsed_s(self.started, self.ready))


@dataclass(slots=True)
class Last:
    """The attempt that ended last, and what followed. span: the one it belongs to."""

    started: int
    began: Moment  # since when it was up, if it was
    ended: Moment
    held: bool
    finished: bool
    failed: bool
    signature: str
    lived_s: float
    span: Span
    restarted: bool = False
    refused: bool = False
    by_shutdown: bool = False


@dataclass(slots=True)
class Gate:
    """A gate that keeps a unit from being restarted. is_stopping: it has stopped the unit, and that stop is not on record yet."""

    opened: Moment
    is_stopping: bool = True


@dataclass(slots=True)
class UnitState:
    """What the functions below remember of a unit. stop: a stop on request that may turn out to be half of a restart."""

    span: Span = field(default_factory=Span)
    running: Running | None = None
    last: Last | None = None
    stop: Moment | None = None
    gate: Gate | None = None  # while it is open
    is_job: bool = False  # a timer starts it, or an attempt of it has finished
    series: Series = field(default_factory=Series)


def started(state: UnitState, at: Moment, invocation: str, *, announced: bool = False) -> list[Span]:
    """An attempt begins. announced: the manager logs `Starting`, and will log `Started` when it is ready."""
    closed = _cut(state, at) + _waited(state, at, starting=True)
    if state.gate is not None:
        state.gate.is_stopping = False
    state.running = Running(invocation, at, announced)
    return closed


def ready(state: UnitState, at: Moment) -> None:
    """The running attempt is up."""
    if state.running is not None:
        state.running.ready = at


def ended(state: UnitState, attempt: Attempt) -> list[Span]:
    """An attempt is over: by itself, on request, or with its boot (`cut`)."""
    up_s = attempt.up_s
    held = up_s is not None and up_s >= HELD_S
    proven = held or _stopped_while_healthy(state.span, attempt, up_s)
    counted = state.running is not None and state.running.held
    closed = _healthy(state, attempt.began) if proven and not counted else []
    finished = attempt.outcome == "clean" and not attempt.failed
    state.last = Last(
        attempt.started.time, attempt.began, attempt.ended, held, finished, failed=False, signature=attempt.signature,
        lived_s=attempt.lived_s, span=state.span,
    )  # fmt: skip
    state.running = None
    state.stop = attempt.ended if attempt.outcome == "stopped" else None
    if attempt.failed_stopping:
        closed += _failed_stopping(state, state.last)
    elif attempt.failed or (finished and state.gate is not None and state.gate.is_stopping):
        _count_failure(state.last)
    return closed


def restarted(state: UnitState, at: Moment, count: int = 1) -> None:
    """The manager schedules a restart. count: more than one when the counter shows restarts whose lines are lost."""
    last = _ended_before_restart(state, at)
    if not last.failed:
        _count_failure(last)
    last.restarted, last.refused = True, False
    state.stop = state.gate = None
    last.span.restarts += count


def refused(state: UnitState) -> None:
    """The start limit refuses the restart that was scheduled."""
    if state.last is not None:
        state.last.refused = True


def gate_opened(state: UnitState, at: Moment, *, is_stopping: bool = True) -> None:
    """A gate stops the restarts of a unit that fails, while its attempt ends: what ended well would have been restarted too.

    is_stopping: the stop that it makes is among those that follow.
    """
    state.gate = Gate(at if state.gate is None else state.gate.opened, is_stopping)
    if state.running is None and state.last is not None and state.last.finished and not state.last.failed:
        _count_failure(state.last)
    state.span.is_gated = True


def gate_closed(state: UnitState, at: Moment, *, on_request: bool) -> None:
    """A gate lets the manager restart its unit again. on_request: a person leaves the unit stopped instead."""
    state.gate = None
    if on_request:
        state.stop = state.stop or at


def stopped(state: UnitState, at: Moment) -> None:
    """A client asked for a stop; of several lines about one stop the first dates it. One right after a failure is its consequence.

    The first stop after a gate was opened is the gate's: the unit fails as before.
    """
    if state.gate is not None and state.gate.is_stopping:
        state.gate.is_stopping = False
        return
    last = state.last
    consequence = state.running is None and last is not None and last.failed and elapsed_s(last.ended, at) <= CONSEQUENCE_S
    if not consequence:
        state.stop = state.stop or at


def booted(state: UnitState, boot_end: Moment) -> list[Span]:
    """The boot whose last entry is `boot_end` is over: nothing runs, and the shutdown stopped what stopped just before."""
    closed = _cut(state, boot_end)
    state.gate = None  # its state is in /run
    if state.stop is not None and elapsed_s(state.stop, boot_end) <= SHUTDOWN_S:
        state.stop = None
    if state.last is not None and elapsed_s(state.last.ended, boot_end) <= SHUTDOWN_S:
        state.last.by_shutdown = True
    if state.span.down_since is not None and elapsed_s(state.span.down_since, boot_end) <= SHUTDOWN_S:
        state.span.down_since = None  # while the host is off nothing can be up
    return closed


def passed(state: UnitState, now: Moment) -> list[Span]:
    """Nothing happened until `now`."""
    return _waited(state, now) + _held(state, now)


def data_ended(state: UnitState, at: Moment) -> list[Span]:
    """The data ends: what stopped stays so, what ran at the end runs on."""
    return _waited(state, at, at_the_end=True) + _held(state, at)


def is_held(running: Running | None, now: Moment) -> bool:
    """Whether the running attempt has been up long enough to count as a success."""
    return running is not None and running.up_since is not None and elapsed_s(running.up_since, now) >= HELD_S


def _cut(state: UnitState, at: Moment) -> list[Span]:
    """The running attempt is over, and no line shows how."""
    running = state.running
    if running is None:
        return []
    lived_s = elapsed_s(running.started, at)
    attempt = Attempt(running.started, at, lived_s, "cut", failed=False, announced=running.announced, ready=running.ready)
    return ended(state, attempt)


def _held(state: UnitState, now: Moment) -> list[Span]:
    running = state.running
    if running is None or running.held or not is_held(running, now):
        return []
    running.held = True
    return _healthy(state, running.up_since or running.started)


def is_down(state: UnitState, now: Moment, seconds: float) -> bool:
    """Whether the unit has failed, and nothing of it has been up or is about to be restarted for so long."""
    last = state.last
    if last is None or not last.failed or state.running is not None or state.stop is not None:
        return False
    return (not last.restarted or last.refused) and not last.by_shutdown and elapsed_s(last.ended, now) >= seconds


def _waited(state: UnitState, at: Moment, *, starting: bool = False, at_the_end: bool = False) -> list[Span]:
    """Decide what only time, or the next start, decides: a success that nothing restarted, a stop that stayed, an outage."""
    closed: list[Span] = []
    last = state.last
    if last is not None and last.finished and (starting or at_the_end or elapsed_s(last.ended, at) > UNRESTARTED_S):
        state.is_job = True
        closed += _healthy(state, last.began)
        last.finished, last.span = False, state.span
    if state.stop is not None:
        if at_the_end or elapsed_s(state.stop, at) > STOP_GAP_S:
            closed += _close(state, state.stop)
            state.stop, state.last = None, None
        elif starting:
            state.stop = None
    if state.stop is None:
        up_since = None if state.running is None else state.running.up_since
        _measure(state, up_since or at)  # until then nothing was up
    return closed


def _measure(state: UnitState, until: Moment) -> None:
    """Note that the unit has not been up for ten minutes since its first failure."""
    span = state.span
    span.of_job = state.is_job
    span.is_long |= span.down_since is not None and elapsed_s(span.down_since, until) >= OUTAGE_S


def _stopped_while_healthy(span: Span, attempt: Attempt, up_s: float | None) -> bool:
    if attempt.ready is None or attempt.outcome != "stopped" or up_s is None:
        return False
    return up_s > max(PROVEN_LIVES * median(span.lives), PROVEN_S) if span.lives else up_s > PROVEN_S


def _ended_before_restart(state: UnitState, at: Moment) -> Last:
    """Return the attempt that the restart follows; where the lines of its end are lost, the running one, or an unknown one."""
    running = state.running
    if running is not None or state.last is None:
        begun = at if running is None else running.started
        held = running is not None and running.held
        state.last = Last(begun.time, begun, at, held, finished=False, failed=False, signature="", lived_s=0.0, span=state.span)
        state.running = None
    return state.last


def _count_failure(last: Last) -> None:
    last.failed, last.finished = True, False
    span = last.span
    if span.start is None:
        span.start = last.ended.time if last.held else last.started
    span.down_since = span.down_since or last.ended
    if not last.held:
        span.lives.append(last.lived_s)
        del span.lives[:-MOST_LIVES]
    signature = last.signature if last.signature in span.failures or len(span.failures) < MOST_SIGNATURES else ""
    span.failures[signature] = span.failures.get(signature, 0) + 1


def _failed_stopping(state: UnitState, last: Last) -> list[Span]:
    """A failure that keeps nothing down: the unit was to stop. It is a span of its own, unless the unit is in trouble already."""
    if state.span.start is not None:
        _count_failure(last)
        return []
    last.failed, last.finished, last.span = True, False, Span()
    span, at = last.span, last.ended
    span.start = span.end = span.recovery = at.time
    span.down_since, span.failures = at, {last.signature: 1}
    _add_to_series(state, span)
    return [span]


def _healthy(state: UnitState, since: Moment) -> list[Span]:
    """The unit has been healthy since then."""
    span = state.span
    closed = _close(state, since)
    span.recovery = span.end
    return closed


def _close(state: UnitState, end: Moment) -> list[Span]:
    """End the span and begin another; one in which nothing failed is dropped."""
    _measure(state, end)
    span, state.span, state.gate = state.span, Span(), None
    if span.start is None:
        return []
    span.end = max(end.time, span.start)
    if span.own_kind is None:
        _add_to_series(state, span)
    return [span]


def _add_to_series(state: UnitState, span: Span) -> None:
    """Let an isolated failure follow those of the last day; without any it begins a series."""
    at = span.down_since or Moment(span.start or 0)
    if state.series.recent and elapsed_s(state.series.recent[-1], at) > RECURRING_WINDOW_S:
        state.series = Series()
    series = state.series
    span.series = series
    series.recent += [at] * min(sum(span.failures.values()), RECURRING)
    del series.recent[:-RECURRING]
    if len(series.recent) == RECURRING and elapsed_s(series.recent[0], at) <= RECURRING_WINDOW_S:
        series.is_recurring = True
