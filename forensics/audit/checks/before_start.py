"""Judge a check that runs before each start: it is there, finds this incident's failures, and has stopped a start before."""

from __future__ import annotations

import re

from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Chain, absent
from forensics.audit.checks.commands import areas_covered, before_start
from forensics.audit.checks.unit_files import unseen_unit
from forensics.audit.inventory import Inventory
from forensics.model.controls import Link
from forensics.sanitize import brief
from forensics.wording import plural

LONGEST = 120  # characters of a command in evidence


def check_chain(found: Inventory, wanted: re.Pattern[str], covered: frozenset[str] | None, what: str) -> Chain:
    """Judge the commands of ExecCondition= and ExecStartPre= that match. covered: areas of the catalogue; null: by the command."""
    missing = unseen_unit(found)
    if missing is not None or found.unit is None:
        return missing or absent(what)
    matching = before_start(found.unit, wanted)
    if not matching:
        others = before_start(found.unit, re.compile(""))
        shown = f": {brief(others[0][1], LONGEST)} is not one" if others else ""
        return absent(f"{found.subject.unit} has no ExecCondition= or ExecStartPre= that {what}{shown}")
    setting, line = matching[0]
    exists = Link(EXISTS, True, f"{setting}={brief(line, LONGEST)}")
    return Chain(
        (exists, _would_act(found, [line for _, line in matching], covered), _acted(found, [name for name, _ in matching])),
        found.subject.unit,
    )


def _would_act(found: Inventory, lines: list[str], covered: frozenset[str] | None) -> Link:
    """Judge whether the commands can find the failures of this incident, by the areas of the catalogue."""
    named = [each for each in found.subject.classes if each.area]
    if not named:
        return Link(
            WOULD_ACT,
            None,
            "the failures of this history have no class in the catalogue" if found.subject.classes else "no failure to check",
        )
    areas = areas_covered(lines) if covered is None else covered
    caught = [each for each in named if each.area in areas]
    if not caught:
        return Link(WOULD_ACT, False, f"it finds none of this incident's classes: {', '.join(each.signature for each in named[:4])}")
    return Link(WOULD_ACT, True, f"it checks what {', '.join(each.signature for each in caught[:4])} lacks")


def _acted(found: Inventory, settings: list[str]) -> Link:
    """Judge by starts that the journal shows to have failed there."""
    stopped = [signs for name, signs in found.journal.failed_commands.items() if name in settings and signs.count]
    if "ExecCondition" in settings and found.journal.skipped.count:
        stopped.append(found.journal.skipped)
    if not stopped:
        return Link(ACTED, None, "the journal shows no start that it stopped")
    last = stopped[0]
    return Link(ACTED, True, f"it stopped {plural(sum(signs.count for signs in stopped), 'start')}, {last.shown}")
