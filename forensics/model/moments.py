"""Measure time between two entries: by the boot's own clock where one boot has both, else by the wall clock."""

from __future__ import annotations

from typing import NamedTuple


class Moment(NamedTuple):
    """time: µs since 1970, which may step. clock: µs since `boot` began, null where that clock cannot be trusted."""

    time: int
    clock: int | None = None
    boot: str = ""


def elapsed_s(earlier: Moment, later: Moment) -> float:
    """Return the seconds between two moments; negative when the wall clock was set back between two boots."""
    if earlier.clock is not None and later.clock is not None and earlier.boot == later.boot:
        return (later.clock - earlier.clock) / 1e6
    return (later.time - earlier.time) / 1e6
