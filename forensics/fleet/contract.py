"""Write a Summary as JSON, contract version 1: adding keys is free, renaming or dropping one needs a new `schema_version`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from forensics.fleet.facts import ChangeFacts, ClassFacts, HostFacts, IncidentFacts, Summary

SCHEMA_VERSION = 1


def to_json(summary: Summary) -> str:
    """Write all of a summary; equal summaries give equal bytes."""
    return json.dumps(summary_keys(summary), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def summary_keys(summary: Summary) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "fleet",
        "hosts": [_host(host) for host in summary.hosts],
        "reports": [{"key": copy.key, "host": copy.host, "generated": _time(copy.generated), "file": copy.file} for copy in summary.copies],
        "unread": [{"file": each.file, "why": each.why} for each in summary.unread],
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _seconds(value: float) -> float | int:
    rounded = round(value, 6)
    return int(rounded) if rounded == int(rounded) else rounded


def _host(host: HostFacts) -> dict[str, Any]:
    return {
        "machine": host.machine or None,
        "host": host.host,
        "file": host.file,
        "generated": _time(host.generated),
        "window": {"since": _time(host.since), "until": _time(host.until)},
        "version": host.version,
        "schema_version": host.schema_version,
        "completeness": {"entries": host.entries, "complete": host.complete, "problems": list(host.problems)},
        "failures": host.failures,
        "restarts": host.restarts,
        "downtime_s": _seconds(host.downtime_s),
        "classes": [_class(row) for row in host.classes],
        "incidents": [_incident(incident) for incident in host.incidents],
        "changes": [_change(change) for change in host.changes],
    }


def _class(row: ClassFacts) -> dict[str, Any]:
    return {
        "signature": row.signature,
        "title": row.title,
        "severity": row.severity,
        "units": list(row.units),
        "failures": row.failures,
        "restarts": row.restarts,
        "first": _time(row.first),
        "last": _time(row.last),
    }


def _incident(incident: IncidentFacts) -> dict[str, Any]:
    return {
        "id": incident.id,
        "unit": incident.unit,
        "manager": incident.manager,
        "kind": incident.kind,
        "ongoing": incident.ongoing,
        "start": _time(incident.start),
        "end": _time(incident.end),
        "failures": incident.failures,
        "restarts": incident.restarts,
        "downtime_s": _seconds(incident.downtime_s),
        "verdict": incident.verdict,
        "trigger": None if incident.trigger is None else _change(incident.trigger),
        "classes": [_class(row) for row in incident.classes],
    }


def _change(change: ChangeFacts) -> dict[str, Any]:
    return {"key": change.key, "kind": change.kind, "summary": change.summary, "time": _time(change.time)}
