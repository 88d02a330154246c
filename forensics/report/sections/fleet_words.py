"""Write host-hours, lists of names and kinds of change for a page over many hosts."""

from __future__ import annotations

from collections.abc import Sequence

from forensics import wording
from forensics.sanitize import brief

_LONGEST_NAME = 80
_KINDS = {
    "system-switch": "system switch",
    "package": "package change",
    "driver": "driver change",
    "configuration": "configuration change",
    "boot": "boot",
    "operator": "operator's command",
    "unit-reload": "reload of units",
    "unit-job": "start or stop on request",
    "login": "login",
}


def hours(seconds: float) -> str:
    """Write time down, summed over hosts: 375 host-hours, 0.3 host-hours."""
    number = seconds / 3600
    text = wording.count(round(number)) if number >= 9.95 else f"{number:.1f}".removesuffix(".0")
    return f"{text} host-hour{'' if text == '1' else 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """List the first names, and how many there are more."""
    shown = ", ".join(brief(name, _LONGEST_NAME) for name in names[:most])
    return f"{shown} and {wording.count(len(names) - most)} more" if len(names) > most else shown


def within(names: Sequence[str], characters: int) -> str:
    """List as many names as there is room for, and how many there are more."""
    shown, used = 0, 0
    while shown < len(names) and used <= characters:
        used += len(brief(names[shown], _LONGEST_NAME)) + 2
        shown += 1
    return listed(names, shown)


def change_kind(kind: str, summary: str) -> str:
    """Name what kind of change it was: NixOS switch, package change."""
    return "NixOS switch" if kind == "system-switch" and "nixos" in summary.lower() else _KINDS.get(kind, "change")
