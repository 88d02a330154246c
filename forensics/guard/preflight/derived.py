"""Derive from a unit alone what can be checked. Only what its program cannot start without fails; the rest warns."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from forensics.guard.preflight.check_file import LEAST_FREE, LEAST_INODES
from forensics.guard.preflight.checks import OK, About, Configuration, Disk, Outcome, Result, failed, unknown
from forensics.guard.preflight.elf import read_elf
from forensics.guard.preflight.environment import extensions
from forensics.guard.preflight.files import check_configuration, check_disk, is_executable
from forensics.guard.preflight.libraries import TORCH_LIBRARY, check_file, check_program, place_of
from forensics.guard.preflight.unit import Unit

TABBY_API = "common/tabby_config.py"  # what its checkout is known by
MOST_EXTENSIONS = 40


def required(unit: Unit) -> Iterator[Result]:
    """Check the one thing that is certain: a program without its libraries ends at once."""
    if not unit.is_elsewhere:
        yield Result("library", unit.program or unit.name, "", check_program(unit))


def by_hand(unit: Unit) -> Iterator[Result]:
    """Check for a person what systemd itself refuses with its own words at the same start, and what may be wrong."""
    if not unit.inside:
        how = Outcome("ok", "not run by systemd: with the unit's Environment= and the EnvironmentFile= that this user can read")
        yield Result("environment", f"user {os.geteuid()}", "", how)
    if unit.is_elsewhere:
        hidden = unknown("it has RootDirectory= or RootImage=: only as its ExecStartPre= this program sees its files")
        yield Result("path", unit.name, "", hidden)
        return
    if unit.properties:
        yield Result("path", unit.program, "systemd.exec-failed", _program(unit))
        yield from _folders(unit)
    yield Result("disk", str(unit.directory), "disk.full", _warned(check_disk(_room(unit), unit)))
    if (unit.directory / TABBY_API).exists() and (unit.directory / "config.yml").exists():
        yield Result("config", "config.yml", "tabby.config-ignored", _warned(check_configuration(_tabby_config(unit), unit)))
    yield from _extensions(unit)


def _program(unit: Unit) -> Outcome:
    if not unit.program or not unit.program.startswith("/"):
        return unknown(f"the program of {unit.name} is not known")
    if is_executable(unit.program):
        return OK
    reason = "Permission denied" if Path(unit.program).exists() else "No such file or directory"
    return failed(f"{unit.name}: Unable to locate executable '{unit.program}': {reason}")


def _folders(unit: Unit) -> Iterator[Result]:
    wanted = unit.properties["WorkingDirectory"]
    if wanted.startswith("/"):
        there = OK if Path(wanted).is_dir() else failed("Changing to the requested working directory failed: No such file or directory")
        yield Result("path", wanted, "systemd.working-directory", there)
    for line in unit.properties["EnvironmentFiles"].split(") "):
        file, _, ignored = line.partition(" (ignore_errors=")
        if file.startswith("/"):
            is_there = Path(file).exists() or ignored.startswith("yes")
            missing = failed("Failed to load environment files: No such file or directory")
            yield Result("path", file, "systemd.environment-file", OK if is_there else missing)
    for path in unit.properties["ReadWritePaths"].split():
        if path.startswith("/"):
            missing = failed(f"Failed to set up mount namespacing: {path}: No such file or directory")
            yield Result("path", path, "systemd.namespace", OK if Path(path).exists() else missing)


def _extensions(unit: Unit) -> Iterator[Result]:
    """Check the extensions that need PyTorch: a service may do without one of them, so they only warn."""
    place = place_of(unit)
    if isinstance(place, str):
        return
    count = 0
    for file in extensions(place.folders):
        elf = read_elf(file)
        if elf is not None and "/torch/lib/" not in str(file) and any(map(TORCH_LIBRARY.match, elf.needed)):
            count += 1
            if count > MOST_EXTENSIONS:
                return
            yield Result("library", str(file), "", _warned(check_file(file, place)))


def _warned(outcome: Outcome) -> Outcome:
    return Outcome("warned", outcome.text) if outcome.status == "failed" else outcome


def _room(unit: Unit) -> Disk:
    return Disk(About("disk.full"), str(unit.directory), LEAST_FREE, LEAST_INODES)


def _tabby_config(unit: Unit) -> Configuration:
    return Configuration(About("tabby.config-ignored"), str(unit.directory / "config.yml"), "yaml")
