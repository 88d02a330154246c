"""Check of the configuration: is it validated before the service starts with it?"""

from __future__ import annotations

from forensics.audit.checks.before_start import check_chain
from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Identity, judged
from forensics.audit.checks.commands import CONFIGURATION, OF_CONFIGURATION
from forensics.audit.checks.unit_files import GIVE_UNITS
from forensics.audit.inventory import Inventory
from forensics.model.controls import Control

REMEDIES = {
    EXISTS: "Validate the configuration before the start: ExecStartPre= with the program's own check of it.",
    WOULD_ACT: "This incident has no failure of its configuration; keep the check for those that have.",
}
WHEN_UNKNOWN = {
    EXISTS: GIVE_UNITS,
    WOULD_ACT: "Give a history with a known failure of this unit: --since, --journal-dir, --patterns.",
    ACTED: "Prove it: start the unit with a configuration that has a mistake, in a quiet hour.",
}
IDENTITY = Identity("config-validation", 1, "Check of the configuration", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, [check_chain(found, CONFIGURATION, OF_CONFIGURATION, "validates the configuration")])
