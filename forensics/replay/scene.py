"""Place a control's effect in an incident: when it first acted in it, what it spared, and how often it acted in quiet times."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import numpy as np

from forensics.model.controls import CANNOT_JUDGE, FIRES, NEVER, Replayed
from forensics.model.values import Incident
from forensics.replay.history import Flags, Floats, UnitHistory
from forensics.replay.machine import Machine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BEFORE_S = 600.0  # an alert that begins so soon before an incident belongs to it: a unit is down before its first failed start
Span = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Named:
    """A control before it is replayed."""

    id: str
    control: str
    kind: str
    source: str
    assumptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class First:
    """When a control first acted in an incident, in seconds from its start; a range where that depends on the phase of a clock."""

    after_s: float
    earliest_s: float
    latest_s: float
    never_share: float | None = None
    delivered_after_s: float | None = None

    @classmethod
    def at(cls, after_s: float, *, delivered_after_s: float | None = None) -> First:
        return cls(after_s, after_s, after_s, None, delivered_after_s)


@dataclass(frozen=True, slots=True)
class Scene:
    """An incident and the histories that it is about. Times are seconds since 1970.

    spans: of all incidents of the unit; answers_for: the incident and the quiet time around it, up to its neighbours.
    """

    incident: Incident
    machine: Machine
    histories: tuple[UnitHistory, ...]
    start: float
    until: float
    window: Span
    spans: tuple[Span, ...]
    answers_for: Span
    operator: float | None
    kept: dict[Hashable, Any] = field(default_factory=dict)  # what was found about the unit, for all its incidents

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """Find something about the unit's whole history, once for all its incidents."""
        if key not in self.kept:
            self.kept[key] = find()
        found: T = self.kept[key]
        return found

    @property
    def is_job(self) -> bool:
        """Whether the unit is one that does its work and ends: it answers no requests."""
        return all(history.is_oneshot for history in self.histories)

    def inside(self, times: Floats) -> Flags:
        """Mark the times within the incident."""
        return (times >= self.start) & (times <= self.until)

    def quiet(self, times: Floats) -> Flags:
        """Mark the times outside of all incidents of the unit."""
        return ~self.touches_incident(times, times)

    def touches_incident(self, since: Floats, until: Floats) -> Flags:
        """Mark what overlaps an incident of the unit."""
        starts, ends = self.once("spans", lambda: _edges(self.spans))
        begun = np.searchsorted(starts, until, side="right")  # so many incidents had begun by then
        touched: Flags = np.append(-np.inf, ends)[begun] >= since
        return touched

    def own(self, times: Floats) -> Flags:
        """Mark the times for which this incident answers, so that what lies between two incidents counts once."""
        return (times > self.answers_for[0]) & (times <= self.answers_for[1])

    def part(self, times: Floats) -> slice:
        """Return where, in times that ascend, those are for which this incident answers."""
        low, high = np.searchsorted(times, self.answers_for, side="right")
        return slice(int(low), int(high))

    def restarts_after(self, time: float) -> int:
        """Count the restarts of the incident from a time on."""
        return sum(history.restarts_within(max(time, self.start), self.until + 1e-6) for history in self.histories)

    def fires(self, named: Named, first: First, reason: str, **counts: Any) -> Replayed:
        """Describe a control that acted in the incident. counts: of Replayed."""
        time = self.start + first.after_s
        counts.setdefault("restarts_after", self.restarts_after(time))
        return Replayed(
            **_identity(named),
            status=FIRES,
            fires_at=EPOCH + timedelta(microseconds=round(time * 1e6)),
            after_s=first.after_s,
            earliest_s=first.earliest_s,
            latest_s=first.latest_s,
            never_share=first.never_share,
            delivered_after_s=first.delivered_after_s,
            before_operator_s=None if self.operator is None else self.operator - time,
            reason=reason,
            **counts,
        )

    @staticmethod
    def never(named: Named, reason: str, **counts: Any) -> Replayed:
        """Describe a control that was evaluated and never acted in the incident."""
        return Replayed(**_identity(named), status=NEVER, reason=reason, **counts)

    @staticmethod
    def cannot_judge(named: Named, reason: str) -> Replayed:
        return Replayed(**_identity(named), status=CANNOT_JUDGE, reason=reason)


def scenes(
    incidents: Sequence[Incident], histories: Sequence[tuple[UnitHistory, ...]], machines: Sequence[Machine], window: Span
) -> list[Scene]:
    """Make the scene of each incident."""
    starts = [_seconds(incident.start) for incident in incidents]
    ends = [_end(incident, machine) for incident, machine in zip(incidents, machines, strict=True)]
    of_unit: dict[tuple[str, str, str], list[int]] = {}
    for number, incident in enumerate(incidents):
        of_unit.setdefault((incident.machine, incident.manager, incident.unit), []).append(number)
    made: dict[int, Scene] = {}
    for numbers in of_unit.values():
        numbers.sort(key=starts.__getitem__)
        kept: dict[Hashable, Any] = {}
        spans = tuple((starts[number], ends[number]) for number in numbers)
        for position, number in enumerate(numbers):
            since = -np.inf if position == 0 else spans[position - 1][1]
            until = np.inf if position == len(spans) - 1 else spans[position][1]
            operator = incidents[number].detection.operator
            made[number] = Scene(
                incidents[number], machines[number], histories[number], *spans[position], window, spans, (since, until),
                None if operator is None else _seconds(operator), kept,
            )  # fmt: skip
    return [made[number] for number in range(len(incidents))]


def _edges(spans: Sequence[Span]) -> tuple[Floats, Floats]:
    """Return the starts of spans in order, and when all up to each had ended."""
    edges = np.array(sorted(spans), dtype=np.float64).reshape(-1, 2)
    return edges[:, 0], np.maximum.accumulate(edges[:, 1])


def _end(incident: Incident, machine: Machine) -> float:
    """Return when an incident ends; one that goes on ends with the data."""
    start = _seconds(incident.start)
    return max(start, machine.until if incident.end is None else _seconds(incident.end))


def _seconds(time: datetime) -> float:
    return (time - EPOCH) / timedelta(seconds=1)


def _identity(named: Named) -> dict[str, Any]:
    return {"id": named.id, "control": named.control, "kind": named.kind, "source": named.source, "assumptions": named.assumptions}
