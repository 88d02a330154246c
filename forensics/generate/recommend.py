"""Recommend, from what the incidents of a unit show, which controls to make effective first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics import wording
from forensics.generate.actions import ActionItem
from forensics.generate.basis import Basis, head
from forensics.model.values import FailureClass, Incident
from forensics.policy.limits import LOOP_RESTARTS

LONG_S = 3600.0  # downtime from which something else should answer meanwhile
_DEPLOYMENTS = {"system-switch", "package", "driver", "configuration"}


def head_lines(basis: Basis) -> Iterator[str]:
    """Yield the lines at the head of a file of action items."""
    measured = (
        "Each item is recommended because of what the incidents show. Set owner, priority and notes as you like: "
        "`tabby-forensics audit --actions FILE` changes nothing but status: done where the audit finds the control effective, "
        "reopened where it no longer is."
    )
    yield from head(basis, "Action items", "actions", [measured])


def recommended(unit: str, incidents: Sequence[Incident]) -> tuple[ActionItem, ...]:
    """Return the items for one unit, the most urgent first."""
    items = [*_detect(unit, incidents), *_limit(unit, incidents), *_prevent(unit, incidents), *_recover(unit, incidents)]
    return tuple(sorted(items, key=lambda item: item.priority))


def _detect(unit: str, incidents: Sequence[Incident]) -> Iterator[ActionItem]:
    missed = [incident for incident in incidents if incident.detection.alert is None]
    if missed:
        late = max((_late(incident) for incident in missed), default=0.0)
        after = f"; people noticed after {wording.duration(late)}" if late else ""
        yield _item(unit, "alert-rules", "P1", f"Load a rule that pages when {unit} fails: no alert was delivered{after}", "generate rules")
        yield _item(unit, "health-check", "P2", f"Probe the endpoint of {unit}, with a rule on the probe", "generate blackbox")
        yield _item(unit, "error-patterns", "P2", f"Run watch on the host of {unit}, with a sink that reaches a person", "generate systemd")


def _late(incident: Incident) -> float:
    return (incident.detection.operator - incident.start).total_seconds() if incident.detection.operator else 0.0


def _limit(unit: str, incidents: Sequence[Incident]) -> Iterator[ActionItem]:
    loops = [incident for incident in incidents if incident.kind == "restart-loop"]
    if not loops:
        return
    restarts = wording.plural(sum(incident.restarts for incident in loops), "restart")
    yield _item(unit, "restart-limits", "P1", f"Give {unit} a start limit that its loop reaches: {restarts} in loops", "generate limits")
    yield _item(unit, "restart-count", "P2", f"Export the restart counter of {unit} and count it in a rule", "generate rules")
    if futile := _futile(loops):
        title = f"Stop restarting {unit} at failures that no restart fixes ({_names(futile)})"
        yield _item(unit, "circuit-breaker", "P2", title, "generate runbook")


def _prevent(unit: str, incidents: Sequence[Incident]) -> Iterator[ActionItem]:
    triggers = [incident.trigger for incident in incidents if incident.trigger is not None and incident.trigger.kind in _DEPLOYMENTS]
    if triggers:
        title = f"After each {triggers[-1].kind.replace('-', ' ')} ask {unit} for an answer: the last one came just before an incident"
        yield _item(unit, "post-deploy-smoke-test", "P2", title, "generate blackbox --completion")
    if futile := _futile(incidents):
        title = f"Check before {unit} starts what it needs ({_names(futile)})"
        yield _item(unit, "prestart-dependency-check", "P3", title, "generate runbook")


def _recover(unit: str, incidents: Sequence[Incident]) -> Iterator[ActionItem]:
    longest = max(incidents, key=lambda incident: incident.downtime_s)
    if longest.downtime_s >= LONG_S:
        title = f"Let something else answer while {unit} is down: it was down for {wording.duration(longest.downtime_s)}"
        yield _item(unit, "fallback-routing", "P3", title, "")


def _futile(incidents: Sequence[Incident]) -> list[FailureClass]:
    """Return the classes after which restarts were tried and none helped, the most frequent first; what isolated restarts cure is none."""
    rows = [row for incident in incidents for row in incident.classes if row.restart_helps is not True]
    tried = [row for row in rows if row.restart_helped is not None and row.restart_helped.of >= LOOP_RESTARTS]
    futile = {row.signature: row for row in tried if row.restart_helped is not None and not row.restart_helped.held}
    return sorted(futile.values(), key=lambda row: (-row.failures, row.signature))


def _names(classes: Sequence[FailureClass]) -> str:
    shown = ", ".join(row.signature for row in classes[:3])
    return shown + (f" and {len(classes) - 3} more" if len(classes) > 3 else "")


def _item(unit: str, control: str, priority: str, title: str, command: str) -> ActionItem:
    about = "" if command == "generate systemd" else f" --unit {unit}"
    return ActionItem(f"{control}:{unit}", title, priority, control, unit, command=f"tabby-forensics {command}{about}" if command else "")
