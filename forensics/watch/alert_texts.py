"""Write alerts about failure classes, with the texts of their signatures, and how a unit got well."""

from __future__ import annotations

from dataclasses import replace

from forensics.alerting.alert import NEW, Alert, harmless, paragraphs
from forensics.model.values import Signature, UnitKey
from forensics.policy.class_state import ClassState
from forensics.policy.limits import HELD_S
from forensics.policy.unit_state import UnitState
from forensics.watch.stream import Ended

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
        remedy=paragraphs(signature.remedy),
        evidence=safe["line"],
        why=why,
        restart_helps=signature.restart_helps,
        machine=unit.machine,
        manager=unit.manager,
    )


def recovery(state: UnitState) -> str:
    """Describe how a unit that failed got well, as a clause about it."""
    if state.stop is not None:
        return "was up until it was stopped on request"
    if state.running is not None or (state.last is not None and state.last.held):
        return f"has been up for {HELD_S / 60:.0f} minutes"
    return "finished successfully and was not restarted"
