"""Keep the alerts that are not resolved, and decide which are delivered by themselves and which as part of a flood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from forensics.alerting.alert import Alert
from forensics.model.values import UnitKey
from forensics.watch.alert_texts import flood_of_host, flood_of_unit
from forensics.watch.floods import ABOUT_CLASSES, Flood, Floods, group_of

MOST_OPEN = 4000  # the oldest are resolved: a host raises a hundred in ten minutes
HOST = "flood of the host"


@dataclass(slots=True)
class OpenAlerts:
    """by_key: the alerts. steady: the clock of `watch`, as last read. grouped: alerts of each unit that were not delivered."""

    by_key: dict[str, Alert] = field(default_factory=dict)
    floods: Floods = field(default_factory=Floods)
    steady: float = field(default=0.0, compare=False)
    grouped: Counter[str] = field(default_factory=Counter, compare=False)

    def open(self, alert: Alert, key: str = "") -> list[Alert]:
        """Open an alert and return it, or what is alerted instead."""
        admitted = self.admitted(alert)
        if alert in admitted:
            self.by_key[key or alert.key] = alert
        return admitted + self._surplus()

    def admitted(self, alert: Alert) -> list[Alert]:
        """Return the alert if it is delivered by itself, as a drill always is, else the alert about its flood if that is news."""
        if alert.is_drill:
            return [alert]
        flood = self.floods.joined(alert, self.steady) if alert.name in ABOUT_CLASSES else None
        if flood is not None:
            self.grouped[alert.unit] += 1
            return self._flooded(group_of(alert), flood_of_unit(flood, alert))
        return [alert] if self.floods.admits(alert, self.steady) else self._held_back(alert)

    def once_more(self, key: str, state: str = "") -> None:
        """Count what is open and happens again, without another alert; that it escalates stays with it."""
        if (alert := self.by_key.get(key)) is not None:
            self.by_key[key] = replace(alert, count=alert.count + 1, state=state if state == "escalating" else alert.state)

    def resolved(self, keys: Iterable[str], ended_at: Callable[[Alert], float]) -> list[Alert]:
        """Resolve alerts that are open."""
        alerts = [self.by_key.pop(key) for key in keys]
        for alert in alerts:
            if alert.state == "flood" and (known := self.floods.of_units.get(group_of(alert))) is not None:
                known.flood = None
        return [replace(alert, ended_at=ended_at(alert)) for alert in alerts]

    def tick(self, steady: float, time: float, is_failing: Callable[[Alert], bool]) -> list[Alert]:
        """Resolve floods that are over; one of a unit that fails lasts as long as that."""
        self.steady = steady
        over: list[str] = []
        for group in self.floods.over(steady):
            alert = self.by_key.get(group)
            if alert is None:
                del self.floods.of_units[group]
            elif not is_failing(alert):
                over.append(group)
        resolved = self.resolved(over, lambda _: time)
        for group in over:
            del self.floods.of_units[group]
        if self.floods.host_is_quiet(steady):
            self.floods.of_host = None
            resolved += self.resolved([HOST] if HOST in self.by_key else [], lambda _: time)
        return resolved

    def _flooded(self, key: str, alert: Alert) -> list[Alert]:
        """Open the alert about a flood, or let it count on."""
        earlier = self.by_key.get(key)
        if earlier is None:
            if not self.floods.admits(alert, self.steady):
                return self._held_back(alert)
            self.by_key[key] = alert
            return [alert]
        self.by_key[key] = replace(earlier, summary=alert.summary, title=alert.title, count=alert.count)
        return []

    def _held_back(self, alert: Alert) -> list[Alert]:
        if not self.floods.hold_back(alert, self.steady):
            return []
        self.grouped[alert.unit] += 1
        flood = self.floods.of_host
        return [] if flood is None else self._host_flooded(flood, alert.host)

    def _host_flooded(self, flood: Flood, host: str) -> list[Alert]:
        earlier = self.by_key.get(HOST)
        alert = flood_of_host(flood, host if earlier is None else earlier.host)
        self.by_key[HOST] = alert if earlier is None else replace(alert, severity=earlier.severity)
        return [alert] if earlier is None else []

    def _surplus(self) -> list[Alert]:
        """Resolve the oldest of too many."""
        oldest = list(self.by_key)[: max(0, len(self.by_key) - MOST_OPEN)]
        return self.resolved(oldest, lambda alert: alert.starts_at)


def key_of(name: str, unit: UnitKey, host: str) -> str:
    """Return the key of an alert about a unit as a whole."""
    return Alert(name, unit.unit, host, "", "", 0.0, machine=unit.machine, manager=unit.manager).key
