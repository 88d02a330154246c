"""Make summaries of many hosts: one switch that breaks some of them, and one in which every string is an attack."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forensics.fleet.facts import ChangeFacts, ClassFacts, Copy, HostFacts, IncidentFacts, Summary, Unread

START = datetime(2026, 3, 1, tzinfo=UTC)
NOW = START + timedelta(days=3)
SWITCH = ChangeFacts("switch", "system-switch", "NixOS switched to generation 42", START + timedelta(hours=20))
TORCH, TITLE = "torch.abi-mismatch", "A compiled extension was built against another PyTorch"


def host(number: int, name: str = "", *, change: bool = True, after_s: float | None = None, file: str = "", **more) -> HostFacts:
    """Make a host; after_s: seconds from the switch to its first failure, None on one that is well."""
    name = name or f"gpu{number:04}"
    first = None if after_s is None else SWITCH.time + timedelta(seconds=after_s)
    rows = () if first is None else (ClassFacts(TORCH, TITLE, "error", ("vllm.service",), 12, 11, first, first + timedelta(hours=2)),)
    incidents = ()
    if first is not None:
        trigger = SWITCH if change else None
        incidents = (
            IncidentFacts(f"i{number}", "vllm.service", "system", "restart-loop", True, first, None, 12, 11, 9000.0, "", trigger, rows),
        )
    values = {
        "machine": f"{number:08x}{0:024x}",
        "host": name,
        "file": file or f"{name}.json",
        "generated": NOW - timedelta(hours=1),
        "since": START,
        "until": NOW - timedelta(hours=1),
        "entries": 1000,
        "complete": True,
        "version": "1.0",
        "schema_version": 1,
        "failures": 12 * len(rows),
        "restarts": 11 * len(rows),
        "downtime_s": 9000.0 * len(rows),
        "incidents": incidents,
        "classes": rows,
        "changes": (SWITCH,) if change else (),
        "problems": (),
    }
    return HostFacts(**(values | more))


def summary(hosts, unread=()) -> Summary:
    hosts = tuple(sorted(hosts, key=lambda one: one.key))
    return Summary(hosts, tuple(Copy(one.key, one.generated, one.host, one.file) for one in hosts), tuple(unread))


def switched(number: int) -> Summary:
    """Make `number` hosts that got the switch, of which three of four fail one after the other."""
    broken = number * 3 // 4
    spread = 5940 * 6 / max(1, broken - 1)  # 9 h 54 min from the first to the last
    return summary(host(k, after_s=1800 + spread * k if k < broken else None) for k in range(number))


def various(number: int) -> Summary:
    """Make hosts of which each failed of a class of its own, with names as long as a host may have."""
    made = []
    for k in range(number):
        one = host(k, f"node-{k:05}-{'x' * 52}", after_s=3600.0 * (k % 24))
        rows = tuple(
            ClassFacts(f"exit.class-{k:05}", f"Failure {k}", "error", one.classes[0].units, 3, 2, r.first, r.last) for r in one.classes
        )
        made.append(replace(one, classes=rows, incidents=tuple(replace(incident, classes=rows) for incident in one.incidents)))
    return summary(made, (Unread(f"old-{k}.json", "is not JSON") for k in range(number)))


ATTACK = "<script>alert(1)</script>\x1b[31m|`x`{{ 7*7 }}\n# [a](javascript:alert(1))"


def hostile() -> Summary:
    change = ChangeFacts(ATTACK, ATTACK, ATTACK, SWITCH.time)
    row = ClassFacts(ATTACK, ATTACK, ATTACK, (ATTACK,), 3, 2, SWITCH.time, SWITCH.time)
    incident = IncidentFacts(ATTACK, ATTACK, ATTACK, ATTACK, True, SWITCH.time, None, 3, 2, 60.0, ATTACK, change, (row,))
    values = {
        "file": "javascript:alert(1).json", "version": ATTACK, "incidents": (incident,), "classes": (row,), "changes": (change,),
        "problems": (ATTACK,), "complete": False,
    }  # fmt: skip
    hosts = [host(k, f"{ATTACK}{k % 2}", after_s=0, **values) for k in range(4)]
    return summary(hosts, (Unread(ATTACK, ATTACK),))
