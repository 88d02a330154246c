"""Choose the profile of the start that is under way, write it for systemd, and remember it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from forensics.guard.ladder.choice import Choice, Memory, choose, fits, gib, wanted_rung
from forensics.guard.ladder.gpus import free_memory
from forensics.guard.ladder.last_attempt import boot_id, last_attempt
from forensics.guard.ladder.profiles import Ladder, read_ladder
from forensics.guard.ladder.record import environment_file, read_memory, record_file, write_environment, write_memory
from forensics.guard.systemctl import Manager
from forensics.unit_file import seconds

POLL_S, STILL_S = 1.0, 5.0  # how long no memory must be freed until nothing more is waited for
GROWTH = 64 << 20  # bytes
RESERVED_S = 6.0  # for one more question about the memory, and for writing
WITHIN_S, SHARE = 40.0, 0.5  # of TimeoutStartSec=, after which systemd calls the start failed


def time_left(manager: Manager, unit: str) -> float:
    """Return how long a choice may take, so that the start does not fail for it. Raises NoManagerError."""
    return min(WITHIN_S, SHARE * (seconds(manager.show(unit, "TimeoutStartUSec")["TimeoutStartUSec"]) or WITHIN_S / SHARE))


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen. sentence: for the unit's own log."""

    choice: Choice
    sentence: str


def choose_profile(manager: Manager, unit: str, file: Path, environment: Mapping[str, str], within_s: float) -> Chosen:
    """Choose, write and remember a profile. Raises UsageError for a mistake in the file, OSError where nothing can be written."""
    ends = time.monotonic() + within_s
    ladder, record = read_ladder(file), record_file(manager, unit)
    memory = read_memory(record)
    lost = "; what was known of the unit was damaged" if record.exists() and memory == Memory() else ""
    last = last_attempt(manager, unit, memory)
    profile = ladder.profiles[wanted_rung(ladder, memory, last)]
    ladder = replace(ladder, wait_s=min(ladder.wait_s, ends - time.monotonic() - RESERVED_S))
    free = settled(ladder, lambda: free_memory(ladder.gpus, environment), lambda found: fits(profile, found))
    choice = choose(ladder, memory, last, free)
    chosen = ladder.profiles[choice.rung]
    write_environment(environment_file(manager, unit), chosen.environment)
    lost += _remember(record, choice.memory)
    place = f"{choice.rung + 1} of {len(ladder.profiles)}"
    return Chosen(choice, f"profile {chosen.name} ({place}, {gib(chosen.total)}): {choice.reason}{lost}")


def settled(
    ladder: Ladder,
    ask: Callable[[], Sequence[int] | None],
    is_enough: Callable[[Sequence[int]], bool],
    sleep: Callable[[float], None] = time.sleep,
) -> Sequence[int] | None:
    """Return the free bytes, once they are enough or nothing more is freed: a process that ended a moment ago still holds its memory."""
    free = ask()
    before, waited, still = free, 0.0, 0.0
    while free is not None and before is not None and not is_enough(free) and waited < ladder.wait_s and still < STILL_S:
        sleep(POLL_S)
        waited, still = waited + POLL_S, still + POLL_S
        free = ask() or free
        if sum(free) >= sum(before) + GROWTH:
            before, still = free, 0.0
    return free


def step_up(manager: Manager, unit: str, file: Path) -> str:
    """Choose the next larger profile for the next start, by hand; return its name, "" where there is none."""
    ladder, memory = read_ladder(file), read_memory(record_file(manager, unit))
    current = ladder.rung(memory.profile)
    if not current:
        return ""
    name = ladder.profiles[current - 1].name
    failed_with = {profile: free for profile, free in memory.failed_with.items() if profile != name}
    write_memory(record_file(manager, unit), replace(memory, wanted=name, failed_with=failed_with))
    return name


def _remember(record: Path, memory: Memory) -> str:
    """Remember a choice; return what kept it from being remembered."""
    now = replace(memory, boot=boot_id(), monotonic=time.clock_gettime(time.CLOCK_MONOTONIC), at=time.time())
    try:
        write_memory(record, now)
    except OSError as error:
        return f"; it could not be remembered ({error.strerror})"
    return ""
