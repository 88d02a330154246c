"""Read the profiles of a unit, the largest first: how much GPU memory each needs, and the variables by which the service takes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from forensics.guard.directories import configuration_directory
from forensics.guard.systemctl import Manager
from forensics.policy.limits import HELD_S
from forensics.timespec import span_seconds
from forensics.toml_file import Table, read_toml, refuse_mistakes

KEYS = ("gpus", "held", "wait", "profile")
PROFILE_KEYS = ("name", "gib", "environment")
WAIT_S, LONGEST_WAIT_S, LONGEST_HELD_S = 20.0, 60.0, 86_400.0
LARGEST_GIB = 100_000.0
LONGEST_VALUE = 4096
GIB = 1 << 30
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAME = re.compile(r"[\w.:+@/ -]{1,100}")


@dataclass(frozen=True, slots=True)
class Profile:
    """One rung. needs: bytes over all GPUs together, or, where there are several, of each GPU in order."""

    name: str
    needs: tuple[int, ...]
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.needs)


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs of a unit. gpus: by index, empty for all that are visible; held_s: after how long a profile has held."""

    profiles: tuple[Profile, ...]
    gpus: tuple[int, ...] = ()
    held_s: float = HELD_S
    wait_s: float = WAIT_S

    def rung(self, name: str) -> int | None:
        """Return the place of a profile; None for one that is not there any more."""
        return next((place for place, profile in enumerate(self.profiles) if profile.name == name), None)


def ladder_file(manager: Manager, unit: str) -> Path:
    """Return where the profiles of a unit are declared."""
    return configuration_directory(manager) / "ladder" / f"{unit}.toml"


def read_ladder(file: Path) -> Ladder:
    """Read a ladder. Raises UsageError with every mistake."""
    return ladder_of(read_toml(file))


def ladder_of(table: Table) -> Ladder:
    """Make a ladder of a file's top-level table. Raises UsageError with every mistake."""
    table.refuse_unknown_keys(KEYS)
    gpus = _gpus(table)
    profiles = tuple(_profile(row, gpus) for row in table.tables("profile"))
    if not profiles:
        table.refuse("profile", "there must be at least one [[profile]]")
    _refuse_disorder(table, profiles)
    ladder = Ladder(profiles, gpus, _seconds(table, "held", HELD_S, LONGEST_HELD_S), _seconds(table, "wait", WAIT_S, LONGEST_WAIT_S))
    refuse_mistakes(table)
    return ladder


def _gpus(table: Table) -> tuple[int, ...]:
    value = table.values.get("gpus", [])
    if not isinstance(value, list) or not all(type(one) is int and 0 <= one < 1024 for one in value) or len({*value}) != len(value):
        table.refuse("gpus", "must be a list of the numbers of GPUs, each once, such as [0, 1]")
        return ()
    return tuple(value)


def _profile(row: Table, gpus: Sequence[int]) -> Profile:
    row.refuse_unknown_keys(PROFILE_KEYS)
    name = row.string("name")
    if name and not _NAME.fullmatch(name):
        row.refuse("name", "must be at most 100 letters, digits, spaces or any of . : + @ / _ -")
    return Profile(name, _needs(row, gpus), _environment(row))


def _needs(row: Table, gpus: Sequence[int]) -> tuple[int, ...]:
    value = row.values.get("gib")
    numbers: list[Any] = value if isinstance(value, list) else [value]
    if not numbers or not all(type(one) in (int, float) and 0 < one <= LARGEST_GIB for one in numbers):
        row.refuse("gib", "must be the GiB that it needs on all GPUs together, such as 40.5, or a list with a number for each GPU")
        return ()
    if isinstance(value, list) and gpus and len(value) != len(gpus):
        row.refuse("gib", f"must have a number for each of the {len(gpus)} GPUs")
    return tuple(round(one * GIB) for one in numbers)


def _environment(row: Table) -> dict[str, str]:
    table = row.table("environment")
    for name, value in table.values.items():
        if not _VARIABLE.fullmatch(name):
            table.refuse(name, "is not the name of a variable")
        if not isinstance(value, str) or not value.isprintable() or len(value) > LONGEST_VALUE:
            table.refuse(name, f"must be a string of at most {LONGEST_VALUE:,} visible characters")
    return {name: str(value) for name, value in table.values.items()}


def _refuse_disorder(table: Table, profiles: Sequence[Profile]) -> None:
    names = [profile.name for profile in profiles]
    for place, (larger, smaller) in enumerate(pairwise(profiles), start=1):
        if smaller.name and smaller.name in names[:place]:
            table.refuse(f"profile[{place}].name", "another profile has this name")
        if larger.needs and smaller.total > larger.total:
            table.refuse(f"profile[{place}].gib", "needs more than the profile before it: the largest must come first")
        if smaller.environment.keys() != larger.environment.keys():
            table.refuse(f"profile[{place}].environment", "must set the same variables as the profile before it, or one keeps the other's")


def _seconds(table: Table, key: str, default: float, longest: float) -> float:
    text = table.string(key, "")
    seconds = span_seconds(text) if text else default
    if seconds is None or not 0 <= seconds <= longest:
        table.refuse(key, f"must be a time of at most {longest:.0f} s, such as 10s")
        return default
    return seconds
