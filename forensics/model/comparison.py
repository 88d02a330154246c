"""Define the values of a comparison of two windows of history: totals, classes and incidents before and now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Side:
    """The totals of one window. recorded_s: its length without what is known to be missing."""

    since: datetime
    until: datetime
    recorded_s: float
    entries: int
    complete: bool
    failures: int
    restarts: int
    incidents: int
    ongoing: int
    downtime_s: float


@dataclass(frozen=True, slots=True)
class ClassChange:
    """How often one class occurred before and now. status: new, more, fewer, gone, unclear or same.

    factor: of the rates, at least 1; null where one of them is 0. largest: what the incident with the most of it has of `now`.
    """

    signature: str
    title: str
    status: str
    before: int
    now: int
    before_per_day: float
    now_per_day: float
    factor: float | None
    largest: int = 0


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """An incident that is new, came again (its unit had another before), continued from the earlier window, or is gone."""

    status: str
    id: str
    unit: str
    manager: str
    host: str
    kind: str
    ongoing: bool
    start: datetime
    end: datetime | None
    downtime_s: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two windows compared. before: null where nothing is recorded of it; notes: what makes the windows unequal."""

    before: Side | None
    now: Side
    classes: tuple[ClassChange, ...] = ()
    incidents: tuple[IncidentChange, ...] = ()
    notes: tuple[str, ...] = ()
