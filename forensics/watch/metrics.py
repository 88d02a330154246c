"""Define the Prometheus metrics of `watch`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from forensics import __version__
from forensics.model.values import UnitKey
from forensics.policy.class_state import STATES, ClassState
from forensics.policy.limits import HELD_S
from forensics.sanitize.characters import visible_name
from forensics.watch.stream import Ended
from forensics.watch.tracker import Tracker

MOST_UNITS, MOST_SIGNATURES = 200, 100  # label values, signatures per unit; later ones are counted as OTHER
OTHER = "other"
LONGEST_VALUE = 200  # characters of a label value
PREFIX = "tabby_forensics_"
DURATIONS_S = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600, 86400)
COUNTERS = {
    "unit_restarts": ("Automatic restarts seen in the journal.", ["unit"]),
    "gate_trips": ("How often a gate stopped the restarts of the unit, failed tries included.", ["unit"]),
    "failures": ("Failed attempts by failure class.", ["unit", "signature"]),
    "watch_refused_alerts": (
        "Alerts that a sink did not get: it refused them, its queue was full, or it is no longer configured.",
        ["sink"],
    ),
    "watch_grouped_alerts": (
        "Alerts that were not delivered by themselves: they count in the alert of a flood, or in one whose text differs in one word.",
        ["unit"],
    ),
    "watch_skipped": ("Entries and ends of attempts that `watch` could not process and skipped.", []),
    "journal_lost_lines": ("Log lines that journald reported as dropped.", []),
}
GAUGES = {
    "class_first_seen_timestamp_seconds": ("First failure of the class.", ["unit", "signature"]),
    "class_last_seen_timestamp_seconds": ("Last failure of the class.", ["unit", "signature"]),
    "class_state": ("1 for the current state of the class, 0 for the others.", ["unit", "signature", "state"]),
    "unit_up": ("1 while an attempt of the unit is running.", ["unit"]),
    "unit_held": ("1 once the unit has been up for ten minutes.", ["unit"]),
    "unit_loop_active": ("1 while the unit is in a restart loop.", ["unit"]),
    "gate_open": ("1 while a gate keeps the unit from being restarted.", ["unit"]),
    "last_event_timestamp_seconds": ("Time of the newest entry read.", []),
    "watch_lag_seconds": ("Age of the newest entry when it was processed.", []),
    "watch_learning": ("1 while the known failures are read from history, on a first run.", []),
    "watch_learning_progress_ratio": ("How much of that history is read.", []),
    "watch_queued_alerts": ("Alerts waiting for a sink.", ["sink"]),
    "build_info": ("1, labelled with the version.", ["version"]),
}
# known to a running `watch` only, not to an export of history
LIVE_ONLY = {
    "watch_refused_alerts",
    "watch_grouped_alerts",
    "watch_lag_seconds",
    "watch_learning",
    "watch_learning_progress_ratio",
    "watch_queued_alerts",
    "unit_held",
    "gate_open",
    "gate_trips",
    "class_state",
}
OF_UNITS = {"unit_restarts", "gate_trips"}  # counters that begin with a unit
LASTING_S = 60.0  # uptime from which a unit without failures and restarts is shown: a host starts many short ones
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class Metrics:
    """Counts since this start. live: with the LIVE_ONLY metrics. alive_at: the last round of the loop, by a monotonic clock."""

    live: bool = True
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    counters: dict[str, Counter] = field(default_factory=dict)
    gauges: dict[str, Gauge] = field(default_factory=dict)
    durations: Histogram = field(init=False)
    alive_at: float | None = None
    learning: float | None = None  # the share of history that is read, while it is
    _units: set[str] = field(default_factory=set)
    _signatures: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (text, labels) in COUNTERS.items():
            if self.live or name not in LIVE_ONLY:
                self.counters[name] = Counter(PREFIX + name, text, labels, registry=self.registry)
        for name, (text, labels) in GAUGES.items():
            if self.live or name not in LIVE_ONLY:
                self.gauges[name] = Gauge(PREFIX + name, text, labels, registry=self.registry)
        durations = "How long attempts ran, from start to exit."
        self.durations = Histogram(f"{PREFIX}attempt_duration_seconds", durations, ["unit"], registry=self.registry, buckets=DURATIONS_S)
        self.gauges["build_info"].labels(__version__).set(1)

    def learns(self, share: float | None) -> None:
        """Note which share of history is read; null when all that is wanted is."""
        self.learning = share
        self.gauges["watch_learning"].set(share is not None)
        self.gauges["watch_learning_progress_ratio"].set(1.0 if share is None else share)

    def attempt(self, ended: Ended, tracker: Tracker) -> None:
        unit = ended.unit.unit
        signature = tracker.class_of(ended.unit, ended.signature) if ended.signature else ""
        class_state = tracker.classes.get((ended.unit, signature))
        if class_state is not None:
            self.failures(unit, signature, 1, class_state.first, class_state.last)
            self.state(unit, signature, class_state)
        if (unit := visible_name(unit)) in self._units:
            self.durations.labels(unit).observe(ended.attempt.lived_s)

    def failures(self, unit: str, signature: str, count: int, first: float, last: float) -> None:
        """Count more failures of a class. first, last: of all its failures."""
        unit = self.unit_label(unit)
        signature = self.signature_label(unit, signature, first)
        self.counters["failures"].labels(unit, signature).inc(count)
        self.gauges["class_last_seen_timestamp_seconds"].labels(unit, signature).set(last)

    def state(self, unit: str, signature: str, class_state: ClassState) -> None:
        """Set the state of a failure class."""
        unit = self.unit_label(unit)
        signature = self.signature_label(unit, signature, class_state.first)
        if OTHER not in {unit, signature}:
            for state in STATES:
                self.gauges["class_state"].labels(unit, signature, state).set(state == class_state.state)

    def restart(self, unit: str) -> None:
        self.count("unit_restarts", unit)

    def count(self, name: str, unit: str) -> None:
        """Count one more of what a counter of units counts."""
        self.counters[name].labels(self.unit_label(unit)).inc()

    def refused(self, sink: str) -> None:
        """Count one alert that the sink will never get."""
        self.counters["watch_refused_alerts"].labels(sink).inc()

    def sinks(self, queued: Callable[[str], int], names: Iterable[str]) -> None:
        """Expose these sinks and no others. queued: how many alerts wait for a sink, called at each scrape."""
        gauge = self.gauges["watch_queued_alerts"]
        gauge.clear()
        for name in names:
            gauge.labels(name).set_function(partial(queued, name))
            self.counters["watch_refused_alerts"].labels(name)

    def unit_label(self, unit: str) -> str:
        """Return the label value of a unit. Creates its counters at 0, because `increase` misses the first step of a new series."""
        unit = visible_name(unit)
        if unit in self._units:
            return unit
        unit = unit if len(self._units) < MOST_UNITS else OTHER
        self._units.add(unit)
        for name in OF_UNITS & self.counters.keys():
            self.counters[name].labels(unit)
        return unit

    def signature_label(self, unit: str, signature: str, first: float) -> str:
        """Return the label value of a class. Creates its counter at 0, also for a class of the baseline."""
        labels, signature = self._signatures.setdefault(unit, set()), visible_name(signature)
        name = signature if signature in labels or len(labels) < MOST_SIGNATURES else OTHER
        if name not in labels:
            labels.add(name)
            self.counters["failures"].labels(unit, name)
            self.gauges["class_first_seen_timestamp_seconds"].labels(unit, name).set(first)
        return name

    def units(self, tracker: Tracker, steady: float) -> None:
        """Update the gauges of the units. steady: now, by the tracker's monotonic clock."""
        for name, count in tracker.alerts.grouped.items():
            self.counters["watch_grouped_alerts"].labels(self.unit_label(name)).inc(count)
        tracker.alerts.grouped.clear()
        by_name: dict[str, list[UnitKey]] = {}
        for key, unit in tracker.units.items():
            by_name.setdefault(visible_name(key.unit), []).append(key)
            if unit.state.span.start is not None or tracker.is_up(key, steady, LASTING_S):
                self.unit_label(key.unit)
        for name in self._units - {OTHER}:
            keys = by_name.get(name, [])
            self.gauges["unit_up"].labels(name).set(any(tracker.is_up(key, steady) for key in keys))
            self.gauges["unit_held"].labels(name).set(any(tracker.is_up(key, steady, HELD_S) for key in keys))
            self.gauges["gate_open"].labels(name).set(any(tracker.units[key].state.gate is not None for key in keys))
            self.gauges["unit_loop_active"].labels(name).set(any(tracker.units[key].state.span.own_kind == "restart-loop" for key in keys))

    def text(self) -> bytes:
        return generate_latest(self.registry)
