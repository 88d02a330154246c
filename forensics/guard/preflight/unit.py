"""Find out how a unit starts its program: from the unit's own environment inside of it, else from what systemd says of it."""

from __future__ import annotations

import os
import pwd
import re
import shlex
import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import ForensicsError
from forensics.files import NotReadableError, read_bounded
from forensics.guard.listeners import cgroup_of
from forensics.guard.systemctl import Manager, NoManagerError

WITHIN_S = 3.0
KEPT = {name: f"TABBY_{name}" for name in ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONPATH")}
# what could break this program: the drop-in hands it over under another name
PROPERTIES = (
    "LoadState", "ActiveState", "ExecStart", "WorkingDirectory", "Environment", "EnvironmentFiles", "ReadWritePaths", "User", "TriggeredBy",
    "RootDirectory", "RootImage",
)  # fmt: skip
SHELLS = {"sh", "bash", "dash", "zsh", "fish", "ksh", "busybox"}
LONGEST_FILE = 1 << 20
_VARIABLE = re.compile(r"^[ \t]*([A-Za-z_]\w*)=(.*)$", re.MULTILINE)
_EXEC = re.compile(r"\{ path=([^;\n]{0,400}) ; argv\[\]=(.{0,4096}?) ; (?:ignore_errors|flags)=")


class NoUnitError(ForensicsError):
    """There is nothing that could be checked."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as it would start now. inside: whether this process is part of it; properties: what systemctl says, {} where it is silent."""

    name: str
    inside: bool
    environment: Mapping[str, str]
    directory: Path
    program: str = ""  # of ExecStart=
    arguments: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    silent: str = ""  # why systemd did not answer

    @property
    def is_active(self) -> bool:
        return self.properties.get("ActiveState") in {"active", "reloading", "deactivating"}

    @property
    def is_elsewhere(self) -> bool:
        """Whether it has a file system of its own, which this process does not see."""
        return not self.inside and bool(self.properties.get("RootDirectory") or self.properties.get("RootImage"))

    @property
    def users(self) -> frozenset[int]:
        """Root, this user and the unit's user: whose files are handed to the loader."""
        found = {0, os.geteuid()}
        with suppress(KeyError):
            found.add(pwd.getpwnam(self.properties.get("User", "")).pw_uid)
        return frozenset(found)


def read_unit(name: str, manager: Manager) -> Unit:
    """Read a unit. Raises NoUnitError where there is none; a manager that does not answer leaves its properties unknown."""
    inside = name in cgroup_of(os.getpid()).split("/")
    environment = own_environment()
    try:
        properties, silent = manager.show(name, *PROPERTIES, within_s=WITHIN_S), ""
    except (NoManagerError, OSError) as error:
        return Unit(name, inside, environment, _here(), silent=str(error))
    _refuse_missing(name, properties["LoadState"])
    if not inside:
        environment = _environment_of(properties)
    program, arguments = _command(properties["ExecStart"])
    directory = _here() if inside else Path(properties["WorkingDirectory"].lstrip("-!") or "/")
    return Unit(name, inside, environment, directory, program, arguments, properties, silent)


def own_environment() -> dict[str, str]:
    """Return the environment of this process as the unit has it."""
    environment = dict(os.environ)
    for name, kept in KEPT.items():
        if kept in environment:
            environment[name] = environment.pop(kept)
    return environment


def interpreter_of(unit: Unit, program: str = "") -> str:
    """Return the ELF program that the unit runs: of a script its interpreter.

    "" where it is not known, or a shell, which may set where libraries are.
    """
    chosen = program or unit.program
    for _ in range(3):  # a script, its interpreter, and env between them
        path = _found(chosen, unit.environment)
        first = _first_line(path)
        if not first.startswith("#!"):
            return "" if not program and Path(path).name in SHELLS else path
        words = first[2:].split()
        chosen = words[1] if len(words) > 1 and Path(words[0]).name == "env" else (words or [""])[0]
        if Path(chosen).name in SHELLS:
            return ""
    return ""


def _refuse_missing(name: str, state: str) -> None:
    if state == "masked":
        raise NoUnitError(f"{name} is masked: it cannot be started, so nothing was checked.")
    if state == "not-found":
        raise NoUnitError(f"There is no unit {name}: nothing was checked.")


def _here() -> Path:
    try:
        return Path.cwd()
    except OSError:  # it was removed
        return Path("/")


def _command(text: str) -> tuple[str, tuple[str, ...]]:
    found = _EXEC.search(text)
    if found is None:
        return "", ()
    try:
        return found[1], tuple(shlex.split(found[2]))
    except ValueError:
        return found[1], tuple(found[2].split())


def _environment_of(properties: Mapping[str, str]) -> dict[str, str]:
    """Take Environment= and what of EnvironmentFile= this user can read, as systemd would."""
    environment = {"PATH": os.defpath}
    with suppress(ValueError):
        environment |= dict(word.split("=", 1) for word in shlex.split(properties["Environment"]) if "=" in word)
    file = properties["EnvironmentFiles"].partition(" (")[0]
    if file.startswith("/"):
        with suppress(NotReadableError):
            text = read_bounded(Path(file), LONGEST_FILE).decode("utf-8", "replace")
            environment |= {name: value.strip().strip("\"'") for name, value in _VARIABLE.findall(text)}
    return environment


def _found(program: str, environment: Mapping[str, str]) -> str:
    if program.startswith("/") or not program:
        return program
    return shutil.which(program, path=environment.get("PATH", os.defpath)) or ""


def _first_line(path: str) -> str:
    with suppress(OSError, ValueError):
        if Path(path).is_file():
            with Path(path).open("rb") as file:
                return file.readline(256).decode("utf-8", "replace").strip()
    return ""
