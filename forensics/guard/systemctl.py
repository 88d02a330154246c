"""Ask and command a service manager with systemctl; standard library only, every call bounded in time."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.errors import ForensicsError, UsageError

WITHIN_S = 10.0  # for each call: a manager that reloads answers within seconds
UNIT_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,248}\.service")  # systemd.unit(5)


class NoManagerError(ForensicsError):
    """systemd could not be asked: it is not running, or did not answer."""

    exit_code = 4


@dataclass(frozen=True, slots=True)
class Manager:
    """The system's service manager, or that of the calling user."""

    is_users: bool = False

    @property
    def name(self) -> str:
        """Name it as DESIGN's keys do: "system" or "user:<uid>"."""
        return f"user:{os.getuid()}" if self.is_users else "system"

    @property
    def options(self) -> tuple[str, ...]:
        return ("--user",) if self.is_users else ()

    @property
    def runtime_directory(self) -> Path:
        """A directory that is gone after the next boot, and that only this manager's user may write to."""
        parent = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}" if self.is_users else "/run"
        return Path(parent) / "tabby-forensics"

    def run(self, *arguments: str, within_s: float = WITHIN_S) -> subprocess.CompletedProcess[str]:
        """Run systemctl; its exit code is the caller's to judge. Raises NoManagerError."""
        return called(["systemctl", *self.options, *arguments], within_s)

    def show(self, unit: str, *names: str, within_s: float = WITHIN_S) -> dict[str, str]:
        """Return properties of a unit, "" for those that this version does not have. Raises NoManagerError."""
        done = self.run("show", f"--property={','.join(names)}", "--", unit, within_s=within_s)
        if done.returncode != 0:
            raise NoManagerError(f"systemd does not answer: {(done.stderr.strip() or 'systemctl failed').splitlines()[0]}")
        found = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        return {name: found.get(name, "") for name in names}

    def version(self) -> int | None:
        """Return the version of the running manager; None where it does not say."""
        answer = self.run("show", "--property=Version", "--value").stdout
        number = re.match(r"\d+", answer.strip().removeprefix("systemd "))
        return int(number[0]) if number else None


def called(command: Sequence[str], within_s: float, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program of the host without a shell. Raises NoManagerError where it is missing or hangs."""
    try:
        return subprocess.run(
            list(command), capture_output=True, text=True, errors="replace", timeout=within_s, check=False, stdin=subprocess.DEVNULL,
            env=None if environment is None else dict(environment),
        )  # fmt: skip
    except FileNotFoundError:
        raise NoManagerError(f"{command[0]} is not installed here.") from None
    except subprocess.TimeoutExpired:
        raise NoManagerError(f"{command[0]} did not answer within {within_s:.0f} s.") from None


def service_name(unit: str) -> str:
    """Return the unit with its suffix. Raises UsageError for what cannot be a service's name."""
    name = unit if unit.endswith(".service") else f"{unit}.service"
    if not UNIT_NAME.fullmatch(name):
        raise UsageError(f"'{unit}' is not the name of a service.")
    return name
