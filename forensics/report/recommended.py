"""Name the commands that would write the controls that an incident's unit lacks."""

from __future__ import annotations

from shlex import quote

from forensics.model.values import Incident
from forensics.sanitize import one_line

PROGRAM = "tabby-forensics"
NOTE = "Give them the --file, --journal-dir and --store of this report."
_RULES = ("rules", "alert rules that fire on this incident")
_ROUTE = ("alertmanager --receiver email:you@example.org", "a route and a receiver, so that they reach somebody")
_GATE = ("gate", "a drop-in that stops restarts which cure nothing, and tries again by itself")
_LIMITS = ("limits", "a start limit that a loop like this one reaches")
_RUNBOOK = ("runbook", "how to recognise, check and fix each class")
_ACTIONS = ("actions", "action items, to be closed by a later audit")


def commands(incident: Incident) -> list[tuple[str, str]]:
    """List (command, what it writes), most urgent first; the unit is quoted for a shell."""
    stops = [*([_GATE] if incident.gate is None else []), _LIMITS] if incident.kind == "restart-loop" else []
    route = [_ROUTE] if incident.detection.alert is None else []
    return [(f"{PROGRAM} generate {name} {_unit(incident)}", text) for name, text in (_RULES, *route, *stops, _RUNBOOK, _ACTIONS)]


def audit_command(incident: Incident) -> str:
    """Write how to find out which controls of the unit are effective."""
    servers = "--prometheus http://localhost:9090 --alertmanager http://localhost:9093"
    return f"{PROGRAM} audit {_unit(incident)} {servers}"


def _unit(incident: Incident) -> str:
    return f"--unit {quote(one_line(incident.unit, 300))}"
