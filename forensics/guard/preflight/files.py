"""Check paths, configuration files and file systems, in the words of the operating system."""

from __future__ import annotations

import configparser
import json
import os
import stat
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from forensics.files import NotReadableError, read_bounded
from forensics.guard.preflight.checks import OK, Access, Configuration, Disk, Outcome, failed, unknown
from forensics.guard.preflight.unit import Unit

LONGEST_FILE = 1 << 20
MODES = MappingProxyType({"exists": os.F_OK, "read": os.R_OK, "write": os.W_OK, "execute": os.X_OK})
MISSING = MappingProxyType(
    {
        "model.path-missing": "Model path does not exist: {}",
        "llama-cpp.model-missing": "error loading model: failed to open {}: No such file or directory",
        "config.file-missing": "Error: config file {} not found",
        "python.script-missing": "can't open file '{}': [Errno 2] No such file or directory",
    }
)  # class → what the service says of a path that is missing
CONFIG_IGNORED = (
    "The YAML config from '{}' couldn't load because of the following error: {}"  # TabbyAPI, which starts with its defaults then
)


def check_access(check: Access, unit: Unit) -> Outcome:
    """Check that this user reaches a path."""
    path = unit.directory / check.path
    try:
        path.stat()
    except FileNotFoundError:
        return failed(MISSING.get(check.about.signature, "FileNotFoundError: [Errno 2] No such file or directory: '{}'").format(path))
    except PermissionError:
        return failed(f"PermissionError: [Errno 13] Permission denied: '{path}'")
    except (OSError, ValueError) as error:
        return unknown(f"{path} cannot be looked at: {error}")
    if os.access(path, MODES[check.access]):
        return OK
    if check.access == "write" and os.statvfs(path).f_flag & os.ST_RDONLY:
        return failed(f"[Errno 30] Read-only file system: '{path}'")
    return failed(f"PermissionError: [Errno 13] Permission denied: '{path}' ({check.access})")


def check_configuration(check: Configuration, unit: Unit) -> Outcome:
    """Check that a file parses; one that is not there passes: programs have defaults."""
    path = unit.directory / check.path
    if not path.exists():
        return unknown(f"{path} does not exist")
    try:
        text = read_bounded(path, LONGEST_FILE).decode()
    except (NotReadableError, UnicodeDecodeError) as error:
        return unknown(f"{path} {error}")
    try:
        return _outcome(PARSERS[check.format](text), path, check.about.signature)
    except RecursionError:
        return unknown(f"{path} is nested too deeply to be read")


def check_disk(check: Disk, unit: Unit) -> Outcome:
    """Check how much room a file system has for this user."""
    path = unit.directory / check.path
    while not path.exists() and path != path.parent:
        path = path.parent
    try:
        found = os.statvfs(path)
    except OSError as error:
        return unknown(f"{path} cannot be looked at: {error.strerror}")
    is_root = os.geteuid() == 0
    free = (found.f_bfree if is_root else found.f_bavail) * found.f_frsize
    if free < check.free:
        return failed(f"[Errno 28] No space left on device: '{check.path}' has {size(free)} free, less than {size(check.free)}")
    inodes = found.f_ffree if is_root else found.f_favail
    if found.f_files and inodes < check.inodes:  # file systems such as btrfs have no limit
        return failed(f"[Errno 28] No space left on device: '{check.path}' has room for {inodes} files, less than {check.inodes}")
    return OK


def is_executable(path: str) -> bool:
    """Whether a program is there for this user."""
    try:
        return stat.S_ISREG(Path(path).stat().st_mode) and os.access(path, os.X_OK)
    except (OSError, ValueError):
        return False


def size(amount: float) -> str:
    """Write a number of bytes."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.2f} {unit}"
        amount /= 1024
    return f"{amount:.2f} TiB"


def _outcome(mistake: str | None, path: Path, signature: str) -> Outcome:
    if mistake is None:
        return OK
    if mistake.startswith("?"):
        return unknown(mistake[1:])
    mistake = " ".join(mistake.split())
    if signature == "tabby.config-ignored":  # without the exception's name, which is a class of its own
        return failed(CONFIG_IGNORED.format(path, mistake.partition(": ")[2]))
    return failed(f"{mistake} (in {path})")


def _json(text: str) -> str | None:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"json.decoder.JSONDecodeError: {error}"
    return None


def _toml(text: str) -> str | None:
    try:
        tomllib.loads(text)
    except ValueError as error:
        return f"tomllib.TOMLDecodeError: {error}"
    return None


def _ini(text: str) -> str | None:
    try:
        configparser.ConfigParser(interpolation=None, allow_no_value=True).read_string(text)
    except configparser.Error as error:
        return f"configparser.{type(error).__name__}: {error}"
    return None


def _yaml(text: str) -> str | None:
    """Parse without making values, so that tags of a program's own are no mistake."""
    try:
        import yaml  # noqa: PLC0415 - costs 20 ms, and is the one thing here that is not in the standard library
    except ImportError:
        return "?PyYAML is not installed here: YAML could not be parsed"
    try:
        for _ in yaml.compose_all(text, Loader=yaml.SafeLoader):
            pass
    except yaml.YAMLError as error:
        return f"{type(error).__module__}.{type(error).__name__}: {error}"
    return None


PARSERS: Mapping[str, Callable[[str], str | None]] = MappingProxyType({"toml": _toml, "json": _json, "yaml": _yaml, "ini": _ini})
