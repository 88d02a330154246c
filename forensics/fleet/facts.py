"""What a fleet page knows of each host's report, and of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A change to a host; the key is the same for the same change on another host."""

    key: str
    kind: str
    summary: str
    time: datetime


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A failure class: on a host, or in one incident; `units` are those that failed of it, as far as the report says."""

    signature: str
    title: str
    severity: str
    units: tuple[str, ...]
    failures: int
    restarts: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """An incident of a host; its first class is the one with the most failures. It is not over where `ongoing`."""

    id: str
    unit: str
    manager: str
    kind: str
    ongoing: bool
    start: datetime
    end: datetime | None
    failures: int
    restarts: int
    downtime_s: float
    verdict: str
    trigger: ChangeFacts | None
    classes: tuple[ClassFacts, ...]


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The newest report of a host; `machine` is "" where the report names none, `problems` say why numbers may be too low."""

    machine: str
    host: str
    file: str
    generated: datetime
    since: datetime
    until: datetime
    entries: int
    complete: bool
    version: str
    schema_version: int
    failures: int
    restarts: int
    downtime_s: float
    incidents: tuple[IncidentFacts, ...]
    classes: tuple[ClassFacts, ...]
    changes: tuple[ChangeFacts, ...]
    problems: tuple[str, ...]

    @property
    def key(self) -> str:
        """Tell hosts apart: by the machine id, else by the name."""
        return self.machine or f"host:{self.host}"


@dataclass(frozen=True, slots=True, order=True)
class Copy:
    """A report that was read for a host: more than one for a key is a host that reported twice, or a machine id that was cloned."""

    key: str
    generated: datetime
    host: str
    file: str


@dataclass(frozen=True, slots=True, order=True)
class Unread:
    """A file that gave no facts, and why, as the rest of a sentence that begins with the file."""

    file: str
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A batch of reports: hosts by key, every report that counted or was replaced, and what could not be read; all sorted."""

    hosts: tuple[HostFacts, ...] = ()
    copies: tuple[Copy, ...] = ()
    unread: tuple[Unread, ...] = ()


EMPTY = Summary()
