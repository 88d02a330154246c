"""Name the directories of a service manager that outlive a boot: what was done about its units, and what its user declared."""

from __future__ import annotations

import os
from pathlib import Path

from forensics.guard.systemctl import Manager


def state_directory(manager: Manager) -> Path:
    """/var/lib/tabby-forensics, or a user's $XDG_STATE_HOME/tabby-forensics."""
    return _below(manager, "/var/lib", "XDG_STATE_HOME", ".local/state")


def configuration_directory(manager: Manager) -> Path:
    """/etc/tabby-forensics, or a user's $XDG_CONFIG_HOME/tabby-forensics."""
    return _below(manager, "/etc", "XDG_CONFIG_HOME", ".config")


def _below(manager: Manager, systems: str, variable: str, users: str) -> Path:
    if not manager.is_users:
        return Path(systems) / "tabby-forensics"
    return Path(os.environ.get(variable) or Path.home() / users) / "tabby-forensics"
