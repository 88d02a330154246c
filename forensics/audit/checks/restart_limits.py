"""Restart limits: would systemd's start limit stop this loop, and has it ever acted?"""

from __future__ import annotations

from forensics.audit.checks.chain import ACTED, EXISTS, LOADED, WOULD_ACT, Chain, Identity, absent, judged, unseen
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.subject import FailedClass
from forensics.audit.inventory.units import Unit
from forensics.model import controls
from forensics.model.controls import Control, Link
from forensics.unit_file import seconds
from forensics.wording import duration, plural

LONGEST_S = 1e9  # that is shown
DEFAULT_INTERVAL, DEFAULT_BURST = "10s", "5"  # systemd-system.conf(5)
REMEDIES = {
    EXISTS: "Write a limit that this loop reaches: `tabby-forensics generate limits`.",
    LOADED: "Run `systemctl daemon-reload`.",
    WOULD_ACT: "Choose an interval that this loop reaches: `tabby-forensics generate limits`.",
}
WHEN_UNKNOWN = {
    EXISTS: "Give the unit files: --units DIR, or run the audit on the host.",
    WOULD_ACT: "Give a history with an incident of this unit: --since, --journal-dir.",
    ACTED: "Prove it in a quiet hour: `systemctl kill -s KILL UNIT` until the limit refuses a start, then `systemctl reset-failed UNIT`.",
}
IDENTITY = Identity("restart-limits", 3, "Restart limits", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    if found.units is None or found.units.problem:
        return judged(
            IDENTITY, [unseen("no unit files were given" if found.units is None else f"{found.units.where}: {found.units.problem}")]
        )
    if found.unit is None:
        return judged(IDENTITY, [unseen(f"{found.units.where} has no {found.subject.unit}")])
    return judged(IDENTITY, [_chain(found, found.unit)])


def _chain(found: Inventory, unit: Unit) -> Chain:
    if unit.settings.last("Restart") in {"", "no"}:
        return Chain((Link(EXISTS, True, "Restart=no: systemd never restarts it"), _loaded(found, unit), *_unrestarted(found)))
    interval_text, burst_text, source = start_limit(found, unit)
    interval, burst = seconds(interval_text), int(burst_text) if burst_text.isdecimal() else None
    shown = f"StartLimitBurst={burst_text} in StartLimitIntervalSec={interval_text} ({source})"
    if interval is None or burst is None:
        return absent(f"{shown} cannot be read")
    if not interval or not burst:
        return absent(f"{shown} switches the limit off")
    return Chain((Link(EXISTS, True, shown), _loaded(found, unit), _would_act(found, burst, interval), _acted(found)), unit.settings.unit)


def start_limit(found: Inventory, unit: Unit) -> tuple[str, str, str]:
    """Return the interval and the burst in effect, and who sets them."""
    own = unit.settings.last("StartLimitIntervalSec"), unit.settings.last("StartLimitBurst")
    manager = found.units.start_limit if found.units is not None else None
    interval, burst = (one or other for one, other in zip(own, manager or ("", ""), strict=True))
    source = (
        "set for the unit" if any(own) else "the manager's default" if manager and any(manager) else "systemd's default, nothing is set"
    )
    return interval or DEFAULT_INTERVAL, burst or DEFAULT_BURST, source


def limit_in_effect(found: Inventory) -> tuple[int, float] | None:
    """Return burst and interval of the audited unit's start limit; null where there is none, or it is not known."""
    if found.unit is None:
        return None
    interval_text, burst_text, _ = start_limit(found, found.unit)
    interval = seconds(interval_text)
    return (int(burst_text), interval) if burst_text.isdecimal() and interval is not None else None


def _loaded(found: Inventory, unit: Unit) -> Link:
    if found.journal.refused.count and not unit.needs_reload:
        return Link(LOADED, True, "systemd has refused a start")
    if unit.needs_reload is None:
        return Link(LOADED, None, "unit files do not show what systemd has loaded")
    return Link(
        LOADED, not unit.needs_reload, "systemd has loaded the files" if not unit.needs_reload else "changed on disk, and not loaded since"
    )


def _would_act(found: Inventory, burst: int, interval: float) -> Link:
    """Judge at each class's cycle: `burst` starts must lie in one window, so that the next one is refused."""
    cycles = [each for each in found.subject.classes if each.cycle_s is not None and each.restarts]
    if not cycles:
        return Link(WOULD_ACT, None, f"no cycle of {found.subject.unit} is measured in this history")
    missed = [each for each in cycles if not reaches(burst, interval, each)]
    if missed:
        slowest = max(missed, key=lambda each: each.restarts)
        needed = min(burst * (slowest.cycle_s or 0.0), LONGEST_S)
        needs = f"one start every {duration(slowest.cycle_s)}, so {plural(burst, 'start')} take {duration(needed)}"
        return Link(WOULD_ACT, False, f"{slowest.title}: {needs}, longer than {duration(interval)}")
    replayed = next((each for each in found.journal.replayed if each.kind == "limit" and each.id == f"limit:{burst}/{interval:g}"), None)
    return Link(WOULD_ACT, True, f"reached at every class's cycle{_avoided(replayed)}")


def reaches(burst: int, interval: float, failed: FailedClass) -> bool:
    """Whether a class's cycle fits `burst` starts and the one that is refused into the window."""
    return burst * (failed.cycle_s or 0) <= interval


def _avoided(replayed: controls.Replayed | None) -> str:
    if replayed is None or replayed.restarts_avoided is None:
        return ""
    return f"; it would have avoided {plural(replayed.restarts_avoided, 'restart')} of this incident"


def _acted(found: Inventory) -> Link:
    refused = found.journal.refused
    if refused.count:
        return Link(ACTED, True, f"{plural(refused.count, 'start')} refused, {refused.shown}")
    return Link(ACTED, None, "the journal shows no start of the unit that was refused")


def _unrestarted(found: Inventory) -> tuple[Link, ...]:
    if found.subject.restarts:
        return (Link(WOULD_ACT, None, f"{plural(found.subject.restarts, 'restart')} in this history are from before it was set"),)
    return (Link(WOULD_ACT, True, f"{plural(found.subject.failures, 'failure')}, no restart"),)
