"""Measure how many bytes `watch` writes with each commit of its state after a storm of failure classes.

python -m benchmarks.state_writes
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from forensics.watch.batch import BatchFacts, Boot
from forensics.watch.state import Position, State
from forensics.watch.tracker import Tracker
from tests.hostile.storms import fails, mined
from tests.watch.stories import STEADY, moment

CLASSES, COMMITS = 3000, 30


def written() -> dict[str, int]:
    """Bytes that this process has passed to write(2), and those that reached the disk."""
    values = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {name: int(values[name]) for name in ("wchar", "write_bytes")}


def measure(state: State, tracker: Tracker, what: str, step: Callable[[int], object]) -> None:
    """Print the cost of a commit, as the mean of COMMITS."""
    spent, before = 0.0, written()
    for number in range(COMMITS):
        step(number)
        begun = time.process_time()
        state.commit(Position(f"s=0123456789abcdef;i={number:x}", "s=0123456789abcdef;i=1"), tracker, [], ("hook",), {}, 0)
        spent += time.process_time() - begun
    kilobytes = {name: (value - before[name]) / COMMITS / 1000 for name, value in written().items()}
    print(f"{what}: write(2) {kilobytes['wchar']:.1f} KB, disk {kilobytes['write_bytes']:.1f} KB, CPU {spent / COMMITS * 1000:.1f} ms")


def main() -> None:
    tracker = Tracker()
    fails(tracker, mined(CLASSES))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:  # on a disk, not in memory
        state = State.open(Path(folder))
        state.commit(Position(), tracker, [], ("hook",), {}, 0)

        def line(number: int) -> None:
            steady = STEADY + 400 + number
            tracker.read(BatchFacts(boots=(Boot("m1", "hydra", moment(400 + number)),)), steady)

        measure(state, tracker, "an ordinary line", line)
        measure(state, tracker, "a new class", lambda number: fails(tracker, mined(1, 5000 + number), begin=500.0 + number))
        print(f"state: {(Path(folder) / 'watch.sqlite').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
