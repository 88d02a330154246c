"""Arrange that this program is called again: transient timers and path units of the service manager."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from forensics.guard.systemctl import Manager, NoManagerError, called

PROBE, CHANGED, SETTLE = "probe", "changed", "settle"
MOST_PATHS = 64
KEPT = (
    "HOME",
    "LANG",
    "LD_LIBRARY_PATH",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPATH",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)


def program() -> list[str]:
    """Return the command that starts this program as it was started now."""
    script = Path(sys.argv[0])
    if script.is_absolute() and script.is_file() and script.name != "__main__.py":
        return [sys.executable, str(script)]
    return [sys.executable, "-m", "forensics"]


def environment() -> dict[str, str]:
    """Return the variables that this program may need to start: the drop-in's own, as it clears the unit's."""
    return {name: value for name in KEPT if (value := os.environ.get(name))}


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
    user = ("--user",) if manager.is_users else ()
    command = [
        "systemd-run", *user, "--quiet", "--collect", f"--unit={unit_name(unit, kind, number)}{os.getpid()}",
        f"--description=Gate of {unit}: {kind} {number}", *when, *(f"--setenv={name}={value}" for name, value in environment().items()),
        "--", *program(), "gate", kind, *user, unit, str(number),
    ]  # fmt: skip
    try:
        return called(command, 5.0).returncode == 0
    except NoManagerError:
        return False


def _escaped(path: Path) -> str:
    """Write a path as a value of a unit: `%` begins a specifier there."""
    return str(path).replace("%", "%%")
