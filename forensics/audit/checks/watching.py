"""Judge `watch` of this program as a control: it runs, has a sink that reaches a person, and has alerted."""

from __future__ import annotations

from fnmatch import fnmatchcase

from forensics.audit.checks.chain import ACTIVE, DELIVERED, EXISTS, FIRES, ROUTED, SELECTS, Chain, absent, unseen
from forensics.audit.checks.shown import delivered_by_journal, fires_in_replay
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.units import Unit, watchers
from forensics.model.controls import Link
from forensics.query import unit_pattern

NO_SETTINGS = "its watch.toml was not found"
QUIET_SINKS = frozenset({"stdout", "loki"})  # they store an alert and reach nobody
REMEDIES = {
    SELECTS: "Widen `units` in watch.toml so that it covers the unit.",
    ACTIVE: "Start it: `systemctl enable --now tabby-forensics.service`.",
    ROUTED: "Add a sink that reaches a person to watch.toml, and prove it with `tabby-forensics watch --test-alert`.",
    DELIVERED: "Prove it with `tabby-forensics watch --test-alert`.",
}


def watch_chain(found: Inventory, alert: str | None) -> Chain:
    """Judge the unit that runs `watch`. alert: the one that must fire in the incident's replay; null: any."""
    if found.units is None or found.units.problem:
        return unseen("no unit files were given" if found.units is None else f"{found.units.where}: {found.units.problem}")
    running = watchers(found.units)
    if not running:
        return absent("no unit runs `tabby-forensics watch`")
    unit = running[0]
    links = (
        Link(EXISTS, True, unit.settings.unit),
        _active(unit),
        _selects(found),
        _routed(found),
        _fires(found, alert),
        delivered_by_journal(found, "no alert about the unit is in the journal"),
    )
    return Chain(links, unit.settings.unit)


def _active(unit: Unit) -> Link:
    if not unit.state:
        return Link(ACTIVE, None, "unit files do not show whether it runs")
    return Link(ACTIVE, unit.state == "active", f"{unit.settings.unit} is {unit.state}")


def _selects(found: Inventory) -> Link:
    settings = found.units.watch if found.units is not None else None
    if settings is None:
        return Link(SELECTS, None, NO_SETTINGS)
    holds = any(fnmatchcase(found.subject.unit, unit_pattern(pattern)) for pattern in settings.units)
    return Link(SELECTS, holds, f"units: {', '.join(settings.units)}")


def _routed(found: Inventory) -> Link:
    settings = found.units.watch if found.units is not None else None
    if settings is None:
        return Link(ROUTED, None, NO_SETTINGS)
    return Link(ROUTED, not QUIET_SINKS.issuperset(settings.sinks), f"sinks: {', '.join(settings.sinks)}")


def _fires(found: Inventory, alert: str | None) -> Link:
    if found.subject.incident is None:
        return Link(FIRES, None, f"{found.subject.unit} has no incident to replay it on")
    replayed = [each for each in found.journal.replayed if each.kind == "watch" and (alert is None or alert in each.id)]
    return fires_in_replay(replayed, " fires")
