"""Start the transient unit of a drill in a sandbox, and take it away again."""

from __future__ import annotations

import base64
import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass

from forensics.guard.drill.scene import Scene
from forensics.guard.systemctl import Manager, NoManagerError, called
from forensics.model.own_entries import DRILL_PREFIX
from forensics.sanitize import safe_line

SINCE = 236  # of systemd: StandardInputData= and --collect
LONGEST_NAME = 40  # characters of the class in the unit's name
SANDBOX = {
    "Restart": "no",
    "RuntimeMaxSec": "10s",
    "TimeoutStopSec": "5s",
    "MemoryMax": "64M",
    "TasksMax": "8",
    "LimitCORE": "0",
    "NoNewPrivileges": "yes",
    "StandardOutput": "journal",
    "StandardError": "journal",
    "SyslogIdentifier": "drill",
}
SANDBOX_OF_ROOT = {  # a user's manager may not make namespaces everywhere
    "DynamicUser": "yes",
    "PrivateNetwork": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectControlGroups": "yes",
    "RestrictSUIDSGID": "yes",
    "RestrictNamespaces": "yes",
}


@dataclass(frozen=True, slots=True)
class Started:
    """A unit that has been started. at: just before, in seconds since 1970."""

    unit: str
    at: float


def start(manager: Manager, scene: Scene) -> Started:
    """Start the unit of a drill, under a name that no unit had. Raises NoManagerError."""
    unit, at = unit_name(scene.signature), time.time()
    done = called(command(manager, scene, unit), within_s=20.0)
    if done.returncode != 0:
        raise NoManagerError(f"The unit of the drill cannot be started: {safe_line(done.stderr) or 'systemd-run failed'}.")
    return Started(unit, at)


def refuse_unable(manager: Manager) -> None:
    """Raises NoManagerError where this user, or this version of systemd, cannot start a transient unit."""
    if not manager.is_users and os.geteuid() != 0:
        raise NoManagerError("Only root may start a unit of the system's manager: use sudo, or --user for a unit of your own.")
    version = manager.version()
    if version is None:
        raise NoManagerError("systemd does not answer: is it running here?")
    if version < SINCE:
        raise NoManagerError(f"systemd {version} has no StandardInputData=, which a drill needs (since {SINCE}).")


def unit_name(signature: str) -> str:
    """Name a unit that is new: `watch` knows classes by unit, so that a drill's failure is always news."""
    readable = re.sub(r"[^a-z0-9]+", "-", signature.lower()).strip("-")[:LONGEST_NAME].strip("-")
    return f"{DRILL_PREFIX}{readable}-{os.urandom(3).hex()}.service"


def command(manager: Manager, scene: Scene, unit: str) -> list[str]:
    """Spell the systemd-run that starts the unit; the words go in as data, and never through a shell."""
    properties = SANDBOX | ({} if manager.is_users else SANDBOX_OF_ROOT)
    if scene.words:
        data = base64.b64encode(f"{scene.words}\n".encode("utf-8", "replace")).decode()
        properties = properties | {"StandardInput": "data", "StandardInputData": data}
    settings = [f"--property={name}={value}" for name, value in properties.items()]
    description = f"--description=Drill of tabby-forensics: fails as {safe_line(scene.signature)}"
    options = ["--quiet", "--no-block", "--collect", "--no-ask-password", f"--unit={unit}", description]
    return ["systemd-run", *manager.options, *options, *settings, *program(scene)]


def program(scene: Scene) -> list[str]:
    """Spell what the unit executes; without a dollar sign, which systemd would expand."""
    say = f"{shutil.which('cat') or '/bin/cat'} >&2; " if scene.words else ""
    end = f"kill -s {scene.signal} 0" if scene.signal else f"exit {scene.status}"
    return [shutil.which("sh") or "/bin/sh", "-c", say + end]


def remove(manager: Manager, unit: str) -> None:
    """Stop what is left of the unit: a drop-in for all services may restart it."""
    with suppress(NoManagerError):
        manager.run("stop", unit)
        manager.run("reset-failed", unit)
