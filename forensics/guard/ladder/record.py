"""Keep on disk which profile was chosen when, and what failed and held since."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forensics.files import NotReadableError, read_bounded, write_atomically
from forensics.guard.directories import state_directory
from forensics.guard.ladder.choice import Memory
from forensics.guard.systemctl import Manager

LONGEST_FILE = 1 << 16
_TEXTS, _NUMBERS = ("profile", "held", "wanted", "boot"), ("monotonic", "at")


def record_file(manager: Manager, unit: str) -> Path:
    return state_directory(manager) / "ladder" / f"{unit}.json"


def environment_file(manager: Manager, unit: str) -> Path:
    """Return the file that the unit's EnvironmentFile= names."""
    return manager.runtime_directory / "ladder" / f"{unit}.env"


def read_memory(file: Path) -> Memory:
    """Read what is remembered of a unit; what is missing or damaged counts as nothing."""
    try:
        return _memory(json.loads(read_bounded(file, LONGEST_FILE)))
    except (NotReadableError, ValueError, TypeError, KeyError, RecursionError):
        return Memory()


def write_memory(file: Path, memory: Memory) -> None:
    """Raises OSError."""
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_atomically(file, json.dumps(asdict(memory), indent=1) + "\n", mode=0o644)


def write_environment(file: Path, variables: dict[str, str]) -> None:
    """Write an EnvironmentFile= of systemd. Raises OSError."""
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    write_atomically(file, "".join(f"{name}={quoted(value)}\n" for name, value in variables.items()), mode=0o644)


def quoted(value: str) -> str:
    r"""Quote a value so that systemd reads it as it is: within double quotes it takes \ away before \ " ` and $ (env-file.c)."""
    escaped = "".join(f"\\{character}" if character in '\\"`$' else character for character in value)
    return f'"{escaped}"'


def _memory(stored: Any) -> Memory:
    """Raises ValueError, TypeError or KeyError for anything that was not written by write_memory."""
    failed_with, free = stored["failed_with"], stored["free"]
    sizes = [*failed_with.values(), *([] if free is None else [free])]
    if not all(type(size) is int and size >= 0 for size in sizes) or not all(isinstance(stored[name], str) for name in _TEXTS):
        raise TypeError
    if not all(type(stored[name]) in (int, float) for name in _NUMBERS):
        raise TypeError
    return Memory(**stored)
