"""Define the values about controls: what anything that should have prevented, detected, limited or recovered would have done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

FIRES, NEVER, CANNOT_JUDGE, DEAD = "fires", "never", "cannot-judge", "dead"
EFFECTIVE, UNWIRED, UNREACHABLE, MISSING, UNKNOWN = "effective", "unwired", "unreachable", "missing", "unknown"
LAYERS = {1: "Prevent", 2: "Detect", 3: "Limit", 4: "Recover"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one control would have done in one incident, from the journal alone; seconds count from the incident's start.

    status: fires; never (evaluated at every step); cannot-judge (the journal does not show what it needs); dead (it can fire nowhere).
    """

    id: str  # stable, such as "rule:NodeSystemdServiceFailed" or "limit:5/300"
    control: str  # as a reader calls it
    kind: str  # rule, limit, policy, probe, poll, gate, litellm, watch, stack
    source: str  # file and line, an option, or "shipped: <project>"
    status: str
    fires_at: datetime | None = None
    after_s: float | None = None  # the middle of the phases
    earliest_s: float | None = None  # over the phases of scrapes and evaluations; equal where there are none
    latest_s: float | None = None
    never_share: float | None = None  # of the phases in which it does not fire in this incident
    delivered_after_s: float | None = None  # with Alertmanager's group_wait, where it is delivered
    restarts_avoided: int | None = None  # by limiters
    restarts_after: int | None = None  # restarts of the incident that came after it would have fired
    firings_outside: int | None = None  # noise: in the whole window, outside all incidents of the unit
    hours_outside: float | None = None
    refusals: int | None = None  # by limiters: starts that would have been refused in this incident
    refusals_outside: int | None = None  # in quiet times
    before_operator_s: float | None = None  # how long before the operator's first action; negative after it
    reason: str = ""
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a control's chain. holds: null when it could not be checked."""

    link: str
    holds: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class Control:
    """A control of the audit. status: effective only if each link holds, with evidence."""

    layer: int  # of LAYERS
    id: str
    control: str
    status: str  # effective, unwired, unreachable, missing, unknown
    links: tuple[Link, ...] = ()
    remedy: str = ""
    evidence: str = ""
