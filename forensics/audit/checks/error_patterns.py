"""Patterns of errors: does anything alert on what the logs of the unit say?"""

from __future__ import annotations

from forensics.audit.checks import watching
from forensics.audit.checks.chain import ACTIVE, EXISTS, FIRES, ROUTED, SELECTS, Identity, judged
from forensics.audit.inventory import Inventory
from forensics.model.controls import Control

REMEDIES = {
    **watching.REMEDIES,
    EXISTS: "Run `watch` with a sink that reaches a person: `tabby-forensics generate systemd`.",
    FIRES: "Write a rule for it: `tabby-forensics generate rules`.",
}
GIVE_UNITS = "Give the unit files with watch.toml: --units DIR, or run the audit on the host."
WHEN_UNKNOWN = {EXISTS: GIVE_UNITS, ACTIVE: GIVE_UNITS, SELECTS: GIVE_UNITS, ROUTED: GIVE_UNITS}
IDENTITY = Identity("error-patterns", 2, "Patterns of errors in logs", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, [watching.watch_chain(found, None)])
