"""Where the user's files are: below $XDG_STATE_HOME, $XDG_CONFIG_HOME and $XDG_CACHE_HOME, as in the XDG base directory specification."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def store_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_STATE_HOME/tabby-forensics`: the Parquet data set."""
    state = environment.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "tabby-forensics"


def users_patterns(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CONFIG_HOME/tabby-forensics/patterns`: the user's own catalogue."""
    return _config_folder(environment) / "patterns"


def overrides_file(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CONFIG_HOME/tabby-forensics/classes.toml`: merged, pinned and renamed failure classes."""
    return _config_folder(environment) / "classes.toml"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CACHE_HOME/tabby-forensics`: what can be made again."""
    cache = environment.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "tabby-forensics"


def watch_file(environment: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_CONFIG_HOME/tabby-forensics/watch.toml`: units, sinks and exporter of `watch`."""
    return _config_folder(environment) / "watch.toml"


def config_files(environment: Mapping[str, str] = os.environ) -> tuple[Path, Path]:
    """The defaults of options: those of the host, and those of the user, which count before them."""
    return Path("/etc/tabby-forensics/config.toml"), _config_folder(environment) / "config.toml"


def _config_folder(environment: Mapping[str, str]) -> Path:
    config = environment.get("XDG_CONFIG_HOME")
    return (Path(config) if config else Path.home() / ".config") / "tabby-forensics"
