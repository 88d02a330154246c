"""Patterns of errors: does anything alert on what the logs of the unit say?"""

from __future__ import annotations

from forensics.audit.checks import watching
from forensics.audit.checks.chain import EXISTS, FIRES, Identity, judged
from forensics.audit.inventory import Inventory
from forensics.model.controls import Control

REMEDIES = {
    **watching.REMEDIES,
    EXISTS: "Run `watch` with a sink that reaches a person: `tabby-forensics generate systemd`.",
    FIRES: "Widen `units` in watch.toml so that it covers the unit.",
}
WHEN_UNKNOWN = {EXISTS: "Give the unit files: --units DIR, or run the audit on the host."}
IDENTITY = Identity("error-patterns", 2, "Patterns of errors in logs", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, [watching.watch_chain(found, None)])
