"""Define the values of a page over many hosts: classes, hosts by what failed, when it failed, and which reports are missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class SharedChange:
    """A change that several hosts had before their first failure of a class.

    hosts_well: those that have it and never failed so; unlisted: hosts that never failed so, and whose report lists no changes.
    """

    kind: str
    summary: str
    sharing: int
    hosts_well: tuple[str, ...]
    unlisted: int


@dataclass(frozen=True, slots=True)
class FleetClass:
    """A failure class over all hosts. host: where it was first; half_s, all_s: until half of its hosts and all of them had it."""

    signature: str
    title: str
    units: tuple[str, ...]
    affected: int
    host: str
    first: datetime
    half_s: float
    all_s: float
    failures: int
    restarts: int
    downtime_s: float
    still_down: int
    change: SharedChange | None


@dataclass(frozen=True, slots=True)
class FleetHost:
    """A host by its newest report. name: with the machine id where several have it; file: the report; ongoing: incidents."""

    name: str
    file: str
    classes: tuple[str, ...]
    failures: int
    restarts: int
    downtime_s: float
    first: datetime | None
    ongoing: int
    until: datetime
    version: str


@dataclass(frozen=True, slots=True)
class HostGroup:
    """Hosts of which the same class cost most; signature "": nothing failed; OTHERS: any of many rare classes."""

    signature: str
    title: str
    still_down: bool
    hosts: tuple[FleetHost, ...]


OTHERS = "other classes"


@dataclass(frozen=True, slots=True)
class HeatRow:
    """Hosts of one group that failed first at about the same time. counts: how many of them failed in each step."""

    signature: str
    name: str  # of the first host
    size: int
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Heat:
    """When hosts failed, in steps of the same length."""

    start: datetime
    step: timedelta
    rows: tuple[HeatRow, ...]

    @property
    def end(self) -> datetime:
        return self.start + self.step * max((len(row.counts) for row in self.rows), default=1)


@dataclass(frozen=True, slots=True)
class Doubts:
    """What makes the numbers lower bounds or uncertain, as names of hosts. unread: (file, why); old_s: from which age on one is old."""

    old_s: float
    unread: tuple[tuple[str, str], ...] = ()
    hosts_missing: tuple[str, ...] = ()
    hosts_old: tuple[str, ...] = ()
    hosts_incomplete: tuple[str, ...] = ()
    hosts_wrong_clock: tuple[str, ...] = ()
    hosts_one_name: tuple[str, ...] = ()
    hosts_one_machine: tuple[str, ...] = ()
    hosts_twice: tuple[str, ...] = ()
    notes: tuple[tuple[str, int], ...] = ()  # (what a report says of itself, on how many hosts)

    @property
    def are_lower_bounds(self) -> bool:
        return any((self.unread, self.hosts_missing, self.hosts_old, self.hosts_incomplete))


@dataclass(frozen=True, slots=True)
class FleetView:
    """What a page over many hosts shows. known: hosts with a report; failed: those of them on which something did."""

    now: datetime
    since: datetime | None
    until: datetime | None
    known: int
    failed: int
    still_down: int
    failures: int
    restarts: int
    downtime_s: float
    classes: tuple[FleetClass, ...]
    groups: tuple[HostGroup, ...]
    heat: Heat | None
    versions: tuple[tuple[str, int], ...]
    doubts: Doubts
