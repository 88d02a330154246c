"""Write samples in the notation of promtool's unit tests, where `2x5` is six times 2 and `0+1x3` is 0 1 2 3."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

SHORTEST_RUN = 3  # equal steps that are worth writing as one


def notation(samples: Sequence[float | None]) -> str:
    """Write samples, one per interval; None is a missing one."""
    words: list[str] = []
    at = 0
    while at < len(samples):
        length = _run(samples, at)
        words.append(_word(samples, at, length))
        at += length
    return " ".join(words)


def _run(samples: Sequence[float | None], at: int) -> int:
    """Count the samples from `at` on that differ by one and the same step; one where they are too few to be written together."""
    first = samples[at]
    end = at + 1
    if first is None:
        while end < len(samples) and samples[end] is None:
            end += 1
        return end - at
    step = _step(samples, at)
    while step is not None and _step(samples, end - 1) == step:
        end += 1
    return end - at if end - at > SHORTEST_RUN or (step == 0 and end - at == SHORTEST_RUN) else 1


def _step(samples: Sequence[float | None], at: int) -> float | None:
    """Return the step to the next sample; none where one of them is missing or no whole number, whose sums could be rounded."""
    if at + 1 >= len(samples):
        return None
    here, there = samples[at], samples[at + 1]
    if here is None or there is None or not (float(here).is_integer() and float(there).is_integer()):
        return None
    return there - here


def _word(samples: Sequence[float | None], at: int, length: int) -> str:
    first = samples[at]
    if first is None:
        return "_" if length == 1 else f"_x{length}"
    if length == 1:
        return _number(first)
    step = _step(samples, at) or 0.0
    change = "" if step == 0 else f"{'+' if step > 0 else '-'}{_number(abs(step))}"
    return f"{_number(first)}{change}x{length - 1}"


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written for promtool")
    return f"{int(value)}" if float(value).is_integer() else format(Decimal(repr(float(value))), "f")  # the minus of 1e-9 is a step
