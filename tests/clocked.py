"""Journals of a machine whose wall clock is set, or that sleeps."""

from tests.attempts.building import T0, Journal


class Clocked(Journal):
    """A journal in which the wall clock can move by itself. `ahead`: µs that it has moved."""

    def __init__(self, **options: str) -> None:
        super().__init__(**options)
        self.ahead, self.began = 0, 0

    def add(self, after, fields):
        line = super().add(after, fields)
        line["__REALTIME_TIMESTAMP"] = str(T0 + self.now + self.ahead)
        line["__MONOTONIC_TIMESTAMP"] = str(1_000_000 + self.now - self.began)
        return line

    def ticks(self, times=5, after=10.0):
        for _ in range(times):
            self.kernel("tick", after=after)
        return self

    def wall_moves(self, seconds):
        self.ahead += int(seconds * 1e6)
        return self

    def boots(self, boot, *, wall_moves=0.0):
        self.boot, self.began = boot, self.now
        return self.wall_moves(wall_moves)
