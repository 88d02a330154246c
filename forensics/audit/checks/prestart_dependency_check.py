"""Check of what a start needs: does anything look for libraries, devices and ports before the service starts?"""

from __future__ import annotations

from forensics.audit.checks.before_start import check_chain
from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Identity, judged
from forensics.audit.checks.commands import DEPENDENCIES
from forensics.audit.checks.unit_files import GIVE_UNITS
from forensics.audit.inventory import Inventory
from forensics.model.controls import Control

REMEDIES = {
    EXISTS: "Check before the start what this incident's classes lack: ExecStartPre= with `ldd`, an import, `nvidia-smi` or `ss`.",
    WOULD_ACT: "Let the command check what this incident's classes lack; the runbook of `generate runbook` names it.",
}
WHEN_UNKNOWN = {
    EXISTS: GIVE_UNITS,
    WOULD_ACT: "Give a history with a known failure of this unit: --since, --journal-dir, --patterns.",
    ACTED: "Prove it: take away what it looks for in a quiet hour, and start the unit.",
}
IDENTITY = Identity("prestart-dependency-check", 1, "Check of what a start needs", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, [check_chain(found, DEPENDENCIES, None, "looks for what the service needs")])
