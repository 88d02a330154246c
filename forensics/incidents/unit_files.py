"""Find the files of a unit: the paths that its failures name."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import normpath
from re import compile as pattern

import polars as pl

from forensics.incidents.slice import Case

PATH = pattern(r"(?<![\w./:@-])/(?:[\w.@+~-]+/)*[\w.@+~-]+")
MOST_LINES = 500  # of one attempt
SHARED = pattern(r"^/(?:etc/(?:ssl|pki|systemd|security|ld\.so\S*|nixos)|boot|snap)(?:/|$)")  # directories that no unit has for itself
SYSTEM = pattern(r"^/(?:usr|lib\w*|s?bin|nix|proc|sys|dev|run|tmp)(?:/|$)")
OWN = pattern(r"^/(?:home/[^/]+/[^/]+|var/[^/]+/[^/]+|[^/]+/[^/]+)")


@dataclass(frozen=True, slots=True)
class UnitFiles:
    """paths: that its lines name. directories: its own among them, such as /srv/app, /etc/app and /var/lib/app."""

    paths: frozenset[str]
    directories: frozenset[str]


def unit_files(case: Case, entries: pl.DataFrame) -> UnitFiles:
    """Read the lines of the incident's first and last attempt."""
    messages: set[str] = set()
    for first, last in {case.attempts.select("first_row", "last_row").row(at) for at in (0, -1)}:
        lines = entries.slice(first, min(last - first + 1, MOST_LINES)).filter(unit=case.unit, machine=case.machine)
        messages.update(lines["message"].drop_nulls())
    paths = frozenset(normpath(path) for message in messages for path in PATH.findall(message[:4096]))
    own = (OWN.search(path) for path in paths if not SYSTEM.search(path))
    return UnitFiles(paths, frozenset(match[0] for match in own if match is not None and not SHARED.search(match[0])))
