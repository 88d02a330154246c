"""Fingerprint what a unit runs with, as a change of it is worth a try: the system, the unit's files, its program; standard library only.

Small files count by their content, others by size and time: what is only touched has not changed.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from forensics.files import NotReadableError, read_bounded
from forensics.guard.systemctl import Manager

NAMES = ("FragmentPath", "DropInPaths", "EnvironmentFiles", "ExecStart", "ExecStartPre", "WorkingDirectory", "Environment", "RootDirectory")
SYSTEM = (
    "/run/current-system",  # NixOS: a symbolic link, replaced at each switch
    "/var/lib/dpkg/status",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/var/lib/pacman/local",
    "/lib/apk/db/installed",
)
CONFIG = (".yml", ".yaml", ".toml", ".json", ".ini", ".cfg", ".conf", ".env", ".lock", ".txt")
LONGEST = 262_144  # bytes of a file that counts by its content
MOST_NAMED, MOST_CONFIG = 40, 200
LONGEST_LINE = 256
_PATH = re.compile(r"/[\w@%+=:,./-]{0,400}[\w@%+=,-]")
_SHARED = re.compile(r"/(?:\w+|usr/\w+|usr/local/\w+|var/\w+|home/\w+)?/?")  # directories of many programs, or of a user
_ENVIRONMENT_FILE = re.compile(r"(/.{0,400}?) \(ignore_errors=")


def fingerprint(manager: Manager, unit: str) -> str:
    """Fingerprint the environment of a unit. Raises NoManagerError."""
    digest = hashlib.blake2b(digest_size=16)
    for path in _files(manager, unit):
        digest.update(f"{path}\0{_content(path)}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def watched_paths(manager: Manager, unit: str) -> list[Path]:
    """List what to watch for changes of that environment: also files that do not exist yet, and directories in which some may appear."""
    shown = manager.show(unit, *NAMES)
    folders = [folder for folder in (_working_directory(shown), *_drop_in_folders(unit, shown)) if folder is not None]
    return list(dict.fromkeys([*_system(), *_named(shown), *folders]))


def _files(manager: Manager, unit: str) -> list[Path]:
    shown = manager.show(unit, *NAMES)
    return list(dict.fromkeys([*_system(), *_named(shown), *_config_files(_working_directory(shown))]))


def _system() -> list[Path]:
    return [Path(path) for path in SYSTEM if os.path.lexists(path)]


def _named(shown: dict[str, str]) -> list[Path]:
    """List the files that the unit names, whether they exist or not."""
    unit_files = [shown["FragmentPath"], *shown["DropInPaths"].split()]
    environment = _ENVIRONMENT_FILE.findall(shown["EnvironmentFiles"])
    programs = [path for name in ("ExecStart", "ExecStartPre", "Environment") for path in _paths_in(shown[name])]
    named = [Path(text) for text in (*filter(None, unit_files), *environment)]
    return [*named, *_of_programs(Path(text) for text in dict.fromkeys(programs[:MOST_NAMED]))]


def _paths_in(text: str) -> list[str]:
    paths = (os.path.normpath(path.replace("//", "/")) for path in _PATH.findall(text))  # systemd takes no others in PathChanged=
    return [path for path in paths if not _SHARED.fullmatch(path)]


def _of_programs(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield programs and arguments, the interpreters that scripts name, and what is installed for them."""
    for path in paths:
        yield path
        interpreter = _interpreter(path)
        if interpreter is not None:
            yield interpreter
        for program in (path, interpreter):
            yield from _virtual_environment(program)


def _interpreter(script: Path) -> Path | None:
    """Return the interpreter in a script's first line."""
    try:
        if not stat.S_ISREG(script.stat().st_mode):
            return None
        with script.open("rb") as file:
            first = file.readline(LONGEST_LINE)
    except (OSError, ValueError):
        return None
    words = first[2:].split() if first.startswith(b"#!/") else []
    return Path(os.fsdecode(words[0])) if words else None


def _virtual_environment(program: Path | None) -> Iterator[Path]:
    """Yield the configuration of a Python environment and its packages' directory, which each installation changes."""
    if program is None:
        return
    root = program.parent.parent if program.parent.name == "bin" else program
    if not (root / "pyvenv.cfg").is_file() and not (root / "conda-meta").is_dir():
        return
    yield root / "pyvenv.cfg"
    yield root / "conda-meta"
    yield from sorted(root.glob("lib/python3*/site-packages"))


def _working_directory(shown: dict[str, str]) -> Path | None:
    text = shown["WorkingDirectory"].removeprefix("!").removeprefix("-")
    return Path(text) if text.startswith("/") and not _SHARED.fullmatch(text) else None


def _drop_in_folders(unit: str, shown: dict[str, str]) -> list[Path]:
    """List where drop-ins of the unit are, or may appear."""
    fragment = Path(shown["FragmentPath"]).parent if shown["FragmentPath"] else Path("/etc/systemd/system")
    return [fragment / f"{unit}.d", Path("/etc/systemd/system") / f"{unit}.d"]


def _config_files(folder: Path | None) -> list[Path]:
    """List the configuration files right in a directory."""
    if folder is None:
        return []
    try:
        with os.scandir(folder) as entries:
            found = [Path(entry.path) for entry in entries if entry.name.endswith(CONFIG)]
    except OSError:
        return []
    return sorted(found)[:MOST_CONFIG]


def _content(path: Path) -> str:
    """Describe what a path is now: by where a link leads, by content, else by size and time."""
    try:
        found = path.stat()
        where = os.path.realpath(path)
        if stat.S_ISREG(found.st_mode) and found.st_size <= LONGEST:
            return f"{where} {hashlib.blake2b(read_bounded(path, LONGEST), digest_size=16).hexdigest()}"
    except (OSError, ValueError):
        return "missing"
    except NotReadableError:
        pass
    return f"{where} {found.st_size} {found.st_mtime_ns}"
