"""Rebuild the series that exporters would have shown of a unit: node_exporter, systemd_exporter, blackbox_exporter and `watch`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forensics.policy.limits import HELD_S, LOOP_RESTARTS
from forensics.promql.series import StepSeries
from forensics.replay.history import Floats, UnitHistory
from forensics.replay.states import ACTIVE, STATES, Steps, answering, steps, unit_state

READY_S = 45.0  # assumed: how long a service that logs no readiness needs until it answers
LABELLED_S = 0.5  # after its end `watch` has labelled an attempt: polling, waiting and labelling (docs/performance.md)
NODE, SYSTEMD, BLACKBOX, WATCH = "node", "systemd", "blackbox", "tabby-forensics"
PORTS = {NODE: 9100, SYSTEMD: 9558, BLACKBOX: 9115, WATCH: 9811}
FIRST_FAILURE = "tabby_forensics_class_first_seen_timestamp_seconds"
LAST_FAILURE = "tabby_forensics_class_last_seen_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Model:
    """What is assumed about the exporters. targets: labels of theirs that a rule expects."""

    ready_s: float = READY_S
    since: float = 0.0  # from when on the exporters are up
    targets: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    def target(self, exporter: str, host: str) -> dict[str, str]:
        return {"job": exporter, "instance": f"{host}:{PORTS[exporter]}", **dict(dict(self.targets).get(exporter, ()))}


Rebuild = Callable[[UnitHistory, Model], list[StepSeries]]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric that can be rebuilt. labels: of its series beside those of the target."""

    exporter: str
    labels: frozenset[str]
    rebuild: Rebuild


def _unit_states(name: str, exporter: str) -> Rebuild:
    def rebuild(history: UnitHistory, model: Model) -> list[StepSeries]:
        state = unit_state(history)
        kind = "service" if exporter == SYSTEMD else _type_of(history)
        labels = {"name": history.unit.unit, "type": kind, **model.target(exporter, history.host)}
        return [_series(name, {**labels, "state": word}, state.is_one_of(code)) for code, word in enumerate(STATES)]

    return rebuild


def _restart_total(name: str, exporter: str) -> Rebuild:
    def rebuild(history: UnitHistory, model: Model) -> list[StepSeries]:
        if np.isnan(history.counter).all() and len(history.restarts):
            return []  # systemd before 235 has no NRestarts
        return [_series(name, {"name": history.unit.unit, **model.target(exporter, history.host)}, restart_counter(history))]

    return rebuild


def _start_time(name: str, exporter: str) -> Rebuild:
    def rebuild(history: UnitHistory, model: Model) -> list[StepSeries]:
        state = unit_state(history)
        since = steps(state.times, np.where(state.values == ACTIVE, np.round(state.times, 6), 0.0))
        labels = {"name": history.unit.unit, **({"type": "service"} if exporter == SYSTEMD else {})}
        return [_series(name, {**labels, **model.target(exporter, history.host)}, since)]

    return rebuild


def _probe(name: str, answers: float) -> Rebuild:
    def rebuild(history: UnitHistory, model: Model) -> list[StepSeries]:
        serving = answering(history, model.ready_s)
        return [_series(name, model.target(BLACKBOX, history.host), Steps(serving.times, serving.values * answers))]

    return rebuild


def _of_watch(name: str, follow: Callable[[UnitHistory], Steps]) -> Rebuild:
    def rebuild(history: UnitHistory, model: Model) -> list[StepSeries]:
        followed = follow(history)
        known = np.concatenate([[model.since], followed.times]), np.concatenate([[0.0], followed.values])
        return [_series(name, {"unit": history.unit.unit, **model.target(WATCH, history.host)}, steps(*known))]

    return rebuild


def _of_class(name: str, value: Callable[[Floats], Floats]) -> Rebuild:
    """Rebuild a metric per failure class, which begins with the class's first failure. value: of the times of its failures."""

    def rebuild(history: UnitHistory, model: Model) -> list[StepSeries]:
        labels = {"unit": history.unit.unit, **model.target(WATCH, history.host)}
        of_class: dict[str, list[float]] = {}
        for signature, time in zip(history.signature[history.failed], history.ended[history.failed].tolist(), strict=True):
            of_class.setdefault(signature, []).append(time)
        classes = {signature: np.array(times)[~np.isnan(times)] for signature, times in sorted(of_class.items())}
        return [
            _series(name, {**labels, "signature": signature}, steps(times + LABELLED_S, value(times)))
            for signature, times in classes.items()
            if len(times)
        ]

    return rebuild


def restart_counter(history: UnitHistory) -> Steps:
    """Follow NRestarts: up at each scheduled restart, 0 at a start by hand; before the data it is what the first restart shows."""
    follows_restart = np.append(False, ~np.isnan(history.restart[:-1]))[: len(history.began)]  # of a client, and counted
    by_hand = ~history.automatic & history.counts & ~follows_restart
    times = np.column_stack([np.where(by_hand, history.began, np.nan), history.restart]).ravel()
    values = np.column_stack([np.zeros(len(by_hand)), history.counter]).ravel()
    recorded = ~np.isnan(times) & ~np.isnan(values)
    if not len(history.began):
        return Steps(times, values)
    first = values[recorded][0] - 1 if not history.counts[0] and recorded.any() else 0.0
    return steps(np.concatenate([history.began[:1], times[recorded]]), np.concatenate([[max(first, 0.0)], values[recorded]]))


def _restarts_of_watch(history: UnitHistory) -> Steps:
    return steps(history.restarts, history.restart_counts.cumsum().astype(np.float64))


def _up(history: UnitHistory) -> Steps:
    return unit_state(history).is_one_of(ACTIVE)


def _held(history: UnitHistory) -> Steps:
    return answering(history, HELD_S)


def _in_loop(history: UnitHistory) -> Steps:
    """Return 1 from the third restart without a stable start in between until the next stable start."""
    since_held = np.maximum.accumulate(np.where(history.held, np.arange(len(history.began)), -1))
    in_row = np.arange(len(history.began)) - since_held
    loops = ~history.held & (in_row >= LOOP_RESTARTS)
    times = np.column_stack([np.where(loops, history.restart, np.nan), np.where(history.held, history.began, np.nan)]).ravel()
    recorded = ~np.isnan(times)
    return steps(times[recorded], np.tile([1.0, 0.0], len(loops))[recorded])


def up_series(model: Model, host: str) -> list[StepSeries]:
    """Show every rebuilt target as up: Prometheus is on the same host, and where it is off nothing is evaluated."""
    always = Steps(np.array([model.since]), np.array([1.0]))
    return [_series("up", model.target(exporter, host), always) for exporter in PORTS]


def _type_of(history: UnitHistory) -> str:
    """Guess Type= from what the manager logs: exec, forking and dbus read like notify."""
    if history.is_oneshot:
        return "oneshot"
    return "notify" if history.announced.any() else "simple"


def _series(name: str, labels: dict[str, str], values: Steps) -> StepSeries:
    return StepSeries(name, labels, values.times, values.values)


def _metric(exporter: str, labels: str, rebuild: Rebuild) -> Metric:
    return Metric(exporter, frozenset(labels.split()), rebuild)


METRICS: dict[str, Metric] = {
    "node_systemd_unit_state": _metric(NODE, "name state type", _unit_states("node_systemd_unit_state", NODE)),
    "node_systemd_service_restart_total": _metric(NODE, "name", _restart_total("node_systemd_service_restart_total", NODE)),
    "node_systemd_unit_start_time_seconds": _metric(NODE, "name", _start_time("node_systemd_unit_start_time_seconds", NODE)),
    "systemd_unit_state": _metric(SYSTEMD, "name state type", _unit_states("systemd_unit_state", SYSTEMD)),
    "systemd_service_restart_total": _metric(SYSTEMD, "name", _restart_total("systemd_service_restart_total", SYSTEMD)),
    "systemd_unit_start_time_seconds": _metric(SYSTEMD, "name type", _start_time("systemd_unit_start_time_seconds", SYSTEMD)),
    "probe_success": _metric(BLACKBOX, "", _probe("probe_success", 1.0)),
    "probe_http_status_code": _metric(BLACKBOX, "", _probe("probe_http_status_code", 200.0)),
    "tabby_forensics_unit_restarts_total": _metric(WATCH, "unit", _of_watch("tabby_forensics_unit_restarts_total", _restarts_of_watch)),
    "tabby_forensics_unit_up": _metric(WATCH, "unit", _of_watch("tabby_forensics_unit_up", _up)),
    "tabby_forensics_unit_held": _metric(WATCH, "unit", _of_watch("tabby_forensics_unit_held", _held)),
    "tabby_forensics_unit_loop_active": _metric(WATCH, "unit", _of_watch("tabby_forensics_unit_loop_active", _in_loop)),
    "tabby_forensics_failures_total": _metric(
        WATCH, "unit signature", _of_class("tabby_forensics_failures_total", lambda times: np.arange(1.0, len(times) + 1))
    ),
    FIRST_FAILURE: _metric(WATCH, "unit signature", _of_class(FIRST_FAILURE, lambda times: np.full(len(times), times[0]))),
    LAST_FAILURE: _metric(WATCH, "unit signature", _of_class(LAST_FAILURE, lambda times: times)),
}
