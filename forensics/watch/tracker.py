"""Ended attempts, restarts and starts in, alerts out: what is new, what loops, what no restart cures, what is well again.

Entry times count for rates (a catch-up after an outage of the watching is no loop); how long a service holds is measured by the host's
clock since boot, so that a jump of the wall clock neither heals nor breaks anything, and a restart of `watch` begins nothing anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from forensics.alerting.alert import FUTILE, LOOP, LOSS, NEW, RECOVERED, Alert, harmless, paragraphs, restored
from forensics.model.values import Signature
from forensics.policy.limits import HELD_S, LOOP_RESTARTS, LOOP_WINDOW_S
from forensics.watch.batch import Restart
from forensics.watch.stream import Ended, Survived
from forensics.watch.tracked import Class, Unit, rate, this_boot
from forensics.wording import plural

LOOP_S = LOOP_WINDOW_S
UNNAMED_S = 2.0  # a fast loop is told of once the first of its ends is named, at the latest after so long
FUTILE_FAILURES = 3
MOST_RECENT = 256  # times that are kept for rates
LOSS_S = 3600  # after the last loss its alert is resolved; until then a further one only counts
# those not seen for longest are forgotten: a unit may fail in ever new words, or under ever new names
MOST_CLASSES, MOST_UNITS = 2000, 2000
UNRECORDED = "exit:unknown/none"  # of an end that the manager tells nothing of: its lines are lost, as when journald restarts
SEVERITIES = {"critical": "critical", "high": "critical", "medium": "warning", "low": "info", "info": "info"}


@dataclass(slots=True)
class Tracker:
    """classes: by "unit signature". open: alerts that are not resolved, by key. boot: of the newest entry. lost_at: of the last loss."""

    classes: dict[str, Class] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    open: dict[str, Alert] = field(default_factory=dict)
    host: str = ""
    survived: set[str] = field(default_factory=set)  # "unit signature": problems that services told of and went on
    boot: str = ""
    lost_at: float = 0.0
    latest: dict[str, Alert] = field(default_factory=dict)  # unit → what it failed of last
    stops: dict[str, float] = field(default_factory=dict)  # units that were stopped, with when, while the end before is not told

    def learn(self, unit: str, signature: str, seen: Class) -> None:
        """A class that history knows: no alert will call it new, only regressed when it was over."""
        self.classes.setdefault(f"{unit} {signature}", seen)

    def ended(self, attempt: Ended) -> list[Alert]:
        self.host = attempt.host or self.host
        unit = self.units.setdefault(attempt.unit, Unit())
        if unit.run in {attempt.run, ""}:  # else the next attempt runs already
            unit.goes_down()
        unit.ends += 1
        time = attempt.time.timestamp()
        if attempt.signature is not None:
            return self._failed(attempt, attempt.signature, unit)
        if attempt.outcome == "stopped":
            return self._over(attempt.unit, time)
        if attempt.outcome != "clean":
            return []
        if not unit.restarts:
            return self._well(attempt.unit, time, "ended well")
        unit.rests = unit.restarts[-1] <= time
        return self._loop(attempt.unit, unit)

    def goes_on(self, told: Survived) -> list[Alert]:
        """A problem that a running service tells of: once, and not where its attempts are known to fail of it. It is never open."""
        key = f"{told.unit} {told.signature.id}"
        if key in self.survived or key in self.classes:
            return []
        self.survived.add(key)
        said = harmless({"title": told.signature.title, "line": told.line})
        time = told.time.timestamp()
        return [
            Alert(
                NEW,
                told.unit,
                told.host,
                "info" if SEVERITIES[told.signature.severity] == "info" else "warning",
                f"{told.unit} goes on, and tells of something new: {said['title']}",
                time,
                signature=told.signature.id,
                state="new",
                title=said["title"],
                cause=paragraphs(told.signature.cause),
                remedy=paragraphs(told.signature.remedy),
                evidence=said["line"],
                why=told.why,
                first_seen=time,
                count=1,
                restart_helps=told.signature.restart_helps,
            )
        ]

    def restarted(self, restart: Restart) -> list[Alert]:
        name, time = restart.unit, restart.time.timestamp()
        unit = self.units.setdefault(name, Unit())
        return self._counted(restart, unit, time) + self._restarted(name, unit, time)

    def _counted(self, restart: Restart, unit: Unit, time: float) -> list[Alert]:
        """Whether systemd counts restarts that left no line."""
        before, unit.counter = unit.counter, restart.counter
        if before is None or restart.counter is None or restart.counter <= before + 1:
            return []
        missing = restart.counter - before - 1
        return self.lost(missing, f"the journal lacks {missing} restarts of {restart.unit}", time)

    def _restarted(self, name: str, unit: Unit, time: float) -> list[Alert]:
        unit.restarts = [*(t for t in unit.restarts if abs(time - t) <= LOOP_S), time][-MOST_RECENT:]
        unit.rests_no_more()
        return self._once_more(f"{LOOP}/{self.host}/{name}/") if unit.looping else self._loop(name, unit)

    def _loop(self, name: str, unit: Unit) -> list[Alert]:
        """The alert of a loop, with what the unit failed of last, and of what is futile in it."""
        if unit.looping or len(unit.restarts) < LOOP_RESTARTS:
            return []
        first, last = unit.restarts[0], unit.restarts[-1]
        if not unit.ends and last - first < UNNAMED_S:
            return []
        unit.looping = True
        times = len(unit.restarts)
        summary = f"{name} restarts again and again: {times} times within {max(1, round(last - first))} s"
        known = [alert for alert in self.open.values() if alert.name == NEW and alert.unit == name]
        loop = Alert(LOOP, name, self.host, "critical", summary, first, count=times)
        if (of := self.latest.get(name)) is not None:
            loop = replace(
                of,
                name=LOOP,
                severity="critical",
                summary=summary,
                starts_at=first,
                count=times,
                state="",
                signature="",
                fails_of=of.signature,
            )
        return [self._opened(loop), *(futile for alert in known for futile in self._futile(alert, unit, last))]

    def stopped(self, name: str, time: float) -> None:
        """Stopped on request; see `stop`."""
        unit = self.units.setdefault(name, Unit())
        unit.goes_down()
        unit.counter = None
        self.stops[name] = time

    def stop(self, waiting: Collection[str]) -> list[Alert]:
        """Nothing is open any more about units that were stopped, once all is told that ended before. waiting: units with untold ends."""
        over = [(name, time) for name, time in self.stops.items() if name not in waiting]
        self.stops = {name: time for name, time in self.stops.items() if name in waiting}
        return [alert for name, time in over for alert in self._over(name, time)]

    def started(self, name: str, run: str, steady: float) -> None:
        unit = self.units.setdefault(name, Unit())
        unit.run, unit.up_since = run, steady
        unit.rests_no_more()

    def booted(self, boot: str) -> None:
        """Entries of another boot come: nothing of the one before runs."""
        if boot and self.boot and boot != self.boot:
            for unit in self.units.values():
                unit.goes_down()
                unit.counter = None
        self.boot = boot or self.boot

    def lost(self, count: int, what: str, time: float) -> list[Alert]:
        """Lines or restarts that are in no count. what: as a sentence says it."""
        if not count:
            return []
        self.lost_at = time
        key = f"{LOSS}/{self.host}//"
        if (known := self.open.get(key)) is not None:
            self.open[key] = replace(known, count=known.count + count)
            return []
        summary = f"lines are lost, what they said is in no count: {what}"
        return [self._opened(Alert(LOSS, "", self.host, "warning", summary, time, count=count))]

    def tick(self, steady: float, time: float) -> list[Alert]:
        """What has held long enough. steady: the clock that `started` was told; time: now."""
        held = [name for name, unit in self.units.items() if unit.failures and self.held(name, steady)]
        well = [alert for name in held for alert in self._well(name, time, f"has been up for {HELD_S / 60:.0f} minutes")]
        well += [alert for name in self._rested(steady) for alert in self._well(name, time, "ended well and is not restarted")]
        self._tidy()
        whole = [key for key, alert in self.open.items() if alert.name == LOSS and time - self.lost_at >= LOSS_S]
        return [*well, *(replace(self.open.pop(key), ended_at=time) for key in whole)]

    def _rested(self, steady: float) -> list[str]:
        """Units that ended well after restarts and were left so for as long as restarts make a loop."""
        resting = [(name, unit) for name, unit in self.units.items() if unit.rests]
        for _, unit in resting:
            unit.rests_since = steady if unit.rests_since is None else unit.rests_since
        return [name for name, unit in resting if unit.rests_since is not None and steady - unit.rests_since >= LOOP_S]

    def held(self, name: str, steady: float) -> bool:
        since = self.units[name].up_since if name in self.units else None
        return since is not None and steady - since >= HELD_S

    def known(self, unit: str, signature: str) -> Class | None:
        return self.classes.get(f"{unit} {signature}")

    def _failed(self, attempt: Ended, signature: Signature, unit: Unit) -> list[Alert]:
        time = attempt.time.timestamp()
        key = f"{attempt.unit} {signature.id}"
        known = self.classes.get(key)
        fresh = known is None or known.over
        if known is None:
            self._make_room()
            known = self.classes[key] = Class(time, time)
        else:
            known.state = "regressed" if known.over else rate(known.recent, time)
        known.over, known.last, known.count = False, max(time, known.last), known.count + 1
        known.recent = [*known.recent, time][-MOST_RECENT:]
        unit.failures[signature.id] = unit.failures.get(signature.id, 0) + 1
        if signature.id == UNRECORDED:
            return self.lost(1, f"the journal lacks how {attempt.unit} ended", time)
        alert = self.latest[attempt.unit] = self._new(attempt, signature, known)
        unit.rests_no_more()
        found = [self._opened(alert)] if fresh else self._once_more(alert.key, known.state)
        return found + (self._futile(alert, unit, time) if unit.looping else self._loop(attempt.unit, unit))

    def _make_room(self) -> None:
        if len(self.classes) >= MOST_CLASSES:
            oldest = min(self.classes, key=lambda key: self.classes[key].last)
            del self.classes[oldest]
            self.open = {key: alert for key, alert in self.open.items() if f"{alert.unit} {alert.signature}" != oldest}

    def _tidy(self) -> None:
        """Units that neither run nor are in trouble need not be remembered; of the others only so many are."""
        telling = {name: unit for name, unit in self.units.items() if unit.run is not None or unit.failures or unit.restarts}
        excess = len(telling) - MOST_UNITS
        idle = [name for name, unit in telling.items() if unit.run is None][: max(0, excess)]
        self.units = {name: unit for name, unit in telling.items() if name not in idle} if idle else telling
        self.latest = {name: alert for name, alert in self.latest.items() if name in self.units}

    def _new(self, attempt: Ended, signature: Signature, known: Class) -> Alert:
        again = "fails again of" if known.state == "regressed" else "fails of something new:"
        said = harmless({"title": signature.title, "line": attempt.line})
        return Alert(
            NEW,
            attempt.unit,
            attempt.host,
            SEVERITIES[signature.severity],
            f"{attempt.unit} {again} {said['title']}",
            attempt.time.timestamp(),
            signature=signature.id,
            state=known.state,
            title=said["title"],
            cause=paragraphs(signature.cause),
            remedy=paragraphs(signature.remedy),
            evidence=said["line"],
            why=attempt.why,
            first_seen=known.first,
            count=known.count,
            restart_helps=signature.restart_helps,
        )

    def _futile(self, alert: Alert, unit: Unit, time: float) -> list[Alert]:
        """An alert of its own for a class that no restart cures, once in a loop."""
        failures = unit.failures.get(alert.signature, 0)
        summary = f"{alert.unit} is restarted in vain: no restart cures '{alert.title}' ({failures} failures)"
        futile = replace(alert, name=FUTILE, severity="critical", starts_at=time, count=failures, summary=summary)
        if alert.restart_helps is not False or failures < FUTILE_FAILURES:
            return []
        return self._once_more(futile.key) if futile.key in self.open else [self._opened(futile)]

    def _opened(self, alert: Alert) -> Alert:
        self.open[alert.key] = alert
        return alert

    def _once_more(self, key: str, state: str = "") -> list[Alert]:
        """What is open and happens again is counted and not alerted again; that it escalates stays with it."""
        if (alert := self.open.get(key)) is not None:
            self.open[key] = replace(alert, count=alert.count + 1, state=state if state == "escalating" else alert.state)
        return []

    def _well(self, name: str, time: float, how: str) -> list[Alert]:
        failures = sum(self.units[name].failures.values())
        for key, known in self.classes.items():
            if key.partition(" ")[0] == name:
                known.over, known.state = True, "ongoing"
        resolved = self._over(name, time)
        if not failures:
            return resolved
        summary = f"{name} {how}, after {plural(failures, 'failed start')}"
        return [*resolved, Alert(RECOVERED, name, self.host, "info", summary, time, count=failures)]

    def _over(self, name: str, time: float) -> list[Alert]:
        """All that is open about the unit is resolved; each keeps its words."""
        unit = self.units.setdefault(name, Unit())
        unit.looping, unit.restarts, unit.failures, unit.ends = False, [], {}, 0
        unit.rests_no_more()
        closed = [key for key, alert in self.open.items() if alert.unit == name]
        return [replace(self.open.pop(key), ended_at=time) for key in closed]

    def stored(self) -> str:
        return json.dumps(
            {
                "classes": {key: asdict(known) for key, known in self.classes.items()},
                "units": {name: asdict(unit) for name, unit in self.units.items()},
                "open": [alert.stored() for alert in self.open.values()],
                "host": self.host,
                "survived": sorted(self.survived),
                "boot": self.boot,
                "lost_at": self.lost_at,
                "stops": self.stops,
                "clock": this_boot(),
            }
        )


def tracker_of(text: str) -> Tracker:
    """What `Tracker.stored` wrote."""
    values: dict[str, Any] = json.loads(text)
    alerts = [restored(alert) for alert in values["open"]]
    units = {name: Unit(**unit) for name, unit in values["units"].items()}
    if values["clock"] != this_boot():  # the host was booted since: its clock began anew, and nothing runs that ran then
        for unit in units.values():
            unit.goes_down()
            unit.rests_since = None
    return Tracker(
        classes={key: Class(**known) for key, known in values["classes"].items()},
        units=units,
        open={alert.key: alert for alert in alerts},
        host=values["host"],
        survived=set(values["survived"]),
        boot=values["boot"],
        lost_at=values["lost_at"],
        stops=values["stops"],
    )
