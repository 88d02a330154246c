"""Define the host that is examined, and what a check finds."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forensics.errors import UsageError
from forensics.guard.drill.watch_files import configuration
from forensics.guard.drill.watchers import Watcher
from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.journal.directory import files_below
from forensics.watch.config import WatchConfig

OK, PROBLEM, UNKNOWN = "ok", "problem", "unknown"
JOURNALS = ("var/log/journal", "run/log/journal")  # kept, and gone after the next boot
MOST_LINES = 5000  # of a question to the journal
ASKED_S = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, what that means, and what to do; the last two are empty where all is well."""

    status: str
    found: str
    means: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A check's name and its finding."""

    name: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Host:
    """root: "/", or a directory with a copy of a host's files. config: its watch.toml; store: of history; prometheus: a URL.

    watchers: the processes of `watch` that run. now: seconds since 1970. sends_test: whether a test alert may be sent.
    """

    now: float
    root: Path = Path("/")
    manager: Manager = field(default_factory=Manager)
    watchers: tuple[Watcher, ...] = ()
    config: Path | None = None
    store: Path | None = None
    prometheus: str = ""
    token: str = ""
    sends_test: bool = False

    @property
    def is_here(self) -> bool:
        """Whether it is the machine that this program runs on, so that its processes and servers can be asked."""
        return self.root == Path("/")

    @property
    def watcher(self) -> Watcher | None:
        return self.watchers[0] if self.watchers else None

    @property
    def state_directory(self) -> Path | None:
        return self.watcher.state_directory if self.watcher is not None else None

    def at(self, path: str) -> Path:
        """Return where a file of the host is."""
        return self.root / path

    @property
    def may_read_journal(self) -> bool:
        """Whether this user may read the journal of the system's services."""
        files = [file for folder in JOURNALS for file in self.journal_files(folder)]
        return any(os.access(file, os.R_OK) for file in files if file.name.startswith("system"))

    def journal_files(self, folder: str) -> list[Path]:
        return files_below(self.root / folder)


def watch_config(host: Host) -> WatchConfig | str | None:
    """Read the configuration of the `watch` that runs; its mistakes as text; null where none is known."""
    watcher = host.watcher or (Watcher(0, {}, None) if host.config is not None else None)
    if watcher is None:
        return None
    try:
        return configuration(watcher, host.config)
    except UsageError as error:
        return str(error)


def listen_address(host: Host) -> str:
    """Return HOST:PORT of the exporter, "" where there is none."""
    given = host.watcher.option("--listen") if host.watcher is not None else ""
    config = watch_config(host)
    return given or (config.listen or "" if isinstance(config, WatchConfig) else "")


def shown(host: Host, unit: str, *names: str) -> Mapping[str, str] | None:
    """Return properties of a unit, or of the manager for ""; null where systemd cannot be asked."""
    if not host.is_here:
        return None
    try:
        return host.manager.show(unit, *names)
    except NoManagerError:
        return None


def journal_entries(host: Host, message_id: str, since: float) -> list[Mapping[str, Any]] | None:
    """Return the newest entries with a MESSAGE_ID; null where the journal cannot be asked."""
    directories = [str(host.root / folder) for folder in JOURNALS if host.journal_files(folder)]
    if not host.may_read_journal:
        return None
    where = [] if host.is_here else [f"--directory={directories[0]}"]
    options = ["--quiet", "--no-pager", "--output=json", f"--since=@{int(since)}", f"--lines={MOST_LINES}"]
    try:
        done = called(["journalctl", *where, *options, f"MESSAGE_ID={message_id}"], ASKED_S)
    except NoManagerError:
        return None
    return [entry for line in done.stdout.splitlines() if isinstance(entry := _object(line), dict)]


def bytes_of(text: str) -> float | None:
    """Read a size as systemd writes it, such as 4G; null for anything else."""
    number = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGTPE]?)B?\s*", text)
    return None if number is None else float(number[1]) * 1024.0 ** " KMGTPE".index(number[2] or " ")


def _object(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None
