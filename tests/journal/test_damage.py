"""Damage costs the entries it touches and no other, is on record, and raises nothing."""

import random
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from forensics.journal.columns import Batch
from forensics.journal.damage import RECORDS_PER_FILE, DamageLog
from forensics.journal.reader import NotAJournal, load
from forensics.model.values import Damage
from tests.journal.edge import edge_text
from tests.journal.objects import DATA, ENTRY, ENTRY_ARRAY, Layout, archive, layout
from tests.journal.oracle import fixture_text, make_journal, needs_systemd

pytestmark = [pytest.mark.real, needs_systemd]
Ranges = list[tuple[int, int]]
Spoil = Callable[[bytearray, Layout, random.Random], Ranges]  # changes the content, says where


@dataclass(frozen=True)
class Original:
    content: bytes
    table: pa.Table
    rows: dict[int, dict[str, object]]  # offset → row
    layout: Layout


def own_columns(batch: Batch) -> pa.Table:
    """`bytes` counts from the entry before, so it is not an entry's own."""
    own = batch.table.drop_columns(["bytes", "file", "seqnum_id"])
    return own.cast(pa.schema([(field.name, getattr(field.type, "value_type", field.type)) for field in own.schema]))


def rows_of(batch: Batch) -> dict[int, dict[str, object]]:
    return {row["offset"]: row for row in own_columns(batch).to_pylist()}


def as_original(path: Path) -> Original:
    batch = load(archive(path))
    assert batch.damage == ()
    return Original(path.read_bytes(), own_columns(batch), rows_of(batch), layout(path))


@pytest.fixture(scope="module", params=["compact", "regular"])
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Original:
    path = tmp_path_factory.mktemp("original") / "a.journal"
    make_journal(fixture_text("252-events"), path, compact=request.param == "compact")
    return as_original(path)


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Original:
    return as_original(make_journal(edge_text(400), tmp_path_factory.mktemp("edge") / "a.journal"))


def read(path: Path, content: bytes) -> Batch | None:
    """What is read of the content; None when the file is refused. Anything else that is raised fails the test."""
    path.write_bytes(content)
    try:
        return load(path)
    except NotAJournal:
        return None


def check(original: Original, batch: Batch, ranges: Ranges) -> None:
    """Every entry that the damage does not concern is there and unchanged; what is missing is on record."""
    if own_columns(batch).equals(original.table):
        return
    untouched = pa.array(original.rows.keys() - original.layout.concerned(ranges), pa.int64())
    now, before = (table.filter(pc.is_in(table["offset"], untouched)) for table in (own_columns(batch), original.table))
    if not now.equals(before):
        rows = {row["offset"]: row for row in now.to_pylist()}
        assert rows == {row["offset"]: row for row in before.to_pylist()}
    if batch.table.num_rows < original.table.num_rows:
        assert batch.damage
    assert len(batch.damage) <= RECORDS_PER_FILE + 1


@pytest.mark.parametrize(("original", "change"), [("compact", 0xFF), ("regular", 0x01)], indirect=["original"])
def test_every_byte_of_the_header(original: Original, tmp_path: Path, change: int):
    refused = 0
    for at in range(original.layout.header_size):
        content = bytearray(original.content)
        content[at] ^= change
        batch = read(tmp_path / "a.journal", content)
        if batch is None:
            refused += 1
            assert at < 16, at  # signature and incompatible flags
        elif not own_columns(batch).equals(original.table):
            assert batch.damage, at
            assert at >= 12, at
    assert refused >= 8


def flip(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    at = rng.randrange(found.header_size, found.end)
    content[at] ^= 1 << rng.randrange(8)
    return [(at, at + 1)]


def flip_in(kind: int) -> Spoil:
    def spoil(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
        at = rng.choice(found.of(kind))
        at += rng.randrange(min(found.objects[at][1], 80))
        content[at] ^= 1 << rng.randrange(8)
        return [(at, at + 1)]

    return spoil


def many_flips(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    return [flip(content, found, rng)[0] for _ in range(30)]


def absurd_size(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    at = rng.choice(list(found.objects))
    struct.pack_into("<Q", content, at + 8, rng.choice([0, 1, 15, 16, 63, 64, 65, 2**20, 2**31, 2**32, 2**40, 2**63, 2**64 - 1]))
    return [(at, at + 16)]


def zero_pages(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    at = rng.randrange(found.header_size, found.end) & ~4095 or found.header_size
    stop = min(found.end, (at & ~4095) + 4096 * rng.choice([1, 2, 16]))
    content[at:stop] = bytes(stop - at)
    return [(at, stop)]


def random_pages(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    at = rng.randrange(found.header_size, found.end) & ~4095 or found.header_size
    stop = min(found.end, (at & ~4095) + 4096)
    content[at:stop] = rng.randbytes(stop - at)
    return [(at, stop)]


def swap_values(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    """Swap two words of two entries: pointers, sizes, times, whatever they hold."""
    first, second = (at + 8 * rng.randrange(12) for at in rng.sample(found.of(ENTRY)[:-2], 2))
    content[first : first + 8], content[second : second + 8] = content[second : second + 8], content[first : first + 8]
    return [(first, first + 8), (second, second + 8)]


def point_anywhere(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    """An item of an entry points somewhere else: outside, into an object, at an entry."""
    at = rng.choice(found.of(ENTRY)) + 64
    struct.pack_into(
        "<I",
        content,
        at,
        rng.choice([0, 1, 8, found.end, found.end - 8, 2**32 - 8, rng.randrange(found.end) & ~7, rng.choice(found.of(ENTRY))]),
    )
    return [(at, at + 4)]


def break_the_chain(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    """The chain of entry arrays loops, or leaves the file, or a slot of it is spoiled. No entry is touched."""
    at = rng.choice(found.of(ENTRY_ARRAY))
    if rng.randrange(2):
        struct.pack_into("<Q", content, at + 16, rng.choice([at, *found.of(ENTRY_ARRAY), 2**63, 2**64 - 1, found.end, found.end - 8, 4, 0]))
    else:
        target = rng.choice([1, 8, found.end, 2**31, rng.choice(found.of(ENTRY)), rng.choice(found.of(DATA)), rng.randrange(found.end)])
        struct.pack_into("<I", content, at + 24 + 4 * rng.randrange(4), target)
    return [(at, at)]


def cut_off(content: bytearray, found: Layout, rng: random.Random) -> Ranges:
    at = rng.randrange(found.header_size, found.end)
    del content[at:]
    return [(at, found.end)]


SPOILS: dict[str, tuple[Spoil, int]] = {
    "a flipped bit": (flip, 24),
    "a flipped bit in an entry": (flip_in(ENTRY), 24),
    "a flipped bit in a value": (flip_in(DATA), 24),
    "a flipped bit in an entry array": (flip_in(ENTRY_ARRAY), 16),
    "thirty flipped bits": (many_flips, 8),
    "an absurd size": (absurd_size, 24),
    "zeroed pages": (zero_pages, 16),
    "pages of noise": (random_pages, 12),
    "swapped words": (swap_values, 16),
    "a wild pointer": (point_anywhere, 20),
    "a broken chain": (break_the_chain, 24),
    "a cut": (cut_off, 16),
}


@pytest.mark.parametrize("what", SPOILS)
def test_damage_costs_only_what_it_touches(original: Original, tmp_path: Path, what: str):
    spoil, times = SPOILS[what]
    rng = random.Random(what)  # noqa: S311 — the same damage every time
    for _ in range(times):
        content = bytearray(original.content)
        ranges = spoil(content, original.layout, rng)
        batch = read(tmp_path / "a.journal", content)
        assert batch is not None
        check(original, batch, ranges)


@pytest.mark.parametrize("what", ["a flipped bit", "thirty flipped bits", "a wild pointer", "zeroed pages"])
def test_damage_costs_only_what_it_touches_where_values_are_strange(edge: Original, tmp_path: Path, what: str):
    spoil, times = SPOILS[what]
    rng = random.Random(what)  # noqa: S311
    for _ in range(times):
        content = bytearray(edge.content)
        ranges = spoil(content, edge.layout, rng)
        batch = read(tmp_path / "a.journal", content)
        assert batch is not None
        check(edge, batch, ranges)


def test_noise_after_a_journals_signature_is_survived(original: Original, tmp_path: Path):
    rng = random.Random(1)  # noqa: S311
    for _ in range(40):
        content = bytearray(original.content[:16] + rng.randbytes(60_000))
        if rng.randrange(2):
            content[: original.layout.header_size] = original.content[: original.layout.header_size]
        batch = read(tmp_path / "a.journal", content)
        assert batch is not None
        assert batch.damage


ENTRY_ARRAY_OFFSET = 176  # in the header


def test_without_the_chain_only_what_is_damaged_is_lost(original: Original, tmp_path: Path):
    """An entry in front of a damaged object is found too, though it does not end at an object any more."""
    content, found = bytearray(original.content), original.layout
    offsets = sorted(found.objects)
    struct.pack_into("<Q", content, ENTRY_ARRAY_OFFSET, 0)
    spoilt = [after for at, after in pairwise(offsets) if found.objects[at][0] == ENTRY and found.objects[after][0] == DATA][::7]
    for at in spoilt:
        content[at] = 99
    batch = read(tmp_path / "a.journal", content)
    assert batch is not None
    assert len(spoilt) > 10
    check(original, batch, [(at, at + 1) for at in spoilt])
    assert batch.table.num_rows == original.table.num_rows


def test_an_old_page_in_place_of_another_costs_no_entry_elsewhere(original: Original, tmp_path: Path):
    entries = original.layout.of(ENTRY)
    old, new = entries[100] & ~4095, entries[700] & ~4095
    content = bytearray(original.content)
    content[new : new + 4096] = content[old : old + 4096]
    batch = read(tmp_path / "a.journal", content)
    assert batch is not None
    check(original, batch, [(new - 4096, new + 8192)])
    assert batch.damage


def test_values_that_claim_the_rest_of_the_file_take_no_memory(original: Original, tmp_path: Path):
    content = bytearray(original.content)
    for at in original.layout.of(DATA):
        struct.pack_into("<Q", content, at + 8, len(content) - at)
    tracemalloc.start()
    batch = read(tmp_path / "a.journal", content)
    assert tracemalloc.get_traced_memory()[1] < 300 << 20
    tracemalloc.stop()
    assert batch is not None
    assert batch.table.num_rows == original.table.num_rows
    assert sum(map(len, filter(None, batch.table["message"].to_pylist()))) <= len(content)
    assert batch.damage


def test_a_value_that_is_only_zeros_is_on_record(original: Original, tmp_path: Path):
    head = 72 if original.layout.compact else 64
    row = next(row for row in original.rows.values() if row["message"] and row["message"].endswith("Failed with result 'exit-code'."))
    value = original.content.index(b"MESSAGE=" + row["message"].encode()) - head
    content = bytearray(original.content)
    content[value + head : value + original.layout.objects[value][1]] = bytes(original.layout.objects[value][1] - head)
    batch = read(tmp_path / "a.journal", content)
    assert batch is not None
    assert [damage.offset for damage in batch.damage] == [value]


def test_damage_is_recorded_with_its_offset(original: Original, tmp_path: Path):
    path = tmp_path / "a.journal"
    entry = original.layout.of(ENTRY)[7]
    content = bytearray(original.content)
    content[entry + 8] ^= 4
    batch = read(path, content)
    assert batch is not None
    assert Damage(str(path), entry, "an entry is damaged") in batch.damage
    assert batch.table.num_rows == len(original.rows) - 1


def test_an_entry_is_kept_without_its_damaged_value(original: Original, tmp_path: Path):
    path = tmp_path / "a.journal"
    row = next(row for row in original.rows.values() if row["message"] and row["message"].endswith("Failed with result 'exit-code'."))
    value = original.content.index(b"MESSAGE=" + row["message"].encode()) - (72 if original.layout.compact else 64)
    content = bytearray(original.content)
    content[value] = 200
    batch = read(path, content)
    assert batch is not None
    assert rows_of(batch)[row["offset"]] == row | {"message": None}
    assert batch.damage == (Damage(str(path), value, "a value is damaged; entries that have it are read without it"),)


def test_a_thousand_damaged_entries_are_a_short_list(original: Original, tmp_path: Path):
    content = bytearray(original.content)
    for entry in original.layout.of(ENTRY)[:1000]:
        content[entry] = 99
    batch = read(tmp_path / "a.journal", content)
    assert batch is not None
    assert batch.table.num_rows == len(original.rows) - 1000
    assert any("992 more" in damage.reason for damage in batch.damage)
    assert len(batch.damage) <= RECORDS_PER_FILE


def test_the_list_of_damage_is_bounded_whatever_happens():
    log = DamageLog("f")
    for number in range(500):
        log.add(number, f"kind {number % 120}")
    assert len(log.records()) <= RECORDS_PER_FILE + 1
    assert sum(1 for record in log.records() if "more damaged spots" in record.reason) == 1
