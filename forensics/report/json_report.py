"""Render a report as JSON, contract version 1: adding keys is free, renaming or dropping one needs a new `schema_version`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from forensics import wording
from forensics.model.comparison import ClassChange, Comparison, IncidentChange, Side
from forensics.model.controls import Control, Replayed
from forensics.model.values import (
    Change,
    Completeness,
    Detection,
    Evidence,
    FailureClass,
    FixAttempt,
    GateStop,
    Incident,
    IsolatedFailures,
    LedgerCheck,
    Phase,
    Report,
    SharedValue,
)
from forensics.report import evidence
from forensics.report.options import RenderOptions

SCHEMA_VERSION = 1

Names = Mapping[Evidence, str]


def render(report: Report, options: RenderOptions) -> str:
    """Write the keys in the order of the contract; non-ASCII stays, as control characters are already removed."""
    return json.dumps(contract(report, redacted=options.redact), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def contract(report: Report, *, redacted: bool = True) -> dict[str, Any]:
    incidents = [dict(evidence.of_incident(report, k).by_evidence()) for k in range(len(report.incidents))]
    isolated = dict(evidence.of_isolated(report).by_evidence())
    anywhere = {one: name for names in (isolated, *reversed(incidents)) for one, name in names.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "program": {"name": "tabby-forensics", "version": report.version},
        "generated": wording.rfc3339(report.generated),
        "redacted": redacted,
        "host": report.host,
        "hosts": list(report.hosts),
        "units": list(report.units),
        "timezone": report.timezone,
        "window": {"since": wording.rfc3339(report.window.since), "until": wording.rfc3339(report.window.until)},
        "completeness": _completeness(report.completeness),
        "restarts": {
            "total": report.restarts.total,
            "in_incidents": report.restarts.in_incidents,
            "background": report.restarts.background,
            "lost": report.restarts.lost,
            "refused": report.restarts.refused,
        },
        "failures": {
            "total": report.failures.total,
            "in_incidents": report.failures.in_incidents,
            "isolated": report.failures.isolated,
        },
        "isolated": [_isolated(row, isolated) for row in report.isolated],
        "classes": [_class(row, anywhere) for row in report.classes],
        "incidents": [_incident(incident, names) for incident, names in zip(report.incidents, incidents, strict=True)],
        "detection_summary": {
            "incidents": report.detection_summary.incidents,
            "mttd_s": wording.json_number(report.detection_summary.mttd_s),
            "median_ttd_s": wording.json_number(report.detection_summary.median_ttd_s),
            "mttr_s": wording.json_number(report.detection_summary.mttr_s),
        },
        "ledger": [_check(check) for check in report.ledger],
        "controls": [control_keys(control) for control in report.controls],
        "notes": list(report.notes),
        "compare": _comparison(report.compare),
        "machines": list(report.machines),
        "changes": [{"time": wording.rfc3339(change.time), "kind": change.kind, "summary": change.summary} for change in report.changes],
    }


def evidence_keys(quoted: Evidence, names: Names) -> dict[str, Any]:
    """Write a piece of evidence; name: as in every format and for `show`, null for one that no section can refer to."""
    return {
        "name": names.get(quoted),
        "time": wording.rfc3339(quoted.time),
        "message": quoted.message,
        "file": quoted.file,
        "offset": quoted.offset,
        "unit": quoted.unit or None,
        "before": list(evidence.shown_before(quoted)),
        "event": list(quoted.event),
        "decides": quoted.decides,
        "after": list(quoted.after),
    }


def _evidence(quoted: Evidence | None, names: Names) -> dict[str, Any] | None:
    return None if quoted is None else evidence_keys(quoted, names)


def _completeness(completeness: Completeness) -> dict[str, Any]:
    return {
        "entries": completeness.entries,
        "complete": completeness.complete,
        "dropped": completeness.dropped,
        "gaps": [
            {"start": wording.rfc3339(gap.start), "end": wording.rfc3339(gap.end), "kind": gap.kind, "reason": gap.reason}
            for gap in completeness.gaps
        ],
        "damage": [{"file": damage.file, "offset": damage.offset, "reason": damage.reason} for damage in completeness.damage],
    }


def _class(row: FailureClass, names: Names) -> dict[str, Any]:
    return {
        "signature": row.signature,
        "title": row.title,
        "restarts": row.restarts,
        "failures": row.failures,
        "share": wording.json_number(row.share),
        "first": wording.rfc3339(row.first),
        "last": wording.rfc3339(row.last),
        "restart_helps": row.restart_helps,
        "restart_helps_when": row.restart_helps_when,
        "restart_helped": None if row.restart_helped is None else {"of": row.restart_helped.of, "held": row.restart_helped.held},
        "severity": row.severity,
        "sample": _evidence(row.sample, names),
        "secondary": row.secondary,
        "cause": row.cause,
        "remedy": row.remedy,
        "cycle_s": wording.json_number(row.cycle_s),
    }


def _isolated(row: IsolatedFailures, names: Names) -> dict[str, Any]:
    return {
        "unit": row.unit,
        "manager": row.manager,
        "host": row.host,
        "machine": row.machine,
        "signature": row.signature,
        "title": row.title,
        "failures": row.failures,
        "restarts": row.restarts,
        "first": wording.rfc3339(row.first),
        "last": wording.rfc3339(row.last),
        "sample": _evidence(row.sample, names),
    }


def _phase(phase: Phase) -> dict[str, Any]:
    return {
        "start": wording.rfc3339(phase.start),
        "end": wording.rfc3339(phase.end),
        "restarts": phase.restarts,
        "cadence_s": wording.json_number(phase.cadence_s),
        "primary": phase.primary,
        "classes": dict(_largest_first(phase.classes)),
    }


def _largest_first(counts: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _change(change: Change | None, names: Names) -> dict[str, Any] | None:
    if change is None:
        return None
    return {
        "time": wording.rfc3339(change.time),
        "kind": change.kind,
        "summary": change.summary,
        "evidence": _evidence(change.evidence, names),
    }


def _fix(fix: FixAttempt, names: Names) -> dict[str, Any]:
    return {"time": wording.rfc3339(fix.time), "summary": fix.summary, "outcome": fix.outcome, "evidence": _evidence(fix.evidence, names)}


def _shared(link: SharedValue, names: Names) -> dict[str, Any]:
    return {
        "what": link.what,
        "value": link.value,
        "classes": list(link.classes),
        "failures": link.failures,
        "ended": _change(link.ended, names),
        "evidence": _evidence(link.evidence, names),
    }


def _detection(detection: Detection, names: Names) -> dict[str, Any]:
    return {
        "signal": wording.rfc3339(detection.signal),
        "alert": wording.rfc3339(detection.alert),
        "operator": wording.rfc3339(detection.operator),
        "declared": wording.rfc3339(detection.declared),
        "evidence": {name: _evidence(detection.evidence[name], names) for name in sorted(detection.evidence)},
    }


def _check(check: LedgerCheck) -> dict[str, Any]:
    return {"name": check.name, "expected": check.expected, "got": check.got, "holds": check.holds}


def replayed_keys(control: Replayed) -> dict[str, Any]:
    return {
        "id": control.id,
        "control": control.control,
        "kind": control.kind,
        "source": control.source,
        "status": control.status,
        "fires_at": wording.rfc3339(control.fires_at),
        "after_s": wording.json_number(control.after_s),
        "earliest_s": wording.json_number(control.earliest_s),
        "latest_s": wording.json_number(control.latest_s),
        "never_share": wording.json_number(control.never_share),
        "delivered_after_s": wording.json_number(control.delivered_after_s),
        "restarts_avoided": control.restarts_avoided,
        "restarts_after": control.restarts_after,
        "firings_outside": control.firings_outside,
        "hours_outside": wording.json_number(control.hours_outside),
        "refusals": control.refusals,
        "refusals_outside": control.refusals_outside,
        "before_operator_s": wording.json_number(control.before_operator_s),
        "reason": control.reason,
        "assumptions": list(control.assumptions),
    }


def control_keys(control: Control) -> dict[str, Any]:
    return {
        "layer": control.layer,
        "id": control.id,
        "control": control.control,
        "status": control.status,
        "links": [{"link": link.link, "holds": link.holds, "evidence": link.evidence} for link in control.links],
        "remedy": control.remedy,
        "evidence": control.evidence,
    }


def _comparison(comparison: Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    return {
        "before": None if comparison.before is None else _side(comparison.before),
        "now": _side(comparison.now),
        "classes": [_class_change(row) for row in comparison.classes],
        "incidents": [_incident_change(row) for row in comparison.incidents],
        "notes": list(comparison.notes),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "window": {"since": wording.rfc3339(side.since), "until": wording.rfc3339(side.until)},
        "recorded_s": wording.json_number(side.recorded_s),
        "entries": side.entries,
        "complete": side.complete,
        "failures": side.failures,
        "restarts": side.restarts,
        "incidents": side.incidents,
        "ongoing": side.ongoing,
        "downtime_s": wording.json_number(side.downtime_s),
    }


def _class_change(row: ClassChange) -> dict[str, Any]:
    return {
        "signature": row.signature,
        "title": row.title,
        "status": row.status,
        "before": row.before,
        "now": row.now,
        "before_per_day": wording.json_number(row.before_per_day),
        "now_per_day": wording.json_number(row.now_per_day),
        "factor": wording.json_number(row.factor),
        "largest": row.largest,
    }


def _incident_change(row: IncidentChange) -> dict[str, Any]:
    return {
        "status": row.status,
        "id": row.id,
        "unit": row.unit,
        "manager": row.manager,
        "host": row.host,
        "kind": row.kind,
        "ongoing": row.ongoing,
        "start": wording.rfc3339(row.start),
        "end": wording.rfc3339(row.end),
        "downtime_s": wording.json_number(row.downtime_s),
    }


def _gate(stop: GateStop | None, names: Names) -> dict[str, Any] | None:
    if stop is None:
        return None
    return {
        "opened": wording.rfc3339(stop.opened),
        "after_s": wording.json_number(stop.after_s),
        "failures": stop.failures,
        "signature": stop.signature,
        "probes": stop.probes,
        "closed": wording.rfc3339(stop.closed),
        "restarts_avoided": stop.restarts_avoided,
        "cadence_s": wording.json_number(stop.cadence_s),
        "evidence": _evidence(stop.evidence, names),
    }


def _incident(incident: Incident, names: Names) -> dict[str, Any]:
    return {
        "id": incident.id,
        "unit": incident.unit,
        "manager": incident.manager,
        "host": incident.host,
        "machine": incident.machine,
        "kind": incident.kind,
        "ongoing": incident.ongoing,
        "start": wording.rfc3339(incident.start),
        "end": wording.rfc3339(incident.end),
        "failures": incident.failures,
        "restarts": incident.restarts,
        "caused_by": incident.caused_by,
        "exact": incident.exact,
        "downtime_s": wording.json_number(incident.downtime_s),
        "downtime_method": incident.downtime_method,
        "availability": wording.json_number(incident.availability),
        "slept_s": wording.json_number(incident.slept_s),
        "last_good": wording.rfc3339(incident.last_good),
        "verdict": incident.verdict,
        "phases": [_phase(phase) for phase in incident.phases],
        "classes": [_class(row, names) for row in incident.classes],
        "beside": [_class(row, names) for row in incident.beside],
        "changes": [_change(change, names) for change in incident.changes],
        "trigger": _change(incident.trigger, names),
        "trigger_text": incident.trigger_text,
        "fix_attempts": [_fix(fix, names) for fix in incident.fix_attempts],
        "detection": _detection(incident.detection, names),
        "links": [_shared(link, names) for link in incident.links],
        "replay": [replayed_keys(control) for control in incident.replay],
        "recovery": wording.rfc3339(incident.recovery),
        "time_to_recover_s": wording.json_number(incident.time_to_recover_s),
        "gate": _gate(incident.gate, names),
        "cost": {
            "cpu_s": wording.json_number(incident.cost.cpu_s),
            "journal_bytes": incident.cost.journal_bytes,
            "entries": incident.cost.entries,
            "journal_share": wording.json_number(incident.cost.journal_share),
            "displaced_s": wording.json_number(incident.cost.displaced_s),
        },
        "bin_s": incident.bin_s,
        "bins": [{"start": wording.rfc3339(bin_.start), "signature": bin_.signature, "restarts": bin_.restarts} for bin_ in incident.bins],
    }
