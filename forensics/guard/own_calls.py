"""Call this program from a transient unit of the service manager, as it was started now; standard library only."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from forensics.guard.systemctl import Manager

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


def own_call(manager: Manager, name: str, options: Iterable[str], words: Iterable[str], *, waits: bool = True) -> list[str]:
    """Return the call of systemd-run that starts this program with these words in a unit of this name. waits: until it has started."""
    kept = (f"--setenv={variable}={value}" for variable, value in _environment().items())
    start = ["systemd-run", *manager.options, "--collect", *([] if waits else ["--no-block"]), "--quiet", f"--unit={name}"]
    return [*start, *options, *kept, "--", *map(_plain, [*_program(), *words])]


def _program() -> list[str]:
    """Return the command that starts this program as it was started now."""
    script = Path(sys.argv[0])
    if script.is_absolute() and script.is_file() and script.name != "__main__.py":
        return [sys.executable, str(script)]
    return [sys.executable, "-m", "forensics"]


def _environment() -> dict[str, str]:
    """Return the variables that this program may need to start: the drop-in's own, as it clears the unit's."""
    return {name: value for name in KEPT if (value := os.environ.get(name))}


def _plain(word: str) -> str:
    """Keep systemd from replacing variables in an argument."""
    return word.replace("$", "$$")
