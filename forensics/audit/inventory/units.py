"""Describe the units of a host: the settings that controls are made of, from a directory of unit files or from the running systemd."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.audit.inventory.yaml_tree import items, strings
from forensics.files import NotReadableError, read_bounded
from forensics.unit_file import UnitSettings, assignments, read_units

MOST_UNITS = 2000
LONGEST_FILE = 1 << 20
SETTINGS = frozenset(  # what controls are made of; the environment itself is not kept
    """
    Type Restart RestartSec RestartSteps RestartMaxDelaySec RestartMode RestartPreventExitStatus RestartForceExitStatus
    StartLimitIntervalSec StartLimitBurst StartLimitAction ExecStart ExecStartPre ExecStartPost ExecCondition ExecStopPost
    ExecReload OnFailure OnSuccess ConditionPathExists AssertPathExists TimeoutStartSec WatchdogSec Unit PathChanged PathModified
    PathExists OnCalendar OnUnitActiveSec OnUnitInactiveSec OnBootSec WantedBy RequiredBy Requires BindsTo PartOf After
    EnvironmentFile
    """.split()  # noqa: SIM905  a list is three times as long
)
_FLAG = re.compile(r"--(?:no-)?(?:systemd\.)?collector\.[\w.-]+")
_EXPORTER = re.compile(r"(?:node|systemd)[-_]exporter")
_WATCH = re.compile(r"(?:tabby-forensics|-m forensics)\s+watch\b")


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit. state: active, failed, … of the running systemd, "" where unknown. needs_reload: its file changed since it was loaded."""

    settings: UnitSettings
    state: str = ""
    needs_reload: bool | None = None


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What watch.toml sets: the kinds of its sinks, and patterns of the units that it watches."""

    sinks: tuple[str, ...] = ("stdout",)
    units: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Units:
    """What there is. problem: why nothing is known."""

    where: str
    is_running: bool
    problem: str = ""
    systemd: int | None = None  # version
    units: Mapping[str, Unit] = field(default_factory=dict)
    start_limit: tuple[str, str] | None = None  # the manager's default interval and burst, where it sets any
    exporter_flags: tuple[str, ...] | None = None  # of node_exporter and systemd_exporter; null where none is here
    watch: WatchSettings | None = None  # null where its configuration is not here


def read_directory(directory: Path) -> Units:
    """Describe the units below a directory: a copy of /etc/systemd/system, or of the whole /etc."""
    if not directory.is_dir():
        return Units(str(directory), is_running=False, problem="is not a directory")
    found = [Unit(kept(settings)) for settings in list(read_units(directory).values())[:MOST_UNITS]]
    if not found:
        return Units(str(directory), is_running=False, problem="has no unit files")
    return Units(
        str(directory),
        is_running=False,
        units={unit.settings.unit: unit for unit in found},
        start_limit=start_limit(_named(directory, "system.conf")),
        exporter_flags=exporter_flags(found, lambda path: _named(directory, Path(path).name)),
        watch=watch_settings(_named(directory, "watch.toml")),
    )


def kept(settings: UnitSettings) -> UnitSettings:
    """Keep only the settings that controls are made of."""
    values = {name: value for name, value in settings.values.items() if name in SETTINGS}
    return UnitSettings(settings.unit, values, settings.files)


def commands(unit: Unit, *names: str) -> tuple[str, ...]:
    """Return the command lines of these settings, without systemd's prefixes."""
    return tuple(line.lstrip("-@:+!|").strip() for name in names for line in unit.settings.every(name))


def watchers(units: Units) -> list[Unit]:
    """Return the units that run `watch` of this program."""
    return [unit for unit in units.units.values() if any(_WATCH.search(line) for line in commands(unit, "ExecStart"))]


def exporter_flags(units: Iterable[Unit], read: Callable[[str], str]) -> tuple[str, ...] | None:
    """Return the flags of node_exporter's and systemd_exporter's collectors; null where none is here. read: of an environment file."""
    flags: dict[str, None] = {}
    exporters = [unit for unit in units if any(_EXPORTER.search(line) for line in commands(unit, "ExecStart"))]
    for unit in exporters:
        files = [read(path.lstrip("-")) for path in unit.settings.every("EnvironmentFile")]
        flags.update(dict.fromkeys(flag for text in [*commands(unit, "ExecStart"), *files] for flag in _FLAG.findall(text)))
    return tuple(flags) if exporters else None


def watch_settings(text: str) -> WatchSettings | None:
    """Read the text of a watch.toml; null without one, and where it cannot be read."""
    if not text:
        return None
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    kinds = [sink.get("type") for sink in items(table.get("sink")) if isinstance(sink, dict)]
    kept = [strings(values) for values in (kinds, table.get("units"))]
    return WatchSettings(kept[0] or WatchSettings().sinks, kept[1] or WatchSettings().units)


def start_limit(text: str) -> tuple[str, str] | None:
    """Return the default interval and burst that a system.conf sets; null where it sets neither."""
    values = {name: value for name, value in assignments(text) if value}
    interval = values.get("DefaultStartLimitIntervalSec", values.get("DefaultStartLimitInterval", ""))
    burst = values.get("DefaultStartLimitBurst", "")
    return (interval, burst) if interval or burst else None


def file_text(path: Path) -> str:
    """Return the text of a file, "" where it cannot be read."""
    try:
        return read_bounded(path, LONGEST_FILE).decode("utf-8", "replace")
    except NotReadableError:
        return ""


def _named(directory: Path, name: str) -> str:
    """Return the text of the first file with this name below a directory, "" without one."""
    return next((text for path in sorted(directory.rglob(name)) if (text := file_text(path))), "")
