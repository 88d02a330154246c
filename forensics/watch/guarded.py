"""Turn what this program does to a unit into alerts: its gate, its remedies and drills."""

from __future__ import annotations

from forensics.alerting.alert import BREAKER, NEW, Alert
from forensics.model.own_entries import ON_HOLD
from forensics.policy import class_state, unit_state
from forensics.policy.unit_state import UnitState
from forensics.watch import alert_texts
from forensics.watch.batch import Statement
from forensics.watch.open_alerts import OpenAlerts, key_of
from forensics.watch.stream import Ended
from forensics.watch.tracked import TrackedUnit


def is_stop(statement: Statement, state: UnitState) -> bool:
    """Whether a statement is a stop on request, or the one that a gate asked for: only with its opening in one batch it is marked."""
    is_gates = state.gate is not None and state.gate.is_stopping
    return statement.kind == "stopped" if is_gates else statement.asks_to_stop


def stated(statement: Statement, unit: TrackedUnit, alerts: OpenAlerts, host: str) -> list[Alert]:
    """Take a statement of this program's own; return alerts about remedies."""
    match statement.kind:
        case "gate-opened":
            unit_state.gate_opened(unit.state, statement.at)
            unit.opening, unit.may_be_reset = statement, True  # the stop sets systemd's counter of restarts to 0
            alerts.once_more(key_of(BREAKER, statement.unit, host))
        case "gate-closed":
            unit_state.gate_closed(unit.state, statement.at, on_request=statement.about == ON_HOLD)
        case "remedy-started" | "remedy-ended" if unit.remedy != statement.text:  # refused again for the same reason is no news
            unit.remedy = statement.text
            return alerts.admitted(alert_texts.remedy_reported(statement, host))
    return []


def breaker_opened(unit: TrackedUnit, alerts: OpenAlerts, about_unit: Alert) -> list[Alert]:
    """Open the alert about a gate, with the texts of the class that it opened for. about_unit: with those of the last failure."""
    if unit.opening is None:
        return []
    failures = (alert for alert in alerts.by_key.values() if alert.name == NEW and alert.unit_key == unit.opening.unit)
    named = next((alert for alert in failures if alert.signature == unit.opening.about), about_unit)
    return alerts.open(alert_texts.breaker_opened(named, unit.opening))


def drilled(end: Ended, alerts: OpenAlerts) -> list[Alert]:
    """Alert about a drill as about a new failure, and remember nothing of it that could hide one."""
    if end.signature is None:
        return []
    time = end.attempt.ended.time / 1e6
    return alerts.open(alert_texts.new_failure(end, end.signature, class_state.failed(None, time)[0], time))
