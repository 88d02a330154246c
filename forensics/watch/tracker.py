"""Turn policy's decisions about units into alerts: new failures, loops, restarting that does not help, recoveries.

Statements of the manager wait until the ends before them are labelled, so that policy takes everything in the journal's order, as history
does. How long a service holds is measured by its machine's clock since boot: a step of the wall clock neither heals nor breaks anything,
and a restart of `watch` begins nothing anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial

from forensics.alerting.alert import BREAKER, DOWN, FUTILE, JOB, LOOP, LOSS, NEW, RECOVERED, Alert
from forensics.attempts.restarts import lost_restarts
from forensics.model.moments import Moment, elapsed_s
from forensics.model.own_entries import is_drill
from forensics.model.values import Signature, UnitKey
from forensics.policy import class_state, unit_state
from forensics.policy.class_state import ClassState
from forensics.policy.limits import DOWN_S
from forensics.policy.unit_state import Span, UnitState
from forensics.watch import guarded
from forensics.watch.alert_texts import SEVERITIES, described, new_failure, recovery
from forensics.watch.batch import OURS, BatchFacts, Statement
from forensics.watch.bounded import forget_oldest, remember
from forensics.watch.families import Families
from forensics.watch.logged_before import LoggedBefore
from forensics.watch.open_alerts import OpenAlerts, key_of
from forensics.watch.stream import Ended, NonfatalError
from forensics.watch.tracked import TrackedMachine, TrackedUnit
from forensics.watch.wordings import Wordings
from forensics.wording import plural, spoken_duration

DRILL_S = 600.0  # after it, the alert of a drill is resolved
LOSS_S = 3600  # after the last loss its alert is resolved; until then a further loss only counts
# the oldest are forgotten: units may fail with ever new messages, or under ever new names
MOST_CLASSES, MOST_UNITS, MOST_NONFATAL, MOST_JOBS, MOST_MACHINES = 2000, 2000, 10_000, 10_000, 1000
UNRECORDED = "exit:unknown/none"  # of an end without a line of the manager: its lines are lost, as when journald restarts
ClassKey = tuple[UnitKey, str]  # unit, signature


@dataclass(slots=True)
class Tracker:
    """host: of alerts about no unit. lost_at: when entries were last lost."""

    classes: dict[ClassKey, ClassState] = field(default_factory=dict)
    units: dict[UnitKey, TrackedUnit] = field(default_factory=dict)
    machines: dict[str, TrackedMachine] = field(default_factory=dict)
    alerts: OpenAlerts = field(default_factory=OpenAlerts)
    jobs: dict[UnitKey, None] = field(default_factory=dict)  # units that a timer starts or that have finished, oldest first
    families: Families = field(default_factory=Families)
    nonfatal: dict[ClassKey, None] = field(default_factory=dict)  # errors that services logged and survived, oldest first
    wordings: Wordings = field(default_factory=Wordings)
    logged: dict[UnitKey, LoggedBefore] = field(default_factory=dict)  # with which the lines of later attempts are compared
    host: str = ""
    lost_at: float = 0.0
    latest: dict[UnitKey, Alert] = field(default_factory=dict)  # what each unit failed of last

    @property
    def open(self) -> dict[str, Alert]:
        """Alerts that are not resolved, by key."""
        return self.alerts.by_key

    def learn(self, unit: UnitKey, signature: str, failure_class: ClassState) -> None:
        """Add a class of history: no alert will call it new, only regressed when it was over."""
        if (unit, signature) not in self.classes:
            self._make_room()
            self.classes[unit, signature] = failure_class

    def learn_nonfatal(self, unit: UnitKey, signature: str, title: str = "", site: str = "") -> None:
        """Add an error that a service of history survived."""
        remember(self.nonfatal, (unit, signature), MOST_NONFATAL)
        self.wordings.first_of_nonfatal(unit, signature, title, site)

    def read(self, facts: BatchFacts, steady: float, watched: Callable[[str], bool] = lambda _: True) -> None:
        """Read the facts of a batch; `settle` returns the alerts. watched: whether alerts about a unit of that name are wanted."""
        self.alerts.steady = steady
        for statement in facts.statements:
            if watched(statement.unit.unit) and not is_drill(statement.unit.unit):
                self._unit(statement.unit).waiting.append(statement)
        for job in facts.jobs:
            remember(self.jobs, job, MOST_JOBS)
            self._unit(job).state.is_job = True
        for boot in facts.boots:
            machine = self.machines.get(boot.machine)
            if machine is None:
                self.machines[boot.machine] = TrackedMachine(boot.host, boot.last)
                forget_oldest(self.machines, MOST_MACHINES)
            elif machine.last.boot != boot.last.boot:
                self._wait_for_boot(boot.machine, boot.last.boot, machine.last)
            self.machines[boot.machine].read(boot.host, boot.last, steady)
            self.host = boot.host or self.host

    def settle(self, ended: Iterable[Ended], waiting: Collection[UnitKey]) -> list[Alert]:
        """Return the alerts about ends and statements, in the journal's order. waiting: units with unlabelled ends."""
        by_unit: dict[UnitKey, list[Ended]] = {}
        for end in ended:
            by_unit.setdefault(end.unit, []).append(end)
        keys = [*by_unit, *(key for key, unit in self.units.items() if unit.waiting and key not in by_unit and key not in waiting)]
        return [alert for key in keys for alert in self._settle_unit(key, by_unit.get(key, []), is_waiting=key in waiting)]

    def survived(self, error: NonfatalError) -> list[Alert]:
        """Alert once about an error that a running service logged, unless its attempts have failed of it. It is never open."""
        unit, id_ = self.families.followed_as(error.unit), error.signature.id
        if (unit, id_) in self.nonfatal or (unit, id_) in self.classes or is_drill(unit.unit):
            return []
        if self.wordings.first_of_nonfatal(unit, id_, error.signature.title, error.site) != id_:
            self.alerts.grouped[unit.unit] += 1
            return []
        remember(self.nonfatal, (unit, id_), MOST_NONFATAL)
        severity = "info" if SEVERITIES[error.signature.severity] == "info" else "warning"
        time = error.time.timestamp()
        alert = described(error.unit, error.host, error.signature, error.line, error.why)
        summary = f"{error.unit.unit} keeps running but logged a new error: {alert.title}"
        new = replace(alert, severity=severity, summary=summary, starts_at=time, state="new", first_seen=time, count=1)
        return self.alerts.admitted(new)

    def lost(self, count: int, what: str, time: float) -> list[Alert]:
        """Alert about entries or restarts that are in no count. what: a clause for the summary."""
        if not count:
            return []
        self.lost_at = time
        key = f"{LOSS}/{self.host}//"
        if (alert := self.open.get(key)) is not None:
            self.open[key] = replace(alert, count=alert.count + count)
            return []
        summary = f"journal entries were lost; counts are lower bounds: {what}"
        return self.alerts.open(Alert(LOSS, "", self.host, "warning", summary, time, count=count), key)

    def tick(self, steady: float, time: float) -> list[Alert]:
        """Decide what only time decides. steady: the clock that `read` was given; time: now."""
        alerts = self.alerts.tick(steady, time, self._is_failing)
        for key, unit in self.units.items():
            machine = self.machines.get(key.machine)
            if not unit.waiting and machine is not None:
                now = machine.now(steady, time)
                alerts += self._closed(key, unit_state.passed(unit.state, now), time) + self._down(key, unit, now)
                alerts += self._breaker(key, unit, time)
        alerts += self._forget_idle_units(time)
        over = [key for key, alert in self.open.items() if alert.name == LOSS and time - self.lost_at >= LOSS_S]
        over += [key for key, alert in self.open.items() if alert.is_drill and time - alert.starts_at >= DRILL_S]
        return alerts + self.alerts.resolved(over, lambda _: time)

    def is_up(self, unit: UnitKey, steady: float, seconds: float = 0.0) -> bool:
        """Whether an attempt of the unit is up, and has been for so long."""
        tracked, machine = self.units.get(unit), self.machines.get(unit.machine)
        running = None if tracked is None else tracked.state.running
        if running is None or running.up_since is None or machine is None:
            return False
        return elapsed_s(running.up_since, machine.now(steady, running.up_since.time / 1e6)) >= seconds

    def _unit(self, key: UnitKey) -> TrackedUnit:
        if key not in self.units:
            self.units[key] = TrackedUnit(UnitState(is_job=key in self.jobs))
        return self.units[key]

    def _is_failing(self, alert: Alert) -> bool:
        unit = self.units.get(self.families.followed_as(alert.unit_key))
        return unit is not None and unit.state.span.start is not None

    def _wait_for_boot(self, machine: str, boot: str, last: Moment) -> None:
        """Add a statement to every unit of the machine that the boot whose last entry is `last` is over."""
        for key, unit in self.units.items():
            if key.machine == machine:
                at = next((n for n, statement in enumerate(unit.waiting) if statement.at.boot == boot), len(unit.waiting))
                number = unit.waiting[at].number if at < len(unit.waiting) else (unit.waiting[-1].number + 1 if unit.waiting else 0)
                unit.waiting.insert(at, Statement(key, "booted", last, "", asks_to_stop=False, counter=None, number=number))

    def _settle_unit(self, key: UnitKey, ended: list[Ended], *, is_waiting: bool) -> list[Alert]:
        """Take ends and statements in order; where further ends wait, only up to the last one that is labelled."""
        unit = self._unit(key)
        upto = max(end.number for end in ended) if is_waiting and ended else None
        taken = [statement for statement in unit.waiting if upto is None or statement.number <= upto]
        unit.waiting = unit.waiting[len(taken) :]
        alerts: list[Alert] = []
        events: list[Statement | Ended] = [*taken, *ended]
        for event in sorted(events, key=lambda event: (event.number, isinstance(event, Ended))):
            alerts += self._ended(event, unit) if isinstance(event, Ended) else self._stated(event, unit)
            alerts += self._incident(key, unit, (event.attempt.ended if isinstance(event, Ended) else event.at).time / 1e6)
        return alerts

    def _stated(self, statement: Statement, unit: TrackedUnit) -> list[Alert]:
        state, at, key = unit.state, statement.at, statement.unit
        closed: list[Span] = []
        alerts: list[Alert] = []
        match statement.kind:
            case "starting":
                closed = unit_state.started(state, at, statement.invocation, announced=True)
            case "started" if state.running is not None and state.running.announced and state.running.ready is None:
                unit_state.ready(state, at)
            case "started":
                closed = unit_state.started(state, at, statement.invocation)
            case "restart":
                alerts = self._restarted(statement, unit)
            case "refused":
                unit_state.refused(state)
            case "booted":
                closed = unit_state.booted(state, at)
                unit.counter = None if unit.counter is None else 0
            case kind if kind in OURS:
                alerts = guarded.stated(statement, unit, self.alerts, self._host(key)) + self._breaker(key, unit, at.time / 1e6)
            case "stopping" | "stopped" if guarded.is_stop(statement, state):
                unit_state.stopped(state, at)
                unit.may_be_reset = True
        return [*alerts, *self._closed(key, closed, at.time / 1e6)]

    def _restarted(self, statement: Statement, unit: TrackedUnit) -> list[Alert]:
        """Count a restart, and those that only the counter shows."""
        missing, time = 0, statement.at.time / 1e6
        before = self.families.followed_as(statement.unit)
        self.families.repeats(statement.unit)
        if statement.counter is not None:
            missing = lost_restarts(unit.counter, statement.counter, may_be_reset=unit.may_be_reset)
            unit.counter, unit.may_be_reset = statement.counter, False
        if missing:
            unit_state.restarted(unit.state, statement.at, missing)
        unit_state.restarted(unit.state, statement.at)
        self.alerts.once_more(key_of(LOOP, statement.unit, self._host(statement.unit)))
        left = self._left(before, statement.unit, time)
        return left + self.lost(missing, f"the journal lacks {plural(missing, 'restart')} of {statement.unit.unit}", time)

    def _ended(self, end: Ended, unit: TrackedUnit) -> list[Alert]:
        """Take the end of an attempt, which is one of its unit's or, where instances run once each, of their template's."""
        if is_drill(end.unit.unit):
            return guarded.drilled(end, self.alerts)
        before = self.families.followed_as(end.unit)
        self.families.ran(end.unit)
        followed = self.families.followed_as(end.unit)
        if followed == end.unit:
            return [*self._left(before, end.unit, end.attempt.ended.time / 1e6), *self._attempt_ended(end, unit)]
        if before == end.unit:
            self._found_family(followed)
        unit_state.ended(unit.state, end.attempt)  # it may run again
        unit.state.is_job = True
        family, attempt = self._unit(followed), end.attempt
        family.state.is_job = True
        closed = unit_state.started(family.state, attempt.started, end.invocation, announced=attempt.announced)
        alerts = self._closed(followed, closed, attempt.started.time / 1e6) + self._attempt_ended(replace(end, unit=followed), family)
        return alerts + self._incident(followed, family, attempt.ended.time / 1e6)

    def _found_family(self, template: UnitKey) -> None:
        """Let the template begin with what its first instance failed of."""
        first = self.families.first_of(template)
        if first in self.units:
            self.units[template] = TrackedUnit(deepcopy(self.units[first].state))
            self.units[first].state.is_job = True
        known = [(signature, failure_class) for (unit, signature), failure_class in self.classes.items() if unit == first]
        for signature, failure_class in known:
            self.learn(template, signature, replace(failure_class))

    def _left(self, template: UnitKey, instance: UnitKey, time: float) -> list[Alert]:
        """Resolve what is open about a template of which an instance runs again: from now on each is followed by itself."""
        if template == instance:
            return []
        self.units.pop(template, None)
        about = [name for name, alert in self.open.items() if alert.unit_key == template]
        return self.alerts.resolved(about, lambda _: time)

    def _attempt_ended(self, end: Ended, unit: TrackedUnit) -> list[Alert]:
        time = end.attempt.ended.time / 1e6
        was_healthy = unit.state.span.start is None
        closed = unit_state.ended(unit.state, end.attempt)
        if end.attempt.failed_stopping and was_healthy:
            return [] if end.signature is None else self._failed_stopping(end, end.signature, time)
        alerts = self._closed(end.unit, closed, time)
        return alerts if end.signature is None else alerts + self._failed(end, end.signature, unit, time)

    def _failed_stopping(self, end: Ended, signature: Signature, time: float) -> list[Alert]:
        """Alert about a failure that keeps nothing down: once per class, and never open."""
        failure_class, _ = self._counted(end.unit, signature, time)
        if failure_class.count > 1:
            return []
        return self.alerts.admitted(replace(new_failure(end, signature, failure_class, time), severity="warning"))

    def _counted(self, unit: UnitKey, signature: Signature, time: float) -> tuple[ClassState, bool]:
        """Count a failure in its class; return the class, and whether to alert."""
        key = (unit, signature.id)
        if key not in self.classes:
            self._make_room()
        failure_class, is_news = class_state.failed(self.classes.get(key), time)
        self.classes[key] = failure_class
        return failure_class, is_news

    def class_of(self, unit: UnitKey, signature: Signature) -> str:
        """Return the signature of the class that a failure counts in: where texts differ in one word, of the first."""
        if (unit, signature.id) in self.classes:
            return signature.id
        return self.wordings.first_of(unit, signature.id, signature.title)

    def _failed(self, end: Ended, signature: Signature, unit: TrackedUnit, time: float) -> list[Alert]:
        first = self.class_of(end.unit, signature)
        if first != signature.id:
            self.alerts.grouped[end.unit.unit] += 1
        signature = replace(signature, id=first)
        failure_class, is_news = self._counted(end.unit, signature, time)
        if signature.id == UNRECORDED:
            return self.lost(1, f"the journal lacks how {end.unit.unit} ended", time)
        alert = self.latest[end.unit] = new_failure(end, signature, failure_class, time)
        opened = self.alerts.open(alert) if is_news else []
        if not is_news:
            self.alerts.once_more(alert.key, failure_class.state)
        return opened + (self._futile(alert, unit.state.span, time) if key_of(LOOP, end.unit, alert.host) in self.open else [])

    def _incident(self, key: UnitKey, unit: TrackedUnit, time: float) -> list[Alert]:
        """Alert about a loop, with the classes for which restarting does not help, or about a job that keeps failing."""
        span = unit.state.span
        name = {"restart-loop": LOOP, "failing-job": JOB}.get(span.own_kind or "")
        if name is None or span.start is None or key_of(name, key, self._host(key)) in self.open:
            return []
        lasted = spoken_duration(max(1.0, time - span.start / 1e6))
        if name == LOOP:
            summary = f"{key.unit} is in a restart loop: {plural(span.restarts, 'restart')} within {lasted}"
        else:
            summary = f"{key.unit} failed {sum(span.failures.values())} times in a row within {lasted}"
        alert = self._about_unit(key, name, span.start / 1e6, summary, max(span.restarts, sum(span.failures.values())))
        failures = [alert for alert in self.open.values() if alert.name == NEW and alert.unit_key == key] if name == LOOP else []
        return self.alerts.open(alert) + [alert for failure in failures for alert in self._futile(failure, span, time)]

    def _about_unit(self, key: UnitKey, name: str, starts_at: float, summary: str, count: int) -> Alert:
        """Make an alert about the unit as a whole, with what it failed of last."""
        base = self.latest.get(key) or Alert("", key.unit, self._host(key), "", "", 0.0, machine=key.machine, manager=key.manager)
        return replace(
            base, name=name, severity="critical", summary=summary, starts_at=starts_at, count=count, state="", signature="",
            fails_of=base.signature,
        )  # fmt: skip

    def _down(self, key: UnitKey, unit: TrackedUnit, now: Moment) -> list[Alert]:
        """Alert about a unit that failed and stays down, whether or not its failure is known; a job that failed is not down."""
        last, is_known_to_be = unit.state.last, unit.state.is_job or unit.state.gate is not None
        if is_known_to_be or last is None or not unit_state.is_down(unit.state, now, DOWN_S):
            return []
        if key_of(DOWN, key, self._host(key)) in self.open:
            return []
        return self.alerts.open(self._about_unit(key, DOWN, last.ended.time / 1e6, f"{key.unit} failed and is down", 1))

    def _breaker(self, key: UnitKey, unit: TrackedUnit, time: float) -> list[Alert]:
        """Alert about a gate that keeps the unit stopped, once as long as it does."""
        name = key_of(BREAKER, key, self._host(key))
        if (unit.state.gate is None) != (name in self.open):
            return []
        if unit.state.gate is None:
            return self.alerts.resolved([name], lambda _: time)
        return guarded.breaker_opened(unit, self.alerts, self._about_unit(key, BREAKER, 0.0, "", 0))

    def _futile(self, failure: Alert, span: Span, time: float) -> list[Alert]:
        """Alert about a class that no restart fixes, once per loop."""
        failures = span.failures.get(failure.signature, 0)
        if not class_state.is_futile(restart_helps=failure.restart_helps, failures=failures):
            return []
        summary = f"{failure.unit}: restarting does not help: '{failure.title}' ({plural(failures, 'failure')})"
        futile = replace(failure, name=FUTILE, severity="critical", starts_at=time, count=failures, summary=summary)
        if futile.key not in self.open:
            return self.alerts.open(futile)
        self.alerts.once_more(futile.key)
        return []

    def _closed(self, key: UnitKey, spans: list[Span], time: float) -> list[Alert]:
        """Resolve what is open about a unit that is healthy again; each alert keeps its texts, and ends with the span."""
        alerts: list[Alert] = []
        for span in spans:
            end = (span.end or 0) / 1e6
            for (unit, _), failure_class in self.classes.items():
                if unit == key:
                    class_state.mark_over(failure_class)
            closing = [name for name, alert in self.open.items() if self.families.followed_as(alert.unit_key) == key]
            alerts += self.alerts.resolved(closing, partial(_not_before_start, end))
            if span.recovery is not None:
                alerts += self.alerts.admitted(self._recovered(key, sum(span.failures.values()), time))
        return alerts

    def _recovered(self, key: UnitKey, failures: int, time: float) -> Alert:
        summary = f"{key.unit} {recovery(self.units[key].state)}, after {plural(failures, 'failed start')}"
        return Alert(RECOVERED, key.unit, self._host(key), "info", summary, time, count=failures, machine=key.machine, manager=key.manager)

    def _host(self, key: UnitKey) -> str:
        machine = self.machines.get(key.machine)
        return self.host if machine is None else machine.host

    def _make_room(self) -> None:
        """Forget the oldest class of too many; what is open about it goes on until its unit is healthy."""
        if len(self.classes) >= MOST_CLASSES:
            del self.classes[min(self.classes, key=lambda key: self.classes[key].last)]

    def _forget_idle_units(self, time: float) -> list[Alert]:
        """Forget units that neither run nor fail, and beyond MOST_UNITS others, those that do not run first; resolve their alerts."""
        for key, unit in self.units.items():
            if unit.is_idle and unit.state.is_job:
                remember(self.jobs, key, MOST_JOBS)
        kept = {key: unit for key, unit in self.units.items() if not unit.is_idle}
        excess = max(0, len(kept) - MOST_UNITS)
        forgotten = set(sorted(kept, key=lambda key: bool(kept[key].state.running or kept[key].waiting))[:excess])
        self.units = {key: unit for key, unit in kept.items() if key not in forgotten}
        self.latest = {key: alert for key, alert in self.latest.items() if key in self.units}
        return self.alerts.resolved([name for name, alert in self.open.items() if alert.unit_key in forgotten], lambda _: time)


def _not_before_start(end: float, alert: Alert) -> float:
    return max(end, alert.starts_at)
