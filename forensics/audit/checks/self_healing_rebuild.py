"""Rebuild of the environment: does a unit rebuild what a system switch broke, once for each switch?"""

from __future__ import annotations

from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Chain, Identity, absent, judged
from forensics.audit.checks.commands import REBUILDS, about_unit
from forensics.audit.checks.unit_files import GIVE_UNITS, unseen_units
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.units import Unit
from forensics.model.controls import Control, Link
from forensics.sanitize import brief
from forensics.wording import plural

OWN = ("ExecStartPre",)
REMEDIES = {
    EXISTS: "Write a oneshot unit that rebuilds the service's environment; OnFailure= or a path unit on /run/current-system starts it.",
    WOULD_ACT: "Let something start it: OnFailure= of the service, or a path unit on what changes; not each start of the service.",
}
WHEN_UNKNOWN = {EXISTS: GIVE_UNITS, ACTED: "Prove it: start it by hand and start the service after it."}
IDENTITY = Identity("self-healing-rebuild", 4, "Rebuild of the environment", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    missing = unseen_units(found)
    rebuilding = [] if missing else list(about_unit(found, OWN, REBUILDS))
    if missing is not None or not rebuilding:
        return judged(IDENTITY, [missing or absent(f"no unit rebuilds the environment of {found.subject.unit}")])
    return judged(IDENTITY, [_chain(found, unit, line) for unit, line in rebuilding])


def _chain(found: Inventory, unit: str, line: str) -> Chain:
    return Chain((Link(EXISTS, True, f"{unit}: {brief(line, 120)}"), _would_act(found, unit), _acted(found, unit)), unit)


def _would_act(found: Inventory, unit: str) -> Link:
    """Judge whether something starts it that happens once for each change."""
    if unit == found.subject.unit:
        return Link(WOULD_ACT, False, "it runs at each start of the service: in a restart loop it rebuilds each time")
    units = found.units.units.values() if found.units is not None else ()
    if found.unit is not None and unit in " ".join(found.unit.settings.every("OnFailure")).split():
        return Link(WOULD_ACT, True, f"OnFailure= of {found.subject.unit} starts it")
    starting = next((each for each in units if each.settings.unit.endswith(".path") and started_by(each) == unit), None)
    if starting is not None:
        return Link(
            WOULD_ACT,
            True,
            f"{starting.settings.unit} starts it when {' '.join(starting.settings.every('PathChanged')) or 'a path'} changes",
        )
    return Link(WOULD_ACT, False, "nothing starts it: no OnFailure= and no path unit")


def started_by(unit: Unit) -> str:
    """Return the unit that a path or timer unit starts."""
    return unit.settings.last("Unit") or unit.settings.unit.rpartition(".")[0] + ".service"


def _acted(found: Inventory, unit: str) -> Link:
    started = found.journal.started.get(unit)
    if started is not None and started.count:
        return Link(ACTED, True, f"started {plural(started.count, 'time')}, {started.shown}")
    return Link(ACTED, None, f"the journal does not show that {unit} was started")
