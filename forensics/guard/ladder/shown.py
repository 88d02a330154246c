"""Write down where a unit is on its ladder."""

from __future__ import annotations

from collections.abc import Iterator

from forensics.guard.ladder.choice import Memory, gib
from forensics.guard.ladder.profiles import Ladder


def shown(ladder: Ladder, memory: Memory) -> str:
    """Return one line for each profile, the largest first."""
    return "".join(f"{line}\n" for line in _lines(ladder, memory))


def _lines(ladder: Ladder, memory: Memory) -> Iterator[str]:
    for profile in ladder.profiles:
        failed_with = memory.failed_with.get(profile.name)
        marks = [
            "the last start" if profile.name == memory.profile else "",
            "the last that held" if profile.name == memory.held else "",
            "chosen by hand for the next start" if profile.name == memory.wanted else "",
            f"failed with {gib(failed_with)} free: tried again when more is free, or after `ladder up`" if failed_with is not None else "",
        ]
        text = "; ".join(mark for mark in marks if mark)
        yield f"{profile.name}: {gib(profile.total)}{f' – {text}' if text else ''}"
