"""What `watch` remembers of a unit and of each of its failure classes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

STATES = ("new", "ongoing", "regressed", "escalating")
RATE_S = 300
ESCALATING = 4  # times the failures of the five minutes before
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(slots=True)
class Class:
    """What is known of one failure class of one unit. over: the unit was well after `last`."""

    first: float
    last: float
    count: int = 0
    state: str = "new"
    over: bool = False
    recent: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Unit:
    """failures: by class since it was last well. run: the attempt that runs, up since then by the clock since boot; null while it is down.

    counter: systemd's, of its last restart. ends: attempts that were told of since it was last well. rests: it ended well after restarts,
    since then by the clock since boot; whether that was the end of it or the next restart comes is not known yet.
    """

    restarts: list[float] = field(default_factory=list)
    looping: bool = False
    failures: dict[str, int] = field(default_factory=dict)
    run: str | None = None
    up_since: float | None = None
    counter: int | None = None
    ends: int = 0
    rests: bool = False
    rests_since: float | None = None

    def goes_down(self) -> None:
        self.run, self.up_since = None, None

    def rests_no_more(self) -> None:
        self.rests, self.rests_since = False, None


def rate(recent: list[float], time: float) -> str:
    """ongoing, or escalating when the last five minutes have several times the failures of the five before."""
    now = sum(1 for t in recent if 0 <= time - t < RATE_S) + 1
    before = sum(1 for t in recent if RATE_S <= time - t < 2 * RATE_S)
    return "escalating" if before and now >= ESCALATING * before else "ongoing"


def this_boot() -> str:
    """Names the boot of the host that `watch` runs on: `time.monotonic` counts from it."""
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
