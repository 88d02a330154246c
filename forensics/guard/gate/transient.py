"""Arrange that this program is called again: transient timers and path units of the service manager."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

from forensics.guard.own_calls import own_call
from forensics.guard.systemctl import Manager, NoManagerError, called

PROBE, CHANGED, SETTLE = "probe", "changed", "settle"
MOST_PATHS = 64


def unit_name(unit: str, kind: str, number: int) -> str:
    """Name the transient units of an opening of a unit's gate, up to what tells those of one kind apart."""
    readable = re.sub(r"[^A-Za-z0-9_.-]", "-", unit.removesuffix(".service"))[:80]
    digest = hashlib.blake2b(unit.encode(), digest_size=4).hexdigest()
    return f"tabby-gate-{readable}-{digest}-{kind}-{number}-"


def call_later(manager: Manager, unit: str, kind: str, number: int, delay_s: float) -> bool:
    """Call `gate <kind> UNIT N` once, after a delay; False where that cannot be arranged."""
    when = (f"--on-active={max(delay_s, 0.001):.3f}s", "--timer-property=AccuracySec=100ms")
    return _run(manager, unit, kind, number, when)


def call_at_changes(manager: Manager, unit: str, number: int, paths: Iterable[Path]) -> bool:
    """Call `gate changed UNIT N` whenever one of these files changes; False where that cannot be arranged."""
    watched = tuple(f"--path-property=PathChanged={_escaped(path)}" for path in list(paths)[:MOST_PATHS])
    return bool(watched) and _run(manager, unit, CHANGED, number, (*watched, "--property=StartLimitIntervalSec=0"))


def cancel(manager: Manager, unit: str, number: int) -> None:
    """Forget what was arranged for an opening; what is not there is left alone."""
    names = (
        f"{unit_name(unit, PROBE, number)}*.timer",
        f"{unit_name(unit, SETTLE, number)}*.timer",
        f"{unit_name(unit, CHANGED, number)}*.path",
    )
    try:
        manager.run("stop", "--no-block", *names)
    except NoManagerError:
        return


def _run(manager: Manager, unit: str, kind: str, number: int, when: Iterable[str]) -> bool:
    name = f"{unit_name(unit, kind, number)}{os.getpid()}"
    options = (f"--description=Gate of {unit}: {kind} {number}", *when)
    command = own_call(manager, name, options, ("gate", kind, *manager.options, unit, str(number)))
    try:
        return called(command, 5.0).returncode == 0
    except NoManagerError:
        return False


def _escaped(path: Path) -> str:
    """Write a path as a value of a unit: `%` begins a specifier there."""
    return str(path).replace("%", "%%")
