"""Limit how much of a core a kind of work takes: bursts pass, sustained work is slowed down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Budget:
    """share: of one core, in the long run. most: seconds of work that may be saved up."""

    share: float
    most: float
    left: float = 0.0
    _at: float = float("-inf")

    def spend(self, begun: float, done: float) -> None:
        """Charge work done from `begun` to `done`, by a monotonic clock."""
        self.left = self._left(begun) - (done - begun)
        self._at = begun

    def ready(self, now: float) -> float:
        """Return the time from which on more work is allowed."""
        return now - min(0.0, self._left(now)) / self.share

    def _left(self, now: float) -> float:
        return min(self.most, self.left + (now - self._at) * self.share)
