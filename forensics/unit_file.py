"""Read systemd unit files with their drop-ins (systemd.syntax(7), systemd.unit(5)) and keep the settings that are in effect."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from forensics.files import NotReadableError, read_bounded

LONGEST_FILE = 1 << 20  # bytes, systemd's own limit of a line
MOST_FILES = 20_000  # of a directory: a desktop has 2,000
SUFFIXES = (".service", ".timer", ".path", ".socket", ".target")
_ORDER = ("/etc/", "/run/", "/usr/local/lib/", "/usr/lib/", "/lib/")  # systemd.unit(5), table 1: the first wins
_OLD_NAMES = {"StartLimitInterval": "StartLimitIntervalSec"}  # until systemd 230
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*([a-zµM]*)\s*")
_UNITS_S = {
    **dict.fromkeys(("usec", "us", "µs"), 1e-6),
    **dict.fromkeys(("msec", "ms"), 1e-3),
    **dict.fromkeys(("", "seconds", "second", "sec", "s"), 1.0),
    **dict.fromkeys(("minutes", "minute", "min", "m"), 60.0),
    **dict.fromkeys(("hours", "hour", "hr", "h"), 3600.0),
    **dict.fromkeys(("days", "day", "d"), 86_400.0),
    **dict.fromkeys(("weeks", "week", "w"), 604_800.0),
    **dict.fromkeys(("months", "month", "M"), 2_629_800.0),
    **dict.fromkeys(("years", "year", "y"), 31_557_600.0),
}


@dataclass(frozen=True, slots=True)
class UnitSettings:
    """The settings of a unit that are in effect, by name. files: the unit file, then its drop-ins in the order they are read."""

    unit: str
    values: Mapping[str, tuple[str, ...]]
    files: tuple[str, ...] = ()

    def every(self, name: str) -> tuple[str, ...]:
        """Return all values of a setting that may be given more than once."""
        return self.values.get(name, ())

    def last(self, name: str) -> str:
        """Return the value of a setting, "" where it is not set."""
        return (self.values.get(name) or ("",))[-1]


def parse_units(unit: str, texts: Iterable[tuple[str, str]]) -> UnitSettings:
    """Merge the texts of a unit file and its drop-ins, given as (file, text) in the order in which systemd reads them.

    An empty value clears what was set before.
    """
    values: dict[str, tuple[str, ...]] = {}
    files = []
    for file, text in texts:
        files.append(file)
        for name, value in assignments(text):
            values[name] = (*values.get(name, ()), value) if value else ()
    return UnitSettings(unit, {name: kept for name, kept in values.items() if kept}, tuple(files))


def assignments(text: str) -> Iterable[tuple[str, str]]:
    """Yield (name, value) of each line; lines continued by a backslash are one, comments between them are left out."""
    logical = ""
    for line in text.splitlines():
        if line.lstrip().startswith(("#", ";")):
            continue
        if line.endswith("\\"):
            logical += line[:-1] + " "
            continue
        name, equals, value = (logical + line).partition("=")
        logical = ""
        if equals and not name.lstrip().startswith("["):
            yield _OLD_NAMES.get(name.strip(), name.strip()), value.strip()


def read_units(directory: Path) -> dict[str, UnitSettings]:
    """Read every unit below a directory, which is a copy of /etc/systemd/system or of a whole file system; masked ones have no settings."""
    fragments: dict[str, Path] = {}
    drop_ins: dict[str, dict[str, Path]] = {}
    for path in _files_below(directory):  # of two files with one name the first counts
        if path.suffix == ".conf":
            drop_ins.setdefault(path.parent.name, {}).setdefault(path.name, path)
        else:
            fragments.setdefault(path.name, path)
    units = {*fragments, *(name for folder in drop_ins if (name := folder.removesuffix(".d")).endswith(SUFFIXES))}
    return {unit: read_files(unit, _files_of(unit, fragments, drop_ins)) for unit in sorted(units)}


def read_files(unit: str, paths: Sequence[Path]) -> UnitSettings:
    """Read a unit from the files that systemd itself names (FragmentPath=, then DropInPaths=)."""
    return parse_units(unit, [(str(path), text) for path in paths if (text := _text(path)) is not None])


def drop_in_directories(unit: str) -> tuple[str, ...]:
    """Name the directories of a unit's drop-ins, the most specific first: its own, its template's, its prefixes', its type's."""
    stem, dot, kind = unit.rpartition(".")
    template, at, instance = stem.partition("@")
    names = [unit] + ([f"{template}@.{kind}"] if at and instance else [])
    parts = template.split("-")
    names += ["-".join(parts[:count]) + f"-.{kind}" for count in range(len(parts) - 1, 0, -1)]
    return tuple(f"{name}.d" for name in [*names, kind] if dot)


def seconds(text: str) -> float | None:
    """Read a time span such as "5min 20s"; a bare number is seconds, "infinity" is infinite. None for anything else."""
    if text.strip() == "infinity":
        return math.inf
    total, at = 0.0, 0
    bare = text.strip()
    while at < len(bare):
        span = _SPAN.match(bare, at)
        if span is None or span[2] not in _UNITS_S:
            return None
        total += float(span[1]) * _UNITS_S[span[2]]
        at = span.end()
    return total if bare else None


def _files_below(directory: Path) -> list[Path]:
    """List the unit files and drop-ins, those that win first."""
    found: list[Path] = []
    for folder, below, names in os.walk(directory):
        below[:] = [name for name in sorted(below) if not name.endswith((".wants", ".requires", ".upholds"))]
        is_drop_in = folder.endswith(".d")
        found += [Path(folder, name) for name in sorted(names) if (name.endswith(".conf") if is_drop_in else name.endswith(SUFFIXES))]
        if len(found) > MOST_FILES:
            break
    return sorted(found, key=lambda path: (_rank(path), str(path)))


def _rank(path: Path) -> int:
    return next((rank for rank, part in enumerate(_ORDER) if part in f"/{path}"), len(_ORDER))


def _files_of(unit: str, fragments: Mapping[str, Path], drop_ins: Mapping[str, Mapping[str, Path]]) -> list[Path]:
    """Choose the unit file that wins, then its drop-ins; of those with one name the more specific counts."""
    stem, _, kind = unit.rpartition(".")
    fragment = fragments.get(unit) or fragments.get(f"{stem.partition('@')[0]}@.{kind}")
    chosen: dict[str, Path] = {}
    for folder in drop_in_directories(unit):
        chosen = {**drop_ins.get(folder, {}), **chosen}
    return [*([fragment] if fragment else []), *(chosen[name] for name in sorted(chosen))]


def _text(path: Path) -> str | None:
    try:
        return read_bounded(path, LONGEST_FILE).decode("utf-8", "replace")
    except NotReadableError:  # /dev/null: the unit is masked
        return None
