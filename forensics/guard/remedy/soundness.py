"""Find out why a declared remedy must not be started: its unit is missing, masked, not a oneshot, or starts the failing unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from forensics.guard.remedy.declared import Remedy
from forensics.guard.systemctl import Manager, NoManagerError

STARTS = ("Requires", "Requisite", "BindsTo", "Wants", "Upholds", "OnSuccess", "OnFailure")  # what a start of a unit may start
MOST_UNITS = 300  # followed from one remedy
_PROPERTIES = ("LoadState", "Type", "RemainAfterExit", "Restart")
_EARLY = (".target", ".slice", ".mount", ".socket", ".device", ".swap", ".automount", ".path", ".timer")  # started at boot, not by a remedy


def problems(manager: Manager, remedy: Remedy, unit: str = "") -> Iterator[str]:
    """Yield what is wrong with a remedy, for one unit where it is named. Raises NoManagerError."""
    found = manager.show(remedy.start, *_PROPERTIES)
    if found["LoadState"] != "loaded":
        yield _not_loaded(remedy.start, found["LoadState"])
        return
    yield from _of_start(remedy.start, found)
    yield from _of_unit(manager, remedy, unit)


def _not_loaded(unit: str, state: str) -> str:
    return f"{unit} {'is masked' if state == 'masked' else 'does not exist' if state == 'not-found' else f'is not loaded ({state})'}"


def _of_start(start: str, found: Mapping[str, str]) -> Iterator[str]:
    if found["Type"] != "oneshot":
        yield f"{start} has Type={found['Type']}: only a oneshot says when it has ended, and how"
    if found["RemainAfterExit"] == "yes":
        yield f"{start} has RemainAfterExit=yes: once it has run, starting it does nothing"
    if found["Restart"] not in ("no", ""):
        yield f"{start} has Restart={found['Restart']}: systemd itself would run it more than once"


def _of_unit(manager: Manager, remedy: Remedy, unit: str) -> Iterator[str]:
    pattern = unit or remedy.unit
    if fnmatchcase(remedy.start, pattern):
        yield f"{remedy.start} is itself a unit that it is declared for"
        return
    reached = next((name for name in started_with(manager, remedy.start) if fnmatchcase(name, pattern)), None)
    if reached is not None:
        yield f"{remedy.start} starts {reached}, which it is to cure (systemctl show -p {','.join(STARTS)} {remedy.start})"
    if not unit and not any(mark in remedy.unit for mark in "*?["):
        state = manager.show(remedy.unit, "LoadState")["LoadState"]
        if state != "loaded":
            yield _not_loaded(remedy.unit, state)


def started_with(manager: Manager, start: str) -> Iterator[str]:
    """Yield the services that a start of this one starts too, directly or by others. Raises NoManagerError."""
    known, level = {start}, [start]
    while level and len(known) < MOST_UNITS:
        found = sorted({name for name in _next(manager, level) if name not in known})
        yield from found
        known.update(found)
        level = found


def _next(manager: Manager, units: Sequence[str]) -> Iterator[str]:
    done = manager.run("show", f"--property={','.join(STARTS)}", "--", *units)
    if done.returncode != 0:
        raise NoManagerError("systemd does not answer.")
    for line in done.stdout.splitlines():
        yield from (name for name in line.partition("=")[2].split() if not name.endswith(_EARLY))
