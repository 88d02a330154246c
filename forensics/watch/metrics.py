"""What `watch` knows, as Prometheus metrics, and the small server that shows them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest

from forensics import __version__
from forensics.errors import ForensicsError
from forensics.watch.stream import Ended
from forensics.watch.tracked import STATES, Class, Unit
from forensics.watch.tracker import Tracker

MOST_UNITS, MOST_SIGNATURES = 200, 100  # label values: signatures a unit; what comes later is counted as OTHER
OTHER = "other"
STUCK_S = 30.0  # without a round: something hangs
LONGEST_VALUE = 200  # letters of a label value
PREFIX = "tabby_forensics_"
DURATIONS_S = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 600, 3600, 86400)
COUNTERS = {
    "unit_restarts": ("Automatic restarts seen in the journal.", ["unit"]),
    "failures": ("Failed attempts by failure class.", ["unit", "signature"]),
    "watch_refused_alerts": ("Alerts that a sink refused or that a full queue had no room for.", ["sink"]),
    "journal_lost_lines": ("Lines that journald says it dropped.", []),
}
GAUGES = {
    "class_first_seen_timestamp_seconds": ("First failure of the class.", ["unit", "signature"]),
    "class_last_seen_timestamp_seconds": ("Last failure of the class.", ["unit", "signature"]),
    "class_state": ("1 for the state that the class is in, 0 for the others.", ["unit", "signature", "state"]),
    "unit_up": ("1 while an attempt of the unit is running.", ["unit"]),
    "unit_held": ("1 when the unit has been up for ten minutes.", ["unit"]),
    "unit_loop_active": ("1 while the unit is in a restart loop.", ["unit"]),
    "last_event_timestamp_seconds": ("Time of the newest entry read.", []),
    "watch_lag_seconds": ("Age of the newest entry when it was handled.", []),
    "watch_queued_alerts": ("Alerts that wait for a sink.", ["sink"]),
    "build_info": ("1, with the version.", ["version"]),
}
# what only a running `watch` knows
OF_WATCHING = {"watch_refused_alerts", "watch_lag_seconds", "watch_queued_alerts", "unit_held", "class_state"}
LASTING_S = 60.0  # a unit that neither failed nor restarted is shown once it has been up so long: a host starts many short ones
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(slots=True)
class Metrics:
    """The registry and what is counted in it, from this start on. watching: with what only a running `watch` knows.

    alive_at: when it last went through its loop, by a steady clock; null before the first time.
    """

    watching: bool = True
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    counters: dict[str, Counter] = field(default_factory=dict)
    gauges: dict[str, Gauge] = field(default_factory=dict)
    durations: Histogram = field(init=False)
    alive_at: float | None = None
    _units: set[str] = field(default_factory=set)
    _signatures: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (text, labels) in COUNTERS.items():
            if self.watching or name not in OF_WATCHING:
                self.counters[name] = Counter(PREFIX + name, text, labels, registry=self.registry)
        for name, (text, labels) in GAUGES.items():
            if self.watching or name not in OF_WATCHING:
                self.gauges[name] = Gauge(PREFIX + name, text, labels, registry=self.registry)
        lived = "How long attempts lived."
        self.durations = Histogram(f"{PREFIX}attempt_duration_seconds", lived, ["unit"], registry=self.registry, buckets=DURATIONS_S)
        self.gauges["build_info"].labels(__version__).set(1)

    def attempt(self, ended: Ended, tracker: Tracker) -> None:
        known = tracker.known(ended.unit, ended.signature.id) if ended.signature else None
        if known is not None and ended.signature is not None:
            self.failures(ended.unit, ended.signature.id, 1, known.first, known.last)
            self.state(ended.unit, ended.signature.id, known)
        if ended.uptime_s is not None and ended.unit in self._units:
            self.durations.labels(ended.unit).observe(ended.uptime_s)

    def failures(self, unit: str, signature: str, count: int, first: float, last: float) -> None:
        """`count` more failures of a class. first, last: of all that are known."""
        unit = self.unit(unit)
        signature = self.signature(unit, signature, first)
        self.counters["failures"].labels(unit, signature).inc(count)
        self.gauges["class_last_seen_timestamp_seconds"].labels(unit, signature).set(last)

    def state(self, unit: str, signature: str, known: Class) -> None:
        """In which state a class of a unit is."""
        unit = self.unit(unit)
        signature = self.signature(unit, signature, known.first)
        if OTHER not in {unit, signature}:
            for state in STATES:
                self.gauges["class_state"].labels(unit, signature, state).set(state == known.state)

    def restart(self, unit: str) -> None:
        self.counters["unit_restarts"].labels(self.unit(unit)).inc()

    def refused(self, sink: str) -> None:
        """One alert of this sink is lost to it."""
        self.counters["watch_refused_alerts"].labels(sink).inc()

    def sinks(self, queued: Callable[[str], int], names: Iterable[str]) -> None:
        """These sinks and no others; `queued` is asked at each scrape how many alerts wait for one."""
        gauge = self.gauges["watch_queued_alerts"]
        gauge.clear()
        for name in names:
            gauge.labels(name).set_function(partial(queued, name))
            self.counters["watch_refused_alerts"].labels(name)

    def unit(self, unit: str) -> str:
        """The label value of a unit. Its counters exist from here on, at 0: `increase` misses the first step of a new one."""
        if unit in self._units:
            return unit
        unit = unit if len(self._units) < MOST_UNITS else OTHER
        self._units.add(unit)
        self.counters["unit_restarts"].labels(unit)
        return unit

    def signature(self, unit: str, signature: str, first: float) -> str:
        """The label value of a class, which exists from here on: a class that history knows starts at 0 as well."""
        known = self._signatures.setdefault(unit, set())
        name = signature if signature in known or len(known) < MOST_SIGNATURES else OTHER
        if name not in known:
            known.add(name)
            self.counters["failures"].labels(unit, name)
            self.gauges["class_first_seen_timestamp_seconds"].labels(unit, name).set(first)
        return name

    def units(self, tracker: Tracker, steady: float) -> None:
        """How the units are now. steady: the clock that the tracker was told."""
        for name, unit in tracker.units.items():
            if unit.failures or unit.restarts or (unit.up_since is not None and steady - unit.up_since >= LASTING_S):
                self.unit(name)
        for name in self._units - {OTHER}:
            now = tracker.units.get(name, Unit())
            self.gauges["unit_up"].labels(name).set(now.up_since is not None)
            self.gauges["unit_held"].labels(name).set(tracker.held(name, steady))
            self.gauges["unit_loop_active"].labels(name).set(now.looping)

    def text(self) -> bytes:
        return generate_latest(self.registry)


def serve(metrics: Metrics, host: str, port: int) -> ThreadingHTTPServer:
    """Serves /metrics and /healthz, nothing else, until `shutdown`. Raises ForensicsError when the address cannot be had."""

    def page_of(path: str) -> tuple[int, bytes]:
        if path == "/metrics":
            return 200, metrics.text()
        if path != "/healthz":
            return 404, b"not here: /metrics, /healthz\n"
        stuck = metrics.alive_at is not None and time.monotonic() - metrics.alive_at > STUCK_S
        return (503, b"stuck\n") if stuck else (200, b"ok\n")

    class Handler(BaseHTTPRequestHandler):
        timeout = 10
        server_version, sys_version = "tabby-forensics", ""

        def do_GET(self) -> None:
            status, body = page_of(self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise ForensicsError(f"The exporter cannot listen on {host}:{port}: {error.strerror or error}.") from None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
