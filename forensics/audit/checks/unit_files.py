"""Answer for checks that need unit files: what is missing where they were not given."""

from __future__ import annotations

from forensics.audit.checks.chain import Chain, unseen
from forensics.audit.inventory import Inventory

GIVE_UNITS = "Give the unit files: --units DIR, or run the audit on the host."


def unseen_units(found: Inventory) -> Chain | None:
    """Return the chain of a control that cannot be looked for without unit files; null where they are there."""
    if found.units is None:
        return unseen("no unit files were given")
    if found.units.problem:
        return unseen(f"{found.units.where}: {found.units.problem}")
    return None


def unseen_unit(found: Inventory) -> Chain | None:
    """Return the chain where the audited unit's own file is not there; null where it is."""
    missing = unseen_units(found)
    if missing is not None or found.unit is not None:
        return missing
    return unseen(f"{found.units.where if found.units else ''} has no {found.subject.unit}")
