"""Write alerts about failure classes, with the texts of their signatures, and how a unit got well."""

from __future__ import annotations

import shlex
from dataclasses import replace

from forensics.alerting.alert import BREAKER, FUTILE, NEW, REMEDY_ENDED, REMEDY_STARTED, Alert, harmless, paragraphs
from forensics.model.values import Signature, UnitKey
from forensics.policy.class_state import ClassState
from forensics.policy.limits import HELD_S
from forensics.policy.unit_state import UnitState
from forensics.sanitize import for_unit
from forensics.watch.batch import Statement
from forensics.watch.floods import MOST_OF_HOST, MOST_OF_UNIT, Flood, most
from forensics.watch.stream import Ended
from forensics.wording import plural, spoken_duration

WARNING = 4  # of syslog's priorities
SEVERITIES = {"critical": "critical", "high": "critical", "medium": "warning", "low": "info", "info": "info"}


def new_failure(end: Ended, signature: Signature, failure_class: ClassState, time: float) -> Alert:
    """Make an alert about an attempt that failed, of a class that is new or comes back."""
    alert = described(end.unit, end.host, signature, end.line, end.why)
    again = "fails again:" if failure_class.state == "regressed" else "fails for a new reason:"
    return replace(
        alert, severity=SEVERITIES[signature.severity], summary=f"{end.unit.unit} {again} {alert.title}", starts_at=time,
        state=failure_class.state, first_seen=failure_class.first, count=failure_class.count,
    )  # fmt: skip


def described(unit: UnitKey, host: str, signature: Signature, line: str, why: str) -> Alert:
    """Make an alert about a failure class, with the texts of its signature."""
    safe = harmless({"title": signature.title, "line": line})
    return Alert(
        NEW,
        unit.unit,
        host,
        severity="",
        summary="",
        starts_at=0.0,
        signature=signature.id,
        title=safe["title"],
        cause=paragraphs(signature.cause),
        remedy=paragraphs(for_unit(signature.remedy, unit.unit)),
        evidence=safe["line"],
        why=why,
        restart_helps=signature.restart_helps,
        restart_helps_when=paragraphs(signature.restart_helps_when),
        machine=unit.machine,
        manager=unit.manager,
    )


def breaker_opened(about_unit: Alert, opening: Statement) -> Alert:
    """Make the alert that a gate stops the restarts of a unit. about_unit: with the texts of the class that it fails of."""
    failures = plural(opening.counter or 0, "failure")
    waits = "" if opening.wait_s is None else f"; next try in {spoken_duration(opening.wait_s)}"
    because = f": {about_unit.title}" if about_unit.title else ""
    unit = opening.unit
    option = "" if unit.manager == "system" else "--user "
    again = f"To try at once: tabby-forensics gate reset {option}{shlex.quote(unit.unit)}"
    return replace(
        about_unit, name=BREAKER, severity="critical", starts_at=opening.at.time / 1e6, count=opening.counter or 0, state="", signature="",
        fails_of=about_unit.signature or opening.about, remedy="\n".join(filter(None, [about_unit.remedy, again])),
        why=harmless({"text": opening.text})["text"], summary=f"restarts of {unit.unit} are stopped after {failures}{because}{waits}",
    )  # fmt: skip


def remedy_reported(statement: Statement, host: str) -> Alert:
    """Make the alert that a remedy was started, or how it ended."""
    ended = statement.kind == "remedy-ended"
    severity = "warning" if ended and statement.priority <= WARNING else "info"
    unit, text = statement.unit, harmless({"text": statement.text})["text"]
    return Alert(
        REMEDY_ENDED if ended else REMEDY_STARTED, unit.unit, host, severity, text, statement.at.time / 1e6, fails_of=statement.about,
        machine=unit.machine, manager=unit.manager,
    )  # fmt: skip


def flood_of_unit(flood: Flood, alert: Alert) -> Alert:
    """Make the alert about a flood of classes of the unit that `alert` is about."""
    text, times = flood.commonest
    common = f"; the commonest, {times} times: {text}" if times > 1 else ""
    kind = "failures that restarting does not help" if alert.name == FUTILE else "failures and errors"
    return replace(
        alert, severity=flood.severity, starts_at=flood.begun, state="flood", signature="", fails_of="", title=text, cause="", remedy="",
        why=f"more than {MOST_OF_UNIT} within ten minutes are one alert", count=flood.total, first_seen=flood.begun, restart_helps=None,
        summary=f"{alert.unit} has {plural(flood.total, 'new class', 'new classes')} of {kind} at once; the first: {flood.first}{common}",
    )  # fmt: skip


def flood_of_host(flood: Flood, host: str) -> Alert:
    """Make the alert about all that is held back because the host has too many alerts."""
    units = ", ".join(f"{unit or 'the journal'} ({count})" for unit, count in most(flood.units))
    more = f" and {plural(len(flood.units) - 3, 'more unit')}" if len(flood.units) > 3 else ""
    summary = (
        f"{plural(flood.total, 'alert')} held back, more than {MOST_OF_HOST} within ten minutes: of {units}{more}; the first: {flood.first}"
    )
    return Alert(
        NEW, "", host, flood.severity, summary, flood.begun, state="flood", title=flood.commonest[0], count=flood.total,
        why=f"of a host, {MOST_OF_HOST} alerts within ten minutes are delivered", first_seen=flood.begun,
    )  # fmt: skip


def recovery(state: UnitState) -> str:
    """Describe how a unit that failed got well, as a clause about it."""
    if state.stop is not None:
        return "was up until it was stopped on request"
    if state.running is not None or (state.last is not None and state.last.held):
        return f"has been up for {HELD_S / 60:.0f} minutes"
    return "finished successfully and was not restarted"
