"""A unit's life as the tracker is given it: one call per statement or end, seconds after T0."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from forensics.alerting.alert import Alert
from forensics.model.moments import Moment
from forensics.model.values import Signature, UnitKey
from forensics.policy.unit_state import Attempt
from forensics.watch.batch import BatchFacts, Boot, Statement
from forensics.watch.stream import Ended
from forensics.watch.tracker import Tracker

T0 = datetime(2025, 12, 7, 21, 30, tzinfo=UTC).timestamp()
STEADY = 1000.0  # the boot's clock at T0
LIBRARY = Signature("loader.libstdcxx-missing", "libstdc++ is missing", "critical", restart_helps=False, cause="c", remedy="r")
NETWORK = Signature("network.unreachable", "No network", "high", restart_helps=True)


def moment(after: float, boot: str = "b1") -> Moment:
    return Moment(int((T0 + after) * 1e6), int((STEADY + after) * 1e6), boot)


def names(alerts: list[Alert]) -> list[str]:
    return [("resolved " if alert.ended_at else "") + alert.name for alert in alerts]


@dataclass
class Life:
    """Each method returns the alerts that it raises."""

    tracker: Tracker = field(default_factory=Tracker)
    unit: str = "a.service"
    machine: str = "m1"
    host: str = "hydra"
    manager: str = "system"
    number: int = 0
    began: float = 0.0

    @property
    def key(self) -> UnitKey:
        return UnitKey(self.machine, self.manager, self.unit)

    def state(
        self,
        kind: str,
        after: float,
        *,
        asks_to_stop: bool = False,
        counter: int | None = None,
        invocation: str = "",
        boot: str = "b1",
        **more: Any,
    ) -> list[Alert]:
        self.number += 1
        statement = Statement(self.key, kind, moment(after, boot), invocation, asks_to_stop, counter, self.number, **more)
        self.tracker.read(BatchFacts((statement,), (Boot(self.machine, self.host, moment(after, boot)),)), STEADY + after)
        return self.tracker.settle((), ())

    def start(self, after: float, invocation: str = "") -> list[Alert]:
        self.began = after
        return self.state("started", after, invocation=invocation)

    def restart(self, after: float, counter: int | None = None) -> list[Alert]:
        return self.state("restart", after, counter=counter)

    def stop(self, after: float) -> list[Alert]:
        return self.state("stopped", after, asks_to_stop=True)

    def ended(
        self,
        after: float,
        signature: Signature | None = LIBRARY,
        outcome: str = "failed",
        line: str = "ImportError: libstdc++",
        *,
        failed_stopping: bool = False,
    ) -> Ended:
        self.number += 1
        began = min(self.began, after)
        failed = signature is not None and not failed_stopping
        attempt = Attempt(
            moment(began),
            moment(after),
            after - began,
            outcome,
            failed,
            signature.id if signature else "",
            failed_stopping=failed_stopping,
        )
        return Ended(f"{self.unit}/{after}", self.host, self.key, attempt, signature, "catalogue pattern", line, self.number)

    def end(self, after: float, signature: Signature | None = LIBRARY, outcome: str = "failed", **options: Any) -> list[Alert]:
        return self.tracker.settle((self.ended(after, signature, outcome, **options),), ())

    def loop(self, failures: int, signature: Signature = LIBRARY, *, every: float = 10.0, begin: float = 0.0) -> list[Alert]:
        """Attempts that start, fail after three seconds and are restarted."""
        alerts: list[Alert] = []
        for number in range(failures):
            at = begin + number * every
            alerts += self.start(at) + self.end(at + 3, signature) + self.restart(at + min(9.0, every - 0.5))
        return alerts

    def trips(self, after: float, failures: int = 3, signature: Signature = LIBRARY, **more: Any) -> list[Alert]:
        """A gate opens while an attempt ends, and stops the unit."""
        opened = {"counter": failures, "about": signature.id, "wait_s": 600, "text": "Restarts are stopped."} | more
        return (
            self.end(after, signature)
            + self.state("gate-opened", after + 5, **opened)
            + self.state("stopped", after + 6, asks_to_stop=True)
        )

    def gated(self, begin: float = 0.0) -> list[Alert]:
        """Two failures that are restarted, and a third that is not."""
        return self.loop(2, begin=begin) + self.start(begin + 20) + self.trips(begin + 23)

    def tick(self, after: float) -> list[Alert]:
        return self.tracker.tick(STEADY + after, T0 + after)
