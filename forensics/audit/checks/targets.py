"""Decide what of a monitoring system is about the audited unit: by its name, or by a port that it listens on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from forensics.audit.inventory import Inventory
from forensics.audit.inventory.prometheus import Target
from forensics.audit.inventory.units import commands

SHORTEST_NAME = 4  # of a stem that is looked for within other words
_PORT_OPTION = re.compile(
    r"(?:--(?:[\w-]{0,40}-)?port|-p)[= ](\d{2,5})\b|(?:--(?:bind|listen|host|address)[\w-]{0,40})[= ]\S{0,200}?:(\d{2,5})\b"
)


def ports_of_unit(found: Inventory) -> tuple[int, ...]:
    """Return the ports that the unit listens on: those of its command line, then those that its lines name."""
    lines = commands(found.unit, "ExecStart") if found.unit is not None else ()
    configured = [int(one or other) for line in lines for one, other in _PORT_OPTION.findall(line)]
    return tuple(dict.fromkeys([*configured, *found.journal.ports]))


def names_unit(found: Inventory, text: str) -> bool:
    """Whether a text names the unit: its whole name, or its stem as a word where that is long enough to mean something."""
    stem, lower = found.subject.stem.lower(), text.lower()
    if found.subject.unit.lower() in lower:
        return True
    return len(stem) >= SHORTEST_NAME and re.search(rf"(?<![a-z0-9]){re.escape(stem)}(?![a-z])", lower) is not None


def asks_unit(found: Inventory, address: str) -> bool:
    """Whether an address, such as http://host:5000/health or host:5000, leads to a port of the unit or names it."""
    return port_of(address) in ports_of_unit(found) or names_unit(found, address)


def port_of(address: str) -> int | None:
    try:
        parts = urlsplit(address if "://" in address else f"//{address}")
        return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def is_about_unit(found: Inventory, target: Target) -> bool:
    """Whether a target of Prometheus is the unit, or a probe of it."""
    if target.probed:
        return asks_unit(found, target.probed) or any(names_unit(found, value) for name, value in target.labels.items() if name != "job")
    return names_any(found, target.labels) or port_of(target.labels.get("instance", "")) in ports_of_unit(found)


def names_any(found: Inventory, labels: Mapping[str, str]) -> bool:
    return any(names_unit(found, value) for value in labels.values())
