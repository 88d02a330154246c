"""Replay what an inventory holds on the incident of the audited unit: its rules, its start limit, its probes and monitors, and `watch`."""

from __future__ import annotations

from dataclasses import replace

from forensics.audit.checks.health_check import monitors_of_unit
from forensics.audit.checks.restart_limits import limit_in_effect
from forensics.audit.checks.rule_chain import all_rules
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.kuma import Monitor
from forensics.replay import Asked, ReplayInputs, replay
from forensics.replay.asked import Probe
from forensics.replay.limiters import StartLimit
from forensics.replay.polls import Poll

POLL_S = 60.0  # Uptime Kuma's default
BY_REQUEST = frozenset({"http", "keyword", "json-query", "port", "grpc-keyword"})  # kinds of monitors that ask the service itself


def with_replay(found: Inventory, inputs: ReplayInputs) -> Inventory:
    """Add what the controls of the inventory would have done in the unit's incident."""
    incidents = [each for each in inputs.incidents if each.id == found.subject.incident]
    replayed = replay(replace(inputs, incidents=incidents), asked_for(found))
    return replace(found, journal=replace(found.journal, replayed=replayed.get(found.subject.incident or "", ())))


def asked_for(found: Inventory) -> Asked:
    """Ask for the controls that the inventory holds."""
    limit = limit_in_effect(found)
    monitors = monitors_of_unit(found)
    of_address = [each for each in monitors if each.kind in BY_REQUEST]
    return Asked(
        rules=tuple(all_rules(found)),
        limits=() if limit is None else (StartLimit(*limit),),
        probes=tuple(dict.fromkeys(Probe(_every(each), _every(each) * (each.retries or 0)) for each in of_address)),
        polls=tuple(dict.fromkeys(Poll(_every(each), int(each.retries or 0)) for each in monitors if each not in of_address)),
        watch=True,
    )


def _every(monitor: Monitor) -> float:
    return monitor.interval_s or POLL_S
