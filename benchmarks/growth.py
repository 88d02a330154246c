"""How the cost of each stage grows with its input, and what hostile input costs against ordinary input of the same size.

    python -m benchmarks.growth [--rounds 5] [--only NAME]

Each case measures two inputs in turn, in one process: CPU seconds of all threads, and the median over the rounds of the ratio of the two.
Where the second input is ten times the first, its cost may be at most eleven times as much. Exits with 1 where a ratio is above its limit.
"""

from __future__ import annotations

import argparse
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from forensics.changes import find_changes
from forensics.incidents import analyse
from forensics.incidents.phases import cuts
from forensics.journal.compression import Packed, decompress
from forensics.journal.format import VALUE_LIMIT, XZ, ZSTD
from forensics.journal.reader import load
from forensics.model.frames import EVENTS
from forensics.model.values import Window
from forensics.replay import replay, shipped
from forensics.resources import folder
from forensics.sanitize.redact import redactor
from forensics.signatures import catalogue, label
from tests.incidents.making import Tale, inputs_of, seed
from tests.journal.edge import edge_text
from tests.journal.objects import ENTRY_ARRAY, archive, layout
from tests.journal.oracle import make_journal
from tests.journal.payloads import pack
from tests.replay.histories import replay_inputs
from tests.signatures.making import attempt, attempts_frame, event, events_frame

Work = Callable[[], object]
TEN_TIMES = 11.0
ENTRY_ARRAY_OFFSET, ARENA_SIZE = 176, 96  # in a journal's header
MONTH = Window(datetime(2025, 11, 18, tzinfo=UTC), datetime(2025, 12, 18, tzinfo=UTC))
HOSTILE_PIECES = ("a", "api_key=", "-----BEGIN PRIVATE KEY-----", "eyJ", "Bearer ", "--token ", "x://", "sk-", "a:")


@dataclass(frozen=True, slots=True)
class Case:
    """Two inputs of the same work and by how much the second may cost more than the first."""

    first: Work
    second: Work
    limit: float = TEN_TIMES


def phases_of_a_mixture(restarts: int) -> Work:
    rng = np.random.default_rng(5)
    classes, cycles = rng.integers(0, 4, restarts), rng.uniform(5, 50, restarts)
    return lambda: cuts(classes, cycles, np.zeros(restarts, bool))


def phases_of_many_changes(restarts: int) -> Work:
    classes = (np.arange(restarts) // 300) % 3
    return lambda: cuts(classes, np.full(restarts, 12.0), np.zeros(restarts, bool))


def many_incidents(loops: int) -> Work:
    tale = Tale()
    for _ in range(loops):
        tale.fail(5).hold(15)
    inputs = inputs_of(tale)
    return lambda: analyse(inputs, Window(None, None))


def replayed(*tales: Tale) -> Work:
    inputs = replay_inputs(*tales)
    return lambda: replay(inputs, shipped())


def replay_of_units(count: int) -> Work:
    return replayed(*(Tale(f"app{number}.service").wait(600 * number).hold(20).fail(60).hold(20) for number in range(count)))


def replay_of_incidents(count: int) -> Work:
    tale = Tale()
    for _ in range(count):
        tale.fail(10).hold(15)
    return replayed(tale)


def replay_of_restarts(count: int) -> Work:
    return replayed(Tale().hold(20).fail(count).hold(20))


def seed_incident(other_entries: int) -> Work:
    inputs = seed(background=other_entries)

    def work() -> None:
        find_changes(inputs.entries, inputs.lifecycle)
        analyse(inputs, MONTH)

    return work


def labelling(attempts: int, lines: int = 30) -> Work:
    """Attempts that each end in an error line after 29 others, of which 5,000 are distinct."""
    patterns = catalogue.load([folder("patterns")])
    row = pl.int_range(attempts * lines, dtype=pl.UInt32, eager=True)
    example = events_frame(event("x", 9))
    constant = [name for name in EVENTS.names() if name not in {"event", "attempt", "row", "text"}]
    events = pl.select(event=row, attempt=row // lines, row=row).with_columns(
        pl.lit(example[name][0], EVENTS[name]).alias(name) for name in constant
    )
    is_last = pl.col("event") % lines == lines - 1
    text = pl.when(is_last).then(pl.lit("ERROR: no memory")).otherwise(pl.format("INFO: step {}", pl.col("event") % 5000))
    events = events.with_columns(text=text).select(EVENTS.names())
    numbers = pl.select(attempt=pl.int_range(attempts, dtype=pl.UInt32))
    frame = attempts_frame(attempt()).drop("attempt").join(numbers, how="cross").select(attempts_frame().columns)
    return lambda: label(events, frame, patterns)


def redacting(piece: str, characters: int) -> Work:
    line = piece * (characters // len(piece))
    return lambda: redactor([line])(line)


def bombs(count: int) -> Work:
    bomb = Packed(XZ, pack(XZ, b"MESSAGE=" + bytes(VALUE_LIMIT)))
    return lambda: list(decompress([bomb] * count, 0))


def bombs_and_good_values(how: int) -> Case:
    """A value that unpacks to more than the limit against one that unpacks to just the limit."""
    good, bomb = (Packed(how, pack(how, b"MESSAGE=" + bytes(VALUE_LIMIT - 8 + more))) for more in (0, 8))
    return Case(lambda: list(decompress([good] * 4, 0)), lambda: list(decompress([bomb] * 4, 0)), limit=2.0)


def nested_entry_arrays(sound: Path, directory: Path, count: int) -> Work:
    """A chain of entry arrays of which each holds all that follow: what they claim grows with the square of the file."""
    content = bytearray(sound.read_bytes())
    first = len(content)
    for number in range(count):
        at = first + 24 * number
        content += struct.pack("<QQQ", ENTRY_ARRAY, 24 * (count - number), at + 24 if number + 1 < count else 0)
    struct.pack_into("<Q", content, ENTRY_ARRAY_OFFSET, first)
    struct.pack_into("<Q", content, ARENA_SIZE, len(content) - layout(sound).header_size)
    path = directory / f"nested-{count}.journal"
    path.write_bytes(content)
    return lambda: load(path)


def sparse(sound: Path, directory: Path, size: int) -> Work:
    path = directory / f"sparse-{size}.journal"
    path.write_bytes(sound.read_bytes())
    with path.open("r+b") as stream:
        stream.truncate(size)
    return lambda: load(path)


def damaged(sound: Path, directory: Path, flips: int = 40, copies: int = 20) -> Case:
    """Copies with flipped bits against as many sound ones."""
    content, rng, paths = sound.read_bytes(), random.Random(1), []  # noqa: S311 - the same damage every time
    start = layout(sound).header_size
    for number in range(copies):
        spoilt = bytearray(content)
        for _ in range(flips):
            spoilt[rng.randrange(start, len(spoilt))] ^= 1 << rng.randrange(8)
        paths.append(directory / f"damaged-{number}.journal")
        paths[-1].write_bytes(spoilt)
    return Case(lambda: [load(sound) for _ in paths], lambda: [load(path) for path in paths], limit=3.0)


def tenfold(make: Callable[[int], Work], size: int) -> Case:
    return Case(make(size), make(10 * size))


def redacting_case(piece: str) -> Case:
    return tenfold(lambda characters: redacting(piece, characters), 40_000)


def cases(directory: Path) -> dict[str, Callable[[], Case]]:
    sound = archive(make_journal(edge_text(60), directory / "sound.journal"))
    large = archive(make_journal(edge_text(400), directory / "large.journal"))
    return {
        "phases of a mixture, ten times the restarts": lambda: tenfold(phases_of_a_mixture, 10_000),
        "phases of many changes, ten times the restarts": lambda: tenfold(phases_of_many_changes, 10_000),
        "incidents, ten times as many": lambda: tenfold(many_incidents, 40),
        "the seed incident, ten times the other entries": lambda: tenfold(seed_incident, 10_000),
        # nothing of a replay is paid once: the cost is ten times as high, and noise comes on top
        "replay, ten times the units": lambda: replace(tenfold(replay_of_units, 20), limit=12.0),
        "replay, ten times the incidents of a unit": lambda: replace(tenfold(replay_of_incidents, 40), limit=12.0),
        "replay, ten times the restarts of an incident": lambda: tenfold(replay_of_restarts, 1_400),
        "labelling, ten times the attempts": lambda: tenfold(labelling, 1_400),
        **{
            f"redacting {piece!r} again and again, ten times as long": lambda piece=piece: redacting_case(piece) for piece in HOSTILE_PIECES
        },
        "xz values above the limit, ten times as many": lambda: tenfold(bombs, 1),
        "zstd value above the limit against one at it": lambda: bombs_and_good_values(ZSTD),
        "xz value above the limit against one at it": lambda: bombs_and_good_values(XZ),
        "nested entry arrays, ten times as many": lambda: tenfold(lambda count: nested_entry_arrays(sound, directory, count), 10_000),
        "a sparse file of 6 GiB against one of 64 MiB": lambda: Case(
            sparse(sound, directory, 64 << 20), sparse(sound, directory, 6 << 30), limit=10.0
        ),
        "damaged journal files against sound ones": lambda: damaged(large, directory),
    }


def cpu_seconds(work: Work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(case: Case, rounds: int) -> tuple[float, float, float]:
    """(seconds of the first, seconds of the second, median ratio); the two take turns, the first of each is thrown away."""
    cpu_seconds(case.first), cpu_seconds(case.second)
    pairs = [(cpu_seconds(case.first), cpu_seconds(case.second)) for _ in range(rounds)]
    first, second = (statistics.median(column) for column in zip(*pairs, strict=True))
    return first, second, statistics.median(large / max(small, 1e-6) for small, large in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as directory:
        for name, make in cases(Path(directory)).items():
            if options.only not in name:
                continue
            case = make()
            first, second, ratio = measure(case, options.rounds)
            failed += ratio > case.limit
            print(f"{name:68s} {first:8.4f} s {second:8.4f} s {ratio:6.1f}× (at most {case.limit:.0f}×)", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
