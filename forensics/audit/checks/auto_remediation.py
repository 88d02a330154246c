"""Automatic remedy: is a unit started when the service fails, and does that happen within the loop?"""

from __future__ import annotations

from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Chain, Identity, absent, judged
from forensics.audit.checks.restart_limits import reaches, start_limit
from forensics.audit.checks.unit_files import GIVE_UNITS, unseen_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.units import Unit
from forensics.model.controls import Control, Link
from forensics.unit_file import seconds
from forensics.wording import plural

HANDLER = "its unit exists"
EACH_FAILURE_SINCE = 254  # RestartMode= came with it: OnFailure= is triggered at each failure, before only when restarts stop
REMEDIES = {
    EXISTS: "Let OnFailure= start a unit that repairs what a restart cannot, or that calls a person.",
    HANDLER: "Write the unit that OnFailure= names.",
    WOULD_ACT: "Let restarts stop: `tabby-forensics generate limits` writes a limit that this loop reaches.",
}
WHEN_UNKNOWN = {
    EXISTS: GIVE_UNITS,
    HANDLER: GIVE_UNITS,
    WOULD_ACT: GIVE_UNITS,
    ACTED: "Prove it: `systemctl kill -s KILL UNIT` in a quiet hour.",
}
IDENTITY = Identity("auto-remediation", 3, "Automatic remedy", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    missing = unseen_unit(found)
    if missing is not None or found.unit is None:
        return judged(IDENTITY, [missing or absent("")])
    handlers = [expanded(name, found.subject.unit) for value in found.unit.settings.every("OnFailure") for name in value.split()]
    if not handlers:
        return judged(IDENTITY, [absent(f"{found.subject.unit} has no OnFailure=")])
    links = (
        Link(EXISTS, True, f"OnFailure={' '.join(handlers)}"),
        _handler(found, handlers[0]),
        _would_act(found, found.unit),
        _acted(found),
    )
    return judged(IDENTITY, [Chain(links, found.subject.unit)])


def expanded(name: str, unit: str) -> str:
    """Put in the parts of the unit's name that systemd.unit(5) calls specifiers."""
    stem = unit.rpartition(".")[0]
    prefix, _, instance = stem.partition("@")
    for specifier, value in (("%n", unit), ("%N", stem), ("%p", prefix), ("%i", instance), ("%I", instance)):
        name = name.replace(specifier, value)
    return name


def _handler(found: Inventory, name: str) -> Link:
    """Judge whether the unit that is started exists, an instance by its template."""
    units = found.units.units if found.units is not None else {}
    stem, _, kind = name.rpartition(".")
    template = f"{stem.partition('@')[0]}@.{kind}"
    if name in units or ("@" in name and (template in units or any(each.startswith(template.split("@", 1)[0] + "@") for each in units))):
        return Link(HANDLER, True, name)
    return Link(HANDLER, None if found.units is not None and found.units.is_running else False, f"there is no {name}")


def _would_act(found: Inventory, unit: Unit) -> Link:
    if unit.settings.last("Restart") in {"", "no"}:
        return Link(WOULD_ACT, True, "Restart=no: each failure triggers it")
    if found.systemd is None:
        return Link(WOULD_ACT, None, "it depends on systemd's version, which is not known")
    if found.systemd >= EACH_FAILURE_SINCE and unit.settings.last("RestartMode") != "direct":
        return Link(WOULD_ACT, True, f"systemd {found.systemd} triggers it at each failure")
    interval, burst, _ = start_limit(found, unit)
    window = seconds(interval) or 0.0
    looping = [each for each in found.subject.classes if each.cycle_s is not None and each.restarts]
    stopped = bool(looping) and burst.isdecimal() and all(reaches(int(burst), window, each) for each in looping)
    version = f"systemd {found.systemd}: it is triggered only when restarts stop"
    return Link(WOULD_ACT, stopped, f"{version}, {'which the start limit does' if stopped else 'and nothing stops this loop'}")


def _acted(found: Inventory) -> Link:
    triggered = found.journal.on_failure
    if triggered.count:
        return Link(ACTED, True, f"triggered {plural(triggered.count, 'time')}, {triggered.shown}")
    return Link(ACTED, None, "the journal does not show that it was triggered")
