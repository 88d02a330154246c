"""The parameters of a command that reads history: sources, store, window, units, patterns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forensics.timespec import BootStart

STREAM = Path("-")


@dataclass(frozen=True, slots=True)
class Sources:
    """The journals to read; without any, the host's own."""

    journal_dirs: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()  # journal files, exported streams, or STREAM for standard input

    @property
    def are_the_hosts_own(self) -> bool:
        return not self.journal_dirs and not self.files


@dataclass(frozen=True, slots=True)
class Query:
    """Which history to read. Units are names or shell patterns; without a suffix they mean `.service`."""

    sources: Sources
    store: Path
    now: datetime
    timezone: str = "UTC"
    since: datetime | BootStart | None = None
    until: datetime | BootStart | None = None
    units: tuple[str, ...] = ()
    pattern_folders: tuple[Path, ...] = ()
    declared: datetime | None = None


def unit_pattern(unit: str) -> str:
    """Add `.service` to a name without a unit type, as systemctl does."""
    return unit if "." in unit or unit.endswith("*") else f"{unit}.service"
