"""Write a Summary as JSON, contract version 1: adding keys is free, renaming or dropping one needs a new `schema_version`."""

from __future__ import annotations

import json
from typing import Any

from forensics import wording
from forensics.fleet.facts import ChangeFacts, ClassFacts, HostFacts, IncidentFacts, Summary
from forensics.model.fleet import FleetClass, FleetView, SharedChange

SCHEMA_VERSION = 1


def to_json(summary: Summary, view: FleetView | None = None) -> str:
    """Write all of a summary, and what a view of it counts; equal ones give equal bytes."""
    counted = {} if view is None else _counted(view)
    keys = {"schema_version": SCHEMA_VERSION, "kind": "fleet", **counted, **_summary(summary)}
    return json.dumps(keys, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _counted(view: FleetView) -> dict[str, Any]:
    doubts = view.doubts
    return {
        "generated": wording.rfc3339(view.now),
        "window": {"since": wording.rfc3339(view.since), "until": wording.rfc3339(view.until)},
        "lower_bounds": doubts.are_lower_bounds,
        "totals": {
            "hosts": view.known,
            "failed": view.failed,
            "still_down": view.still_down,
            "failures": view.failures,
            "restarts": view.restarts,
            "downtime_s": wording.json_number(view.downtime_s),
        },
        "classes": [_on_hosts(row) for row in view.classes],
        "versions": dict(view.versions),
        "doubts": {
            "missing": list(doubts.hosts_missing),
            "old": list(doubts.hosts_old),
            "incomplete": list(doubts.hosts_incomplete),
            "wrong_clock": list(doubts.hosts_wrong_clock),
            "one_name": list(doubts.hosts_one_name),
            "one_machine": list(doubts.hosts_one_machine),
            "twice": list(doubts.hosts_twice),
        },
    }


def _on_hosts(row: FleetClass) -> dict[str, Any]:
    change = row.change
    return {
        "signature": row.signature,
        "title": row.title,
        "units": list(row.units),
        "hosts": row.affected,
        "first_host": row.host,
        "first": wording.rfc3339(row.first),
        "half_within_s": wording.json_number(row.half_s),
        "all_within_s": wording.json_number(row.all_s),
        "failures": row.failures,
        "restarts": row.restarts,
        "downtime_s": wording.json_number(row.downtime_s),
        "still_down": row.still_down,
        "change": None if change is None else _shared(change),
    }


def _shared(change: SharedChange) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "summary": change.summary,
        "hosts": change.sharing,
        "hosts_well": list(change.hosts_well),
        "unlisted": change.unlisted,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "hosts": [_host(host) for host in summary.hosts],
        "reports": [
            {"key": copy.key, "host": copy.host, "generated": wording.rfc3339(copy.generated), "file": copy.file} for copy in summary.copies
        ],
        "unread": [{"file": each.file, "why": each.why} for each in summary.unread],
    }


def _host(host: HostFacts) -> dict[str, Any]:
    return {
        "machine": host.machine or None,
        "host": host.host,
        "file": host.file,
        "generated": wording.rfc3339(host.generated),
        "window": {"since": wording.rfc3339(host.since), "until": wording.rfc3339(host.until)},
        "version": host.version,
        "schema_version": host.schema_version,
        "completeness": {"entries": host.entries, "complete": host.complete, "problems": list(host.problems)},
        "failures": host.failures,
        "restarts": host.restarts,
        "downtime_s": wording.json_number(host.downtime_s),
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
        "first": wording.rfc3339(row.first),
        "last": wording.rfc3339(row.last),
    }


def _incident(incident: IncidentFacts) -> dict[str, Any]:
    return {
        "id": incident.id,
        "unit": incident.unit,
        "manager": incident.manager,
        "kind": incident.kind,
        "ongoing": incident.ongoing,
        "start": wording.rfc3339(incident.start),
        "end": wording.rfc3339(incident.end),
        "failures": incident.failures,
        "restarts": incident.restarts,
        "downtime_s": wording.json_number(incident.downtime_s),
        "verdict": incident.verdict,
        "trigger": None if incident.trigger is None else _change(incident.trigger),
        "classes": [_class(row) for row in incident.classes],
    }


def _change(change: ChangeFacts) -> dict[str, Any]:
    return {"key": change.key, "kind": change.kind, "summary": change.summary, "time": wording.rfc3339(change.time)}
