"""Replay what keeps a unit from being started again: start limits, Restart= policies and gates.

After a limiter acts, the unit is down until somebody starts it or the host boots: such starts of the record are kept, automatic ones
are avoided, but for those that a gate tries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from forensics.model.values import LOST
from forensics.policy.breaker import CLOSED, OPEN, UNKNOWN, Breaker, Failure, Limits, asked, closed, failed, probed
from forensics.policy.restart_setting import POLICIES
from forensics.replay.history import Flags, Ints, UnitHistory

RELOADS_RESET_UNTIL = 254  # systemd keeps a start limit's window over daemon-reload since 255 (unit-serialize.c)


@dataclass(frozen=True, slots=True)
class StartLimit:
    """StartLimitBurst= starts within StartLimitIntervalSec=; no limit where one of them is 0."""

    burst: int
    interval_s: float

    def __str__(self) -> str:
        return f"{self.burst}/{self.interval_s:g}"


@dataclass(frozen=True, slots=True)
class Limited:
    """What a limiter makes of each start: kept, or refused where it acts; automatic ones that are not kept are avoided.

    acts: the starts after whose failure, or in whose place, it takes the unit down.
    """

    kept: Flags
    refused: Flags
    avoided: Flags
    acts: Flags
    most: Ints  # per start, how many had counted when it came: how near it was
    tried: Flags  # by a gate, after a cooldown


def start_limit(history: UnitHistory, limit: StartLimit, reloads: Ints | None = None) -> Limited:
    """Replay a fixed window as src/basic/ratelimit.c counts: the first start opens it, `burst` starts pass, the next one is refused.

    reloads: rows of ENTRIES at which the window opens anew, where systemd is old enough.
    """
    kept, refused, count = _all(history, value=True), _all(history, value=False), np.zeros(len(history.began), dtype=np.int64)
    if limit.burst <= 0 or limit.interval_s <= 0:
        return _limited(history, kept, refused, count)
    resets = _resets(history, reloads)
    begin: float | None = None
    number, boot, down = 0, -2, False
    columns = (history.clock, history.boot, history.automatic, history.counts, history.weight)
    rows = zip(*(column.tolist() for column in columns), resets, strict=True)
    for i, (clock, of_boot, automatic, counts, weight, reset) in enumerate(rows):
        if of_boot != boot:
            begin, boot, down = None, of_boot, False
        if reset:
            begin = None
        if down and automatic:
            kept[i] = False
            continue
        if not counts:
            continue
        if begin is None or clock - begin > limit.interval_s:
            begin, number = clock, 0
        number += weight
        count[i] = number
        down = number > limit.burst
        if down:
            kept[i], refused[i] = False, True
    return _limited(history, kept, refused, count)


def restart_policy(history: UnitHistory, policy: str) -> Limited:
    """Replay Restart=: what ends with a result that it does not restart stays down."""
    restarts = POLICIES[policy]
    allowed = {str(result): restarts(str(result)) for result in set(history.result.tolist())}
    return _closed_after(history, [not allowed[str(result)] for result in history.result.tolist()])


def gate(history: UnitHistory, limits: Limits, helps: Callable[[str], bool | None] = lambda _: None) -> Limited:
    """Replay a gate as `gate note` decides, with the tries after its cooldowns; the first recorded start after one is the try.

    helps: restart_helps of a class.
    """
    kept, acts, tried = _all(history, value=True), _all(history, value=False), _all(history, value=False)
    known = {str(name): helps(str(name)) for name in set(history.signature.tolist())}
    state, try_at, boot = Breaker(), 0.0, -2
    columns = (history.clock, history.lived_s, history.boot, history.automatic)
    rows = zip(*(column.tolist() for column in columns), _ends(history, known), strict=True)
    for i, (clock, lived_s, of_boot, automatic, end) in enumerate(rows):
        if of_boot != boot:  # what a gate remembers is in /run
            state, boot = Breaker(), of_boot
        if state.state == OPEN and automatic:
            if clock < try_at:
                kept[i] = False
                continue
            tried[i], state = True, probed(state)
        was_closed, state = state.state == CLOSED, _after(state, limits, end)
        if state.state == OPEN:
            acts[i], try_at = was_closed, clock + lived_s + state.cooldown_s
    none = _all(history, value=False)
    return Limited(kept, none, ~kept & history.automatic, acts, np.zeros(len(kept), dtype=np.int64), tried)


class _End(NamedTuple):
    """How a start ended, as a gate sees it."""

    failed: bool
    held: bool
    outcome: str
    failure: Failure
    weight: int


def _ends(history: UnitHistory, helps: Mapping[str, bool | None]) -> Iterator[_End]:
    failures = {name: UNKNOWN if name == LOST.id else Failure(name, helped) for name, helped in helps.items()}
    named = map(failures.__getitem__, map(str, history.signature.tolist()))
    columns = (history.failed, history.held, history.outcome)
    return map(_End, *(column.tolist() for column in columns), named, history.weight.tolist())


def _after(state: Breaker, limits: Limits, end: _End) -> Breaker:
    """Take the end of a start into account."""
    if end.held or (end.outcome == "clean" and not end.failed):
        state = closed(state)
    if not end.failed:
        return asked(state) if end.outcome == "stopped" else state
    opens = False
    for _ in range(min(end.weight, limits.any_class, limits.futile)):
        if not opens:
            state, opens = failed(state, limits, end.failure)
    return state


def what_is_left(history: UnitHistory, limited: Limited) -> UnitHistory:
    """Return the history that a limiter leaves: what it takes down is `failed` until the next start that it keeps."""
    followed_by = np.append(limited.refused[1:] & history.automatic[1:], False) if len(history.began) else limited.refused
    dropped = np.append(~limited.kept[1:] & history.automatic[1:], False) if len(history.began) else limited.refused
    left = history.only(np.flatnonzero(limited.kept))
    of_kept = limited.kept
    left.restart[dropped[of_kept] & ~followed_by[of_kept]] = np.nan
    left.refused[followed_by[of_kept]] = True
    return left


def _closed_after(history: UnitHistory, closes: list[bool]) -> Limited:
    """Take the unit down after the starts that are marked; refuse nothing."""
    kept, acts = _all(history, value=True), _all(history, value=False)
    down, automatic, boot = False, history.automatic.tolist(), history.boot.tolist()
    for i in range(1, len(closes)):
        if automatic[i] and boot[i] == boot[i - 1] and (down or closes[i - 1]):
            kept[i], acts[i - 1] = False, not down
            down = True
        else:
            down = False
    none = _all(history, value=False)
    return Limited(kept, none, ~kept & history.automatic, acts, np.zeros(len(kept), dtype=np.int64), none)


def _limited(history: UnitHistory, kept: Flags, refused: Flags, count: Ints) -> Limited:
    return Limited(kept, refused, ~kept & history.automatic, refused, count, _all(history, value=False))


def _resets(history: UnitHistory, reloads: Ints | None) -> list[bool]:
    """Mark the starts before which, since the start before, the window was opened anew."""
    if reloads is None or not len(reloads):
        return [False] * len(history.row)
    before = np.searchsorted(np.sort(reloads), history.row)
    return [bool(more) for more in np.diff(before, prepend=0) > 0]


def _all(history: UnitHistory, *, value: bool) -> Flags:
    return np.full(len(history.began), value)
