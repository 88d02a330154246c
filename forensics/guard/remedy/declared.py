"""Read the remedies that a user has declared: which unit of theirs to start when which class stops which service."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from forensics.guard.directories import configuration_directory
from forensics.guard.systemctl import UNIT_NAME, Manager
from forensics.policy.limits import HELD_S
from forensics.timespec import span_seconds
from forensics.toml_file import Table, read_toml, refuse_mistakes

KEYS = ("class", "unit", "start", "within", "held")
WITHIN_S = 1800.0
LONGEST_S = 86_400.0
_PATTERN = re.compile(r"[A-Za-z0-9:_.\\@*?\[\]!-]{1,248}")


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to start. classes, unit: shell patterns; within_s: how long it may take; held_s: how long the unit must then stay active."""

    classes: str
    unit: str
    start: str
    within_s: float = WITHIN_S
    held_s: float = HELD_S

    def is_for(self, unit: str, signature: str) -> bool:
        return fnmatchcase(unit, self.unit) and fnmatchcase(signature, self.classes)


def remedies_file(manager: Manager) -> Path:
    """Return where remedies are declared."""
    return configuration_directory(manager) / "remedies.toml"


def read_remedies(file: Path) -> tuple[Remedy, ...]:
    """Read a file of [[remedy]] tables. Raises UsageError with every mistake, or when it cannot be read."""
    table = read_toml(file)
    table.refuse_unknown_keys(("remedy",))
    remedies: list[Remedy] = []
    for row in table.tables("remedy"):
        remedy = _remedy(row)
        if any((other.classes, other.unit) == (remedy.classes, remedy.unit) for other in remedies):
            row.refuse("", "another remedy has this class and this unit: only the first would be started")
        remedies.append(remedy)
    refuse_mistakes(table)
    return tuple(remedies)


def remedy_for(remedies: Iterable[Remedy], unit: str, signature: str) -> Remedy | None:
    """Return the first remedy that is declared for a class of a unit."""
    return next((remedy for remedy in remedies if remedy.is_for(unit, signature)), None)


def _remedy(row: Table) -> Remedy:
    row.refuse_unknown_keys(KEYS)
    return Remedy(
        classes=row.string("class"),
        unit=_unit(row, "unit", _PATTERN),
        start=_unit(row, "start", UNIT_NAME),
        within_s=_seconds(row, "within", WITHIN_S),
        held_s=_seconds(row, "held", HELD_S),
    )


def _unit(row: Table, key: str, allowed: re.Pattern[str]) -> str:
    """Read the name of a service, which may lack its suffix."""
    name = row.string(key)
    name = name if not name or name.endswith((".service", "*")) else f"{name}.service"
    if name and not allowed.fullmatch(name):
        row.refuse(key, "is not the name of a service")
    elif name.endswith("@.service"):
        row.refuse(key, "is a template; name an instance of it" + ("" if key == "start" else ", or all as name@*.service"))
    return name


def _seconds(row: Table, key: str, default: float) -> float:
    text = row.string(key, "")
    seconds = span_seconds(text) if text else default
    if seconds is None or not 1 <= seconds <= LONGEST_S:
        row.refuse(key, "must be a time from 1s to 1d, such as 30min")
        return default
    return seconds
