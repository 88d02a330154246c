"""Deliver queued alerts, one thread per sink: a slow or dead sink delays neither the others nor `watch`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from forensics.alerting.alert import Alert
from forensics.alerting.queue import AlertQueue
from forensics.alerting.sinks.alertmanager import REPOST_S, Alertmanager
from forensics.alerting.sinks.sink import RefusedError, Sink, UnreachableError
from forensics.wording import plural

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
UNCLAIMED_S = 7 * 86_400  # how long an alert is kept for a sink that the configuration no longer has


@dataclass(slots=True)
class Delivery:
    """say: reports trouble. open_alerts: reposted to Alertmanager. refused: called with the sink's name per refused alert.

    unclaimed: the numbers of the alerts that were counted because their sink is no longer configured.
    """

    queue: AlertQueue
    sinks: Mapping[str, Sink]
    say: Callable[[str], None]
    open_alerts: tuple[Alert, ...] = ()
    refused: Callable[[str], object] = lambda _: None
    unclaimed: set[int] = field(default_factory=set)
    _wake: dict[str, threading.Event] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        for name, sink in self.sinks.items():
            self._wake[name] = threading.Event()
            self._threads.append(threading.Thread(target=self._serve, args=(name, sink), name=f"sink {name}", daemon=True))
        for thread in self._threads:
            thread.start()

    def report_unclaimed(self, now: float) -> list[str]:
        """Report and count, once each, the alerts of sinks that are gone; discard those older than UNCLAIMED_S. Return the sinks' names."""
        kept: list[str] = []
        for name, alerts in self.queue.unclaimed(self.sinks).items():
            expired = [number for number, alert in alerts if now - _raised(alert) > UNCLAIMED_S]
            waiting = {number for number, _ in alerts}.difference(expired)
            gone = f"the sink {name}, which is no longer configured"
            if expired:
                self.queue.remove(*expired)
                self.say(f"{plural(len(expired), 'alert')} for {gone}, discarded after 7 days.")
            if not waiting <= self.unclaimed:
                fate = "kept for 7 days and delivered once a sink has this name again"
                self.say(f"{plural(len(waiting), 'alert')} queued for {gone}: {fate}.")
            for _ in {*waiting, *expired} - self.unclaimed:
                self.refused(name)
            self.unclaimed |= waiting
            kept += [name] if waiting else []
        return kept

    def wake(self) -> None:
        for event in self._wake.values():
            event.set()

    def stop(self, seconds: float) -> None:
        """Deliver what can be delivered within `seconds`; the rest stays queued on disk."""
        self._stopping.set()
        self.wake()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _serve(self, name: str, sink: Sink) -> None:
        wait, posted = FIRST_WAIT_S, time.monotonic()
        while True:
            self._wake[name].clear()
            try:
                self._send_queued(name, sink)
                if isinstance(sink, Alertmanager) and time.monotonic() - posted >= REPOST_S:
                    for alert in self.open_alerts:
                        self._send(name, sink, alert)
                    posted = time.monotonic()
                wait = FIRST_WAIT_S
            except UnreachableError as error:
                if wait == FIRST_WAIT_S:
                    self.say(f"sink {name}: {error}; its alerts are queued on disk and will be retried.")
                self._stopping.wait(wait)
                wait = min(2 * wait, LONGEST_WAIT_S)
            else:
                if not self._stopping.is_set():
                    self._wake[name].wait(REPOST_S / 4)
                    continue
            if self._stopping.is_set():
                return

    def _send_queued(self, name: str, sink: Sink) -> None:
        while (waiting := self.queue.oldest(name)) is not None:
            number, alert = waiting
            self._send(name, sink, alert)
            self.queue.remove(number)

    def _send(self, name: str, sink: Sink, alert: Alert) -> None:
        """Send one alert; one that the sink refuses or cannot handle delays no other. Raises UnreachableError."""
        try:
            sink.send(alert)
        except UnreachableError:
            raise
        except Exception as error:  # noqa: BLE001 - a dead thread would deliver nothing any more
            why = str(error) if isinstance(error, RefusedError) else f"{type(error).__name__}: {error}"
            self.refused(name)
            self.say(f"sink {name} refused {alert.name} for {alert.unit or 'the journal'}: {why}.")


def _raised(alert: Alert) -> float:
    return alert.starts_at if alert.raised_at is None else alert.raised_at
