"""Define the values that a report is made of. Times are UTC, sizes are bytes, shares are 0…1; null means "not recorded".

Imports nothing heavy, so that what needs only these starts fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from forensics.model.comparison import Comparison
from forensics.model.controls import Control, Replayed
from forensics.model.signature import LOST as LOST  # noqa: PLC0414 - values of a report as well
from forensics.model.signature import Signature as Signature  # noqa: PLC0414


class UnitKey(NamedTuple):
    """Identifies a unit; its host's name is only a label. manager: "system" or "user:<uid>"."""

    machine: str
    manager: str
    unit: str


@dataclass(frozen=True, slots=True, order=True)
class Damage:
    """A part of an input that could not be read. offset: null for the whole file."""

    file: str
    offset: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of time for which entries are known to be missing, or in which the clock cannot be trusted."""

    start: datetime
    end: datetime
    reason: str
    kind: str = "missing"  # entries are missing; or nothing is: clock-set, asleep


@dataclass(frozen=True, slots=True)
class Evidence:
    """An entry quoted so that a claim can be checked; its place in the journal identifies it.

    before, after: lines of the same attempt, of which report/evidence.py shows the nearest; event: all lines of the event that it
    belongs to, empty where it is the only one; decides: which of these is the entry's own.
    """

    time: datetime
    message: str
    file: str
    offset: int | None
    before: tuple[str, ...] = field(default=(), compare=False)
    event: tuple[str, ...] = field(default=(), compare=False)
    after: tuple[str, ...] = field(default=(), compare=False)
    decides: int = field(default=0, compare=False)
    unit: str = field(default="", compare=False)
    manager: str = field(default="", compare=False)
    row: int | None = field(default=None, compare=False, repr=False)  # in ENTRIES


@dataclass(frozen=True, slots=True)
class Asked:
    """How the same history is asked for again. options: of this program, quoted for a shell; directories, files: the named journals."""

    options: str = ""
    directories: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Completeness:
    entries: int
    complete: bool
    dropped: int
    gaps: tuple[Gap, ...]
    damage: tuple[Damage, ...]


@dataclass(frozen=True, slots=True)
class RestartTotals:
    total: int
    in_incidents: int
    background: int
    lost: int
    refused: int = 0


@dataclass(frozen=True, slots=True)
class FailureTotals:
    """Failed attempts, whether or not a restart followed."""

    total: int = 0
    in_incidents: int = 0
    isolated: int = 0


@dataclass(frozen=True, slots=True)
class IsolatedFailures:
    """The failures of one unit and class that are in no incident."""

    machine: str
    host: str
    unit: str
    manager: str
    signature: str
    title: str
    failures: int
    restarts: int
    first: datetime
    last: datetime
    sample: Evidence | None = None


@dataclass(frozen=True, slots=True)
class RestartHelped:
    """How often an automatic restart after this class was followed by an attempt that held. of: restarts whose outcome is known."""

    of: int
    held: int


@dataclass(frozen=True, slots=True)
class FailureClass:
    """One row of a breakdown table. secondary: failed attempts in which it also appeared without explaining the end."""

    signature: str
    title: str
    restarts: int
    share: float
    first: datetime | None
    last: datetime | None
    restart_helps: bool | None
    severity: str
    sample: Evidence | None
    secondary: int
    cause: str = ""
    remedy: str = ""
    cycle_s: float | None = None  # median time from one start to the next
    failures: int = 0  # failed attempts that it explains, restarted or not
    restart_helped: RestartHelped | None = None  # measured, beside the catalogue's opinion
    restart_helps_when: str = ""  # of its signature
    values_in: tuple[int, int] | None = None  # in how many failures its pattern captured the values that its texts show, and any


@dataclass(frozen=True, slots=True)
class Phase:
    start: datetime
    end: datetime
    restarts: int
    cadence_s: float | None
    primary: str
    classes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Change:
    time: datetime
    kind: str
    summary: str
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class FixAttempt:
    time: datetime
    summary: str
    outcome: str  # held, changed-class, no-effect
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Detection:
    """The detection bracket. alert: null when none is on record; operator_action: what the operator did then."""

    signal: datetime | None
    alert: datetime | None
    operator: datetime | None
    declared: datetime | None
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    operator_action: str | None = None


@dataclass(frozen=True, slots=True)
class GateStop:
    """What a gate did in an incident: it stopped the restarts, and tried a start now and then. after_s: from the first failure.

    restarts_avoided: an estimate, how many would have fitted in the time in which it kept the unit stopped; null without a cadence.
    """

    opened: datetime
    after_s: float
    failures: int
    signature: str
    probes: int
    closed: datetime | None
    restarts_avoided: int | None
    cadence_s: float | None  # from one start to the next, before it opened
    evidence: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    cpu_s: float | None
    journal_bytes: int
    entries: int
    journal_share: float | None = None  # of the bytes that the machine logged in the window
    displaced_s: float | None = None  # how long the machine's other entries take to fill as much journal


@dataclass(frozen=True, slots=True)
class SharedValue:
    """What failures of several classes name, so that it may be the one cause behind them: a process, port, path, device or unit.

    ended: the change that names it, after which no failure did. phases: the first and the last that have such failures, counted from 1.
    port: of a process, the port that was in use in its failures.
    """

    what: str
    value: str
    classes: tuple[str, ...]
    failures: int
    ended: Change | None
    evidence: Evidence | None
    phases: tuple[int, int] = (1, 1)
    port: str = ""


@dataclass(frozen=True, slots=True)
class Bin:
    """Restarts of one class in one bin of time, for the figures."""

    start: datetime
    signature: str
    restarts: int


@dataclass(frozen=True, slots=True)
class Incident:
    id: str
    unit: str
    manager: str
    host: str
    kind: str  # restart-loop, outage, failing-job, recurring
    ongoing: bool
    start: datetime
    end: datetime | None
    restarts: int
    exact: bool
    downtime_s: float
    downtime_method: str  # envelope, sum-of-gaps, none
    availability: float | None
    phases: tuple[Phase, ...]
    classes: tuple[FailureClass, ...]
    changes: tuple[Change, ...]
    trigger: Change | None
    trigger_text: str  # "X, 40 s before the first failure" or "no change found"
    fix_attempts: tuple[FixAttempt, ...]
    detection: Detection
    recovery: datetime | None
    time_to_recover_s: float | None
    cost: Cost
    verdict: str  # one sentence for the first screen
    bin_s: int
    bins: tuple[Bin, ...]
    beside: tuple[FailureClass, ...] = ()  # known problems in failed attempts that ended by others: no restarts, `secondary` counts
    failures: int = 0  # failed attempts
    caused_by: str | None = None  # the unit without which this one could not run, and that failed
    machine: str = ""
    slept_s: float = 0.0  # of the host, between start and end: in no other length
    last_good: datetime | None = None  # when the attempt before its first failure ended well
    replay: tuple[Replayed, ...] = ()  # controls, the first to fire first
    gate: GateStop | None = None
    links: tuple[SharedValue, ...] = ()  # inferred


@dataclass(frozen=True, slots=True)
class DetectionSummary:
    incidents: int
    mttd_s: float | None  # a mean only over three or more incidents with a known detection
    median_ttd_s: float | None
    mttr_s: float | None


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """A consistency check: two sums that must be equal."""

    name: str
    expected: int
    got: int

    @property
    def holds(self) -> bool:
        return self.expected == self.got


@dataclass(frozen=True, slots=True)
class Report:
    """All that a reporter may show; reporters compute nothing."""

    host: str
    hosts: tuple[str, ...]
    units: tuple[str, ...]  # units that failed or restarted in the window
    window: Window
    timezone: str
    completeness: Completeness
    restarts: RestartTotals
    classes: tuple[FailureClass, ...]
    incidents: tuple[Incident, ...]
    detection_summary: DetectionSummary
    ledger: tuple[LedgerCheck, ...]
    notes: tuple[str, ...] = ()
    failures: FailureTotals = FailureTotals()
    isolated: tuple[IsolatedFailures, ...] = ()  # most failures first
    controls: tuple[Control, ...] = ()  # of an audit
    version: str = ""
    generated: datetime | None = None
    compare: Comparison | None = None  # with an earlier window
    asked: Asked = Asked()
    machines: tuple[str, ...] = ()  # their ids, where they are recorded
    changes: tuple[Change, ...] = ()  # to the machines, the newest, by time; also where nothing failed; without their evidence
