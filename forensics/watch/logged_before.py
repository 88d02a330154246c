"""What attempts of each unit logged before, in the form in which `watch` keeps it across restarts, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from forensics.model.values import UnitKey
from forensics.signatures.contrast import DIGEST, MOST_PROBLEMS, MOST_REMEMBERED, PAST

BEFORE_ALL = -1  # as attempts are numbered that later ones are compared with


@dataclass(frozen=True, slots=True)
class LoggedBefore:
    """Digests of problems that a unit logged in good times, and of those of its last attempt that failed."""

    held: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def by_unit(past: pl.DataFrame) -> dict[UnitKey, LoggedBefore]:
    """Write PAST, unit by unit."""
    found: dict[UnitKey, LoggedBefore] = {}
    for machine, manager, unit, key, held in past.select("machine", "manager", "unit", "key", "held").iter_rows():
        of_unit = found.setdefault(UnitKey(machine, manager, unit), LoggedBefore())
        (of_unit.held if held else of_unit.failed).append(key)
    return found


def past_of(units: Mapping[UnitKey, LoggedBefore]) -> pl.DataFrame:
    """Read PAST back, no more than is compared with."""
    rows = [
        (*unit, BEFORE_ALL, key, held)
        for unit, logged in units.items()
        for keys, held in ((logged.held, True), (logged.failed, False))
        for key in keys[-MOST_PROBLEMS:]
        if len(key) == 2 * DIGEST
    ]
    return pl.DataFrame(rows[-MOST_REMEMBERED:], schema=PAST, orient="row")
