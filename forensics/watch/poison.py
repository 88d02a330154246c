"""Find what breaks a batch by halves, so that the rest of it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from polars.exceptions import PanicException

BREAKING = (Exception, PanicException)  # polars' panics are no Exception
MOST_BROKEN = 64  # attempts at one batch: where everything breaks, the rest is given up at once

Item = TypeVar("Item")
Result = TypeVar("Result")


def by_halves(
    items: Sequence[Item], work: Callable[[Sequence[Item]], Result], give_up: Callable[[Sequence[Item], BaseException], object]
) -> Iterator[Result]:
    """Yield what `work` returns for the items; those that break it are found by halving and given up."""
    waiting, broken = [items] if len(items) else [], 0
    while waiting:
        part = waiting.pop()
        try:
            result = work(part)
        except BREAKING as error:
            broken += 1
            if len(part) == 1 or broken >= MOST_BROKEN:
                give_up(part, error)
            else:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
        else:
            yield result
