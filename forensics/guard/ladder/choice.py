"""Decide which profile comes next, from what fits, what failed and what held: a pure function."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from forensics.guard.ladder.profiles import GIB, Ladder, Profile

MARGIN = 256 << 20  # bytes that must be free beyond those with which a profile failed, or it fails again


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of a unit. profile: the last one chosen; held: the last one that held; wanted: chosen by hand for the next start.

    failed_with: profile → free bytes when it was chosen and then failed for want of memory: it needs more than was declared.
    boot, monotonic, at: when it was chosen; free: what was free then.
    """

    profile: str = ""
    held: str = ""
    wanted: str = ""
    failed_with: dict[str, int] = field(default_factory=dict)
    boot: str = ""
    monotonic: float = 0.0
    at: float = 0.0
    free: int | None = None


@dataclass(frozen=True, slots=True)
class Last:
    """How the attempt with the last profile went. lacked_memory: it failed for want of GPU memory; life_s: None where not known."""

    lacked_memory: bool = False
    life_s: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    rung: int
    reason: str
    memory: Memory


def fits(profile: Profile, free: Sequence[int]) -> bool:
    """Whether a profile fits into the free bytes of the GPUs."""
    if len(profile.needs) == 1:
        return sum(free) >= profile.total
    return len(free) >= len(profile.needs) and all(have >= need for have, need in zip(free, profile.needs, strict=False))


def wanted_rung(ladder: Ladder, memory: Memory, last: Last) -> int:
    """Return the rung that is wanted if it fits: the last one, one lower after a failure for want of memory, one higher after a hold."""
    by_hand, current = ladder.rung(memory.wanted), ladder.rung(memory.profile)
    if by_hand is not None:
        return by_hand
    if current is None:
        return ladder.rung(memory.held) or 0
    if last.lacked_memory:
        return min(current + 1, len(ladder.profiles) - 1)
    return max(current - 1, 0) if has_held(ladder, last) else current


def has_held(ladder: Ladder, last: Last) -> bool:
    return not last.lacked_memory and last.life_s is not None and last.life_s >= ladder.held_s


def choose(ladder: Ladder, memory: Memory, last: Last, free: Sequence[int] | None) -> Choice:
    """Choose a rung; free: bytes of each GPU, None where not known, which never leads upwards but by hand."""
    learned = _learned(ladder, memory, last)
    current, wanted = ladder.rung(memory.profile), wanted_rung(ladder, memory, last)
    if free is None:
        rung = wanted if memory.wanted or current is None else max(wanted, current)
        reason = _unknown(ladder, memory, last)
    else:
        rung, reason = _by_free(ladder, learned, wanted, free, _why(ladder, memory, last, wanted))
    held = memory.profile if has_held(ladder, last) else memory.held
    chosen = replace(learned, profile=ladder.profiles[rung].name, held=held, wanted="", free=None if free is None else sum(free))
    return Choice(rung, reason, chosen)


def _learned(ladder: Ladder, memory: Memory, last: Last) -> Memory:
    """Remember with how much free memory a profile failed, and forget it once it held."""
    others = {name: free for name, free in memory.failed_with.items() if name != memory.profile}
    if last.lacked_memory and memory.free is not None:
        return replace(memory, failed_with={**others, memory.profile: memory.free})
    return replace(memory, failed_with=others) if has_held(ladder, last) else memory


def _by_free(ladder: Ladder, memory: Memory, wanted: int, free: Sequence[int], why: str) -> tuple[int, str]:
    """Go down from the wanted rung to the first that fits and has not failed with as much."""
    last, current = len(ladder.profiles) - 1, ladder.rung(memory.profile)
    for rung in range(wanted, last + 1):
        profile = ladder.profiles[rung]
        failed_with = memory.failed_with.get(profile.name)
        if not fits(profile, free):
            why = f"{profile.name} needs {gib(profile.total)} of GPU memory"
        elif failed_with is not None and sum(free) < failed_with + MARGIN and not memory.wanted and rung != current:
            why = f"{profile.name} did not fit into {gib(failed_with)}"
        else:
            return rung, f"{gib(sum(free))} free; {why}"
    return last, f"{gib(sum(free))} free; no profile fits, so the smallest is tried"


def _why(ladder: Ladder, memory: Memory, last: Last, wanted: int) -> str:
    current = ladder.rung(memory.profile)
    if memory.wanted:
        return "chosen by hand"
    if current is None:
        return "the first that fits"
    if last.lacked_memory:
        return f"{memory.profile} did not fit last time" if wanted > current else "there is none smaller"
    return f"{memory.profile} held: one larger is tried" if wanted < current else "as last time"


def _unknown(ladder: Ladder, memory: Memory, last: Last) -> str:
    said = "free GPU memory is not known"
    if memory.wanted:
        return f"{said}; chosen by hand"
    if last.lacked_memory:
        return f"{said}; {memory.profile} did not fit last time"
    return f"{said}; as last time" if ladder.rung(memory.profile) is not None else f"{said}; the last that held, or the first"


def gib(size: float) -> str:
    return f"{size / GIB:.1f} GiB"
