"""Audit which controls of a unit are effective: prevent, detect, limit, recover."""

from forensics.audit.checks import CHECKS
from forensics.audit.inventory import Inventory
from forensics.model.controls import Control

__all__ = ["Inventory", "audit"]


def audit(inventory: Inventory) -> tuple[Control, ...]:
    """Judge all controls, in the order of their layers."""
    return tuple(check(inventory) for check in CHECKS.values())
