"""Define the links of a chain of alerts, from the failure to the page, and what a drill found of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

THERE, SILENT, WRONG, REFUSED, UNKNOWN = "there", "silent", "wrong", "refused", "unknown"
BROKEN = (SILENT, WRONG, REFUSED)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What arrived at a link, and when, in seconds since 1970. is_right: it is what was expected."""

    at: float
    text: str = ""
    is_right: bool = True


@dataclass(frozen=True, slots=True)
class Probe:
    """How to find out whether the drill has arrived at a link. ask: null while it has not; why: explains a silent link afterwards."""

    link: str
    ask: Callable[[], Arrival | None]
    every_s: float
    why: Callable[[], str] = lambda: ""
    check: Callable[[], str] = lambda: ""  # afterwards: why what arrived does not count


@dataclass(frozen=True, slots=True)
class Link:
    """after_s: seconds from the start of the unit; null where nothing arrived."""

    name: str
    status: str
    after_s: float | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill. within_s: how long it waited; notes: what it could not measure."""

    signature: str
    title: str
    unit: str
    started: float
    within_s: float
    links: tuple[Link, ...]
    notes: tuple[str, ...] = ()

    @property
    def broken(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.status in BROKEN)

    @property
    def unknown(self) -> tuple[Link, ...]:
        return tuple(link for link in self.links if link.status == UNKNOWN)

    @property
    def verdict(self) -> str:
        """Judge the chain in one sentence."""
        if self.broken:
            first = self.broken[0]
            return f"broken at {first.name}: {first.text or first.status}"
        if self.unknown:
            return f"could not tell: {self.unknown[0].name}: {self.unknown[0].text}"
        slowest = max(self.links, key=lambda link: link.after_s or 0.0)
        return f"every link answered, the last one ({slowest.name}) after {slowest.after_s or 0.0:.2f} s"
