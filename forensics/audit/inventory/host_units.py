"""Ask the running systemd for its units with `systemctl show`, which changes nothing."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from forensics.audit.inventory.units import MOST_UNITS, Unit, Units, exporter_flags, file_text, kept, watch_settings, watchers
from forensics.unit_file import read_files

WITHIN_S = 5.0
KINDS = "service,timer,path"
PROPERTIES = "Id,FragmentPath,DropInPaths,ActiveState,NeedDaemonReload"
WATCH_FILE = "/etc/tabby-forensics/watch.toml"
_VERSION = re.compile(r"^(?:systemd )?(\d+)")


class NoSystemdError(Exception):
    """Why systemd cannot be asked."""


def read_host(manager: str = "system") -> Units:
    """Describe the units of the running systemd. manager: of the system, or "user:<uid>"."""
    where = "systemd of this host"
    try:
        scope = _scope(manager)
        names = [
            line.split()[0]
            for line in _systemctl(*scope, "list-units", "--all", f"--type={KINDS}", "--plain", "--no-legend").splitlines()
            if line.strip()
        ]
        shown = _systemctl(*scope, "show", f"--property={PROPERTIES}", "--", *names[:MOST_UNITS]) if names else ""
        managers = _block(_systemctl(*scope, "show", "--property=Version,DefaultStartLimitIntervalUSec,DefaultStartLimitBurst"))
    except NoSystemdError as error:
        return Units(where, is_running=True, problem=str(error))
    units = [unit for block in shown.split("\n\n") if (unit := _unit(_block(block))) is not None]
    version = _VERSION.match(managers.get("Version", ""))
    found = Units(where, True, systemd=int(version[1]) if version else None, units={unit.settings.unit: unit for unit in units})
    return Units(
        where,
        True,
        systemd=found.systemd,
        units={name: Unit(kept(unit.settings), unit.state, unit.needs_reload) for name, unit in found.units.items()},
        start_limit=(managers.get("DefaultStartLimitIntervalUSec", ""), managers.get("DefaultStartLimitBurst", "")),
        exporter_flags=exporter_flags(units, lambda path: file_text(Path(path))),
        watch=watch_settings(file_text(Path(_watch_file(found)))),
    )


def _scope(manager: str) -> tuple[str, ...]:
    if manager == "system":
        return ()
    if manager == f"user:{os.getuid()}":
        return ("--user",)
    raise NoSystemdError("units of another user's manager cannot be read; run the audit as that user")


def _systemctl(*arguments: str) -> str:
    if shutil.which("systemctl") is None:
        raise NoSystemdError("there is no systemctl here; give --units DIR")
    environment = {**os.environ, "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["systemctl", "--no-ask-password", *arguments],
            capture_output=True,
            timeout=WITHIN_S,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise NoSystemdError(f"systemctl has not answered within {WITHIN_S:.0f} s") from None
    except OSError as error:
        raise NoSystemdError(f"systemctl cannot be run: {error.strerror}") from None
    if done.returncode != 0 and not done.stdout:
        raise NoSystemdError("systemd does not run here; give --units DIR")
    return done.stdout.decode("utf-8", "replace")


def _block(text: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in text.splitlines())}


def _unit(properties: dict[str, str]) -> Unit | None:
    """Read the files of a unit that systemd names, in its order."""
    name = properties.get("Id", "")
    if not name:
        return None
    paths = [Path(path) for path in (properties.get("FragmentPath", ""), *shlex.split(properties.get("DropInPaths", ""))) if path]
    return Unit(read_files(name, paths), properties.get("ActiveState", ""), properties.get("NeedDaemonReload") == "yes")


def _watch_file(units: Units) -> str:
    """Return the configuration that the unit of `watch` names, else the usual one."""
    for unit in watchers(units):
        words = unit.settings.last("ExecStart").split()
        if "--config" in words[:-1]:
            return words[words.index("--config") + 1]
    return WATCH_FILE
