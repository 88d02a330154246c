"""What one run is asked to do, resolved from the command line and the environment: folders, sources, window, filters."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forensics.timespec import BootStart

STREAM = Path("-")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where entries come from: the host's own journal when nothing is named."""

    journal_dirs: tuple[Path, ...] = ()
    files: tuple[Path, ...] = ()  # journal files, exported streams, or STREAM for standard input

    @property
    def are_the_hosts_own(self) -> bool:
        return not self.journal_dirs and not self.files


@dataclass(frozen=True, slots=True)
class Settings:
    """One report's question. Units are names or shell patterns; without a suffix they mean `.service`."""

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
    """As systemctl: a name without a unit type means a service."""
    return unit if "." in unit or unit.endswith("*") else f"{unit}.service"


def store_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_STATE_HOME/tabby-forensics`, as the XDG base directory specification has it."""
    state = environment.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "tabby-forensics"


def users_patterns(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CONFIG_HOME/tabby-forensics/patterns`: the user's own catalogue."""
    return _config_folder(environment) / "patterns"


def decisions_file(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CONFIG_HOME/tabby-forensics/classes.toml`: what the user decided about failure classes."""
    return _config_folder(environment) / "classes.toml"


def watch_file(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CONFIG_HOME/tabby-forensics/watch.toml`: where alerts go."""
    return _config_folder(environment) / "watch.toml"


def _config_folder(environment: Mapping[str, str]) -> Path:
    config = environment.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "tabby-forensics"
