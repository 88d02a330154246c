"""Group alerts that come too fast: new classes of one unit into one alert, and beyond a bound everything into one of the host."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from forensics.alerting.alert import BREAKER, DOWN, FUTILE, JOB, LOOP, LOSS, NEW, RECOVERED, REMEDY_ENDED, REMEDY_STARTED, Alert
from forensics.signatures.variants import templates

WINDOW_S = 600.0
MOST_OF_UNIT = 20  # alerts about classes of one unit within the window; further ones become one alert
MOST_OF_HOST, MOST_CLASSES_OF_HOST = 100, 80  # alerts within the window; the rest of the hundred is for alerts about units as a whole
ABOUT_UNITS = frozenset({LOOP, DOWN, JOB, BREAKER, REMEDY_STARTED, REMEDY_ENDED, LOSS, RECOVERED})
ABOUT_CLASSES = frozenset({NEW, FUTILE})
MOST_TEXTS, MOST_HELD, MOST_UNITS = 200, 2000, 500  # that are remembered of a flood; it counts on
MOST_GROUPS = 1000
SEVERITIES = ("info", "warning", "critical")


@dataclass(slots=True)
class Flood:
    """Alerts that are delivered as one. begun: time of the first; last: of the newest, by the clock of `watch`.

    texts: how often each title and wording was met. units, held: of a flood of the host, alerts of each unit, and their keys.
    """

    first: str
    begun: float
    last: float
    severity: str
    total: int = 0
    texts: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    def add(self, title: str, severity: str, steady: float) -> None:
        self.total, self.last = self.total + 1, steady
        self.severity = max(self.severity, severity, key=_rank)
        if len(self.texts) >= MOST_TEXTS:  # what is common was met twice by now
            self.texts = dict(most({text: count for text, count in self.texts.items() if count > 1}, MOST_TEXTS // 2))
        for text in dict.fromkeys([title, *templates(title, has_site=True)]):
            self.texts[text] = self.texts.get(text, 0) + 1

    @property
    def commonest(self) -> tuple[str, int]:
        """The title or wording that was met most often, and how often; of equally common ones the first."""
        text = max(self.texts, key=lambda text: self.texts[text])
        return text, self.texts[text]


@dataclass(slots=True)
class NewClasses:
    """The alerts about classes of one unit. recent: time, title and severity of the last ones, as many as make a flood."""

    recent: list[tuple[float, str, str]] = field(default_factory=list)
    flood: Flood | None = None


@dataclass(slots=True)
class Floods:
    """of_units: by name of the alert and unit. delivered: when alerts were, by the clock of `watch`, and whether about classes."""

    of_units: dict[str, NewClasses] = field(default_factory=dict)
    of_host: Flood | None = None
    delivered: list[tuple[float, bool]] = field(default_factory=list)

    def joined(self, alert: Alert, steady: float) -> Flood | None:
        """Count an alert about a class; return the flood that it is part of, if it is."""
        known = self.of_units.setdefault(group_of(alert), NewClasses())
        if known.flood is not None:
            known.flood.add(alert.title, alert.severity, steady)
            return known.flood
        time = alert.starts_at
        known.recent = [*(one for one in known.recent if abs(time - one[0]) <= WINDOW_S), (time, alert.title, alert.severity)]
        if len(known.recent) <= MOST_OF_UNIT:
            return None
        known.flood = Flood(known.recent[0][1], known.recent[0][0], steady, "info")
        for _, title, severity in known.recent:
            known.flood.add(title, severity, steady)
        del known.recent[0]  # should the flood be resolved while it goes on, the next class begins another
        return known.flood

    def admits(self, alert: Alert, steady: float) -> bool:
        """Whether the host may be alerted once more within the window; then it counts."""
        self.delivered = [(at, about_class) for at, about_class in self.delivered if 0 <= steady - at < WINDOW_S]
        about_class = alert.name not in ABOUT_UNITS and alert.state != "flood"
        classes = sum(1 for _, is_class in self.delivered if is_class)
        if len(self.delivered) >= MOST_OF_HOST or (about_class and classes >= MOST_CLASSES_OF_HOST):
            return False
        self.delivered.append((steady, about_class))
        return True

    def hold_back(self, alert: Alert, steady: float) -> bool:
        """Add an alert to the flood of the host; return whether it was not in it yet."""
        flood = self.of_host = self.of_host or Flood(alert.title or alert.summary, alert.starts_at, steady, alert.severity)
        flood.last = steady
        if alert.state == "flood" or alert.name not in {NEW, RECOVERED}:  # tried again as long as it lasts
            if alert.key in flood.held or len(flood.held) >= MOST_HELD:
                return False
            flood.held[alert.key] = 1
        unit = alert.unit if alert.unit in flood.units or len(flood.units) < MOST_UNITS else "others"
        flood.units[unit] = flood.units.get(unit, 0) + 1
        flood.add(alert.title or alert.summary, alert.severity, steady)
        return True

    def over(self, steady: float) -> list[str]:
        """List the groups whose flood is over: nothing was added for the length of the window, or there are too many groups."""
        too_many = set(list(self.of_units)[: max(0, len(self.of_units) - MOST_GROUPS)])
        floods = {group: known.flood for group, known in self.of_units.items() if known.flood is not None}
        return [*too_many, *(group for group, flood in floods.items() if group not in too_many and _is_quiet(flood, steady))]

    def host_is_quiet(self, steady: float) -> bool:
        """Whether the flood of the host is over."""
        return self.of_host is not None and _is_quiet(self.of_host, steady)


def group_of(alert: Alert) -> str:
    """Name what an alert about a class is grouped by: also the key of the group's own alert."""
    return replace(alert, signature="").key


def most(counts: dict[str, int], number: int = 3) -> list[tuple[str, int]]:
    """The most frequent, most frequent first."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:number]


def _is_quiet(flood: Flood, steady: float) -> bool:
    flood.last = min(flood.last, steady)  # the clock begins anew when the host is booted
    return steady - flood.last >= WINDOW_S


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0
