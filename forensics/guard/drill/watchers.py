"""Find the processes of `watch` on this host, and which configuration, state and address each of them uses."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from forensics.guard.systemctl import Manager, NoManagerError

PROC = Path("/proc")
NAME, COMMAND = "forensics", "watch"  # an argument with this name, and the one after it
CONFIG, STORE = "watch.toml", "tabby-forensics"
_LONGEST = 1 << 20  # bytes of a command line or an environment


@dataclass(frozen=True, slots=True)
class Watcher:
    """A running `watch`. environment: null where this user may not read it.

    unit: the service that it is part of, "" for none; is_users: it is one of a user's own manager.
    """

    pid: int
    options: Mapping[str, tuple[str, ...]]
    environment: Mapping[str, str] | None
    unit: str = ""
    is_users: bool = False
    uid: int = 0
    directory: Path = Path("/")  # that relative paths start from

    def option(self, name: str) -> str:
        """Return the value of an option, "" where it was not given."""
        return self.options.get(name, ("",))[-1]

    @property
    def config_file(self) -> Path | None:
        """The configuration that it reads; null where it has none."""
        if given := self.option("--config"):
            return self.directory / given
        folder = self._folder("XDG_CONFIG_HOME", ".config")
        file = folder / STORE / CONFIG if folder is not None else None
        return file if file is not None and _exists(file) else None

    @property
    def state_directory(self) -> Path | None:
        """The directory of its state; null where its environment cannot be read."""
        if given := self.option("--state"):
            return self.directory / given
        if given := self.option("--store"):
            return self.directory / given / "watch"
        folder = self._folder("XDG_STATE_HOME", ".local/state")
        return folder / STORE / "watch" if folder is not None else None

    def _folder(self, variable: str, below_home: str) -> Path | None:
        if self.environment is None:
            return None
        if given := self.environment.get(variable):
            return Path(given)
        home = self.environment.get("HOME")
        return Path(home) / below_home if home else None


def running_watchers(proc: Path = PROC) -> tuple[Watcher, ...]:
    """Return the processes of `watch`, those of a service first; those in containers are of other hosts."""
    own = _namespace(proc / "self")
    pids = [pid for pid in sorted(_pids(proc)) if _namespace(proc / str(pid)) in {own, None}]
    found = [watcher for pid in pids if (watcher := _watcher(proc / str(pid), pid)) is not None]
    return tuple(sorted(found, key=lambda watcher: (not watcher.unit, watcher.pid)))


def _pids(proc: Path) -> Iterator[int]:
    with suppress(OSError):
        yield from (int(entry.name) for entry in proc.iterdir() if entry.name.isdecimal())


def _watcher(folder: Path, pid: int) -> Watcher | None:
    options = options_of(_strings(folder / "cmdline") or ())
    if options is None:
        return None
    unit, is_users = _unit(folder / "cgroup")
    environment = _environment(folder / "environ")
    if environment is None and unit and not is_users:
        environment = _environment_of_unit(unit)
    return Watcher(pid, options, environment, unit, is_users, _owner(folder), _working_directory(folder))


def options_of(arguments: tuple[str, ...]) -> Mapping[str, tuple[str, ...]] | None:
    """Return the options of a `watch` that runs until it is stopped; null for any other command line."""
    at = next((n for n, argument in enumerate(arguments) if n and argument == COMMAND and NAME in arguments[n - 1]), None)
    if at is None or {"--check-config", "--test-alert", "--help"}.intersection(arguments[at:]):
        return None
    options: dict[str, tuple[str, ...]] = {}
    rest = list(arguments[at + 1 :])
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if not equals and rest:
            value = rest.pop(0)
        options[name] = (*options.get(name, ()), value)
    return options


def _environment(file: Path) -> Mapping[str, str] | None:
    strings = _strings(file)
    return None if strings is None else dict(text.split("=", 1) for text in strings if "=" in text)


def _environment_of_unit(unit: str) -> Mapping[str, str] | None:
    """Return what the unit's settings put into the environment: without root that is all one can know."""
    try:
        text = Manager().show(unit, "Environment")["Environment"]
        return dict(part.split("=", 1) for part in shlex.split(text) if "=" in part)
    except (NoManagerError, ValueError):
        return None


def _strings(file: Path) -> tuple[str, ...] | None:
    try:
        with file.open("rb") as opened:
            text = opened.read(_LONGEST).decode("utf-8", "surrogateescape")
    except OSError:
        return None
    return tuple(text.removesuffix("\0").split("\0")) if text else ()


def _unit(file: Path) -> tuple[str, bool]:
    """Return the service in a process' cgroup, and whether it is one of a user's manager."""
    strings = _strings(file) or ("",)
    parts = [part for line in strings[0].splitlines() for part in line.rpartition(":")[2].split("/") if part.endswith(".service")]
    own = [part for part in parts if not part.startswith("user@")]
    return (own[-1], len(own) < len(parts)) if own else ("", False)


def _namespace(folder: Path) -> str | None:
    """Name the PID namespace of a process; null where this user may not see it."""
    try:
        return str((folder / "ns/pid").readlink())
    except OSError:
        return None


def _owner(folder: Path) -> int:
    try:
        return folder.stat().st_uid
    except OSError:
        return 0


def _working_directory(folder: Path) -> Path:
    try:
        return (folder / "cwd").readlink()
    except OSError:
        return Path("/")


def _exists(file: Path) -> bool:
    try:
        return file.exists()
    except OSError:
        return False
