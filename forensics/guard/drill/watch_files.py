"""Read the configuration of a running `watch` as that process has read it; without polars, which may be what is broken."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from forensics.errors import UsageError
from forensics.guard.drill.watchers import Watcher
from forensics.watch.config import WatchConfig, read_config


def configuration(watcher: Watcher, file: Path | None) -> WatchConfig:
    """Read the configuration as `watch` read it: with its environment, which holds secrets. Raises UsageError."""
    try:
        return read_config(file or watcher.config_file, environment_of(watcher))
    except UsageError as error:
        raise UsageError(f"The configuration of `watch` (process {watcher.pid}): {error}") from None


def environment_of(watcher: Watcher) -> Mapping[str, str]:
    """Return the environment of a `watch`; that of this process where it cannot be read."""
    return os.environ if watcher.environment is None else watcher.environment
