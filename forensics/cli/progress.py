"""Show on a terminal how far something is, and how much longer it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from forensics.wording import spoken_duration

BETWEEN_S = 0.25  # updates
CELLS = 30
JUDGED_AFTER_S, JUDGED_FROM = 2.0, 0.02  # an estimate before that jumps about


@dataclass(slots=True)
class Progress:
    """A bar, drawn over itself, that is gone at the end; to be called with (done, total)."""

    label: str
    stream: TextIO
    columns: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    _began: float | None = field(default=None, init=False)
    _drawn: float | None = field(default=None, init=False)

    def __call__(self, done: int, total: int) -> None:
        now = self.clock()
        self._began = now if self._began is None else self._began
        if done >= total:
            self.clear()
            self._began = None
        elif self._drawn is not None and now - self._drawn < BETWEEN_S:
            return
        else:
            self._drawn = now
            self.stream.write(f"\r{self._line(done / total, now - self._began)[: self.columns() - 1]}\033[K")
        self.stream.flush()

    def clear(self) -> None:
        """Take the bar away until the next update."""
        if self._drawn is not None:
            self._drawn = None
            self.stream.write("\r\033[K")
            self.stream.flush()

    def _line(self, share: float, elapsed: float) -> str:
        filled = int(share * CELLS)
        return f"{self.label} [{'█' * filled}{'░' * (CELLS - filled)}] {min(share, 0.99):4.0%}{_left(share, elapsed)}"


def _left(share: float, elapsed: float) -> str:
    """Estimate the time left from the share that is done, once that is worth something."""
    if elapsed < JUDGED_AFTER_S or share < JUDGED_FROM:
        return ""
    seconds = elapsed * (1 - share) / share
    step = 1 if seconds < 20 else 5 if seconds < 120 else 60
    return f", about {spoken_duration(max(step, round(seconds / step) * step))} left"
