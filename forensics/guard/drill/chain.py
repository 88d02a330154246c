"""Find the chain that a drill measures: the `watch` that runs, its state, its sinks and the names it gives to classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forensics.classes.overrides import read_overrides
from forensics.guard.drill.measure import Chain
from forensics.guard.drill.snapshot import NoStateError, State
from forensics.guard.drill.watch_files import configuration, environment_of
from forensics.guard.drill.watchers import running_watchers
from forensics.guard.systemctl import Manager
from forensics.paths import overrides_file
from forensics.wording import plural

NO_WATCH = "No `watch` is running here: there is nothing that could alert. `tabby-forensics generate systemd` writes a unit for it."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user named. config: its watch.toml; state: its state directory; pages: URLs that show what a receiver got."""

    config: Path | None = None
    state: Path | None = None
    pages: tuple[str, ...] = ()


def find_chain(manager: Manager, wanted: Wanted) -> Chain:
    """Find what would alert. Raises NoStateError without a `watch` that can be observed, UsageError for mistakes in its configuration."""
    watchers = running_watchers()
    if not watchers:
        raise NoStateError(NO_WATCH)
    using = [watcher for watcher in watchers if watcher.state_directory == wanted.state]
    watcher = (using or watchers)[0]
    directory = wanted.state or watcher.state_directory
    if directory is None:
        raise NoStateError(
            f"Where `watch` (process {watcher.pid}) keeps its state cannot be seen by this user: run this as root, or give --state."
        )
    notes = []
    if len(watchers) > 1 and not using:
        notes.append(f"{plural(len(watchers), 'process', 'processes')} of watch run here; that of process {watcher.pid} is measured")
    config = configuration(watcher, wanted.config)
    if set(config.sinks) == {"stdout"}:
        notes.append("the only sink is standard output: nobody is alerted")
    overrides = read_overrides(overrides_file(environment_of(watcher)))
    return Chain(manager, State(directory), watcher.pid, config.sinks, overrides, wanted.pages, tuple(notes), bool(watcher.unit))
