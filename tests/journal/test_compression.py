"""Values in every compression that journald has had, and payloads that lie about what they hold."""

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from forensics.journal import compression
from forensics.journal.compression import BROKEN, TOO_BIG, TOO_MUCH, Packed, decompress
from forensics.journal.decode import load_block
from forensics.journal.format import LZ4, VALUE_LIMIT, XZ, ZSTD
from tests.journal.objects import DATA, layout
from tests.journal.oracle import export, fixture_text, journalctl, make_journal, needs_systemd
from tests.journal.payloads import pack

FLAGS = {XZ: 1, LZ4: 2, ZSTD: 8}  # of a DATA object → incompatible flag of the file


@pytest.mark.real
@needs_systemd
@pytest.mark.parametrize("compact", [True, False])
@pytest.mark.parametrize("how", [XZ, LZ4])
def test_values_in_another_compression_are_read_as_journalctl_reads_them(tmp_path: Path, how: int, compact: bool):
    """As systemd 252 writes only zstd, each value is packed anew in its place: what is smaller leaves the space behind it unused."""
    path = make_journal(fixture_text("252-events"), tmp_path / "a.journal", compact=compact, compress=False)
    head = 72 if compact else 64
    found, content, repacked = layout(path), bytearray(path.read_bytes()), 0
    content[12] |= FLAGS[how]
    for at in found.of(DATA):
        size = found.objects[at][1]
        packed = pack(how, bytes(content[at + head : at + size]))
        # an object ends where the next begins, so its aligned size must stay
        if size > 512 and (gap := (size + 7 & ~7) - head - len(packed)) >= 64:
            content[at + 1] |= how
            struct.pack_into("<Q", content, at + 8, head + len(packed))
            content[at + head : at + head + len(packed)] = packed
            unused = at + (head + len(packed) + 7 & ~7)
            rest = at + (size + 7 & ~7) - unused
            content[unused : unused + rest] = struct.pack("<QQ", 7, rest).ljust(rest, b"\0")  # a TAG object, which readers pass over
            repacked += gap > 0
    path.write_bytes(content)
    assert repacked >= 10
    block = load_block(path, ["MESSAGE"])
    shown = [line for line in journalctl(path, "-o", "cat").decode("utf-8", "backslashreplace").splitlines() if line]
    messages = [text for text in block.column(0).to_pylist() if text]
    assert [line for text in messages for line in text.splitlines() if line] == shown
    assert block.damage == ()


@pytest.mark.parametrize("how", [XZ, LZ4, ZSTD])
@pytest.mark.parametrize("size", [1, 511, 512, 513, 100_000])
def test_decompressing_restores_what_was_compressed(how: int, size: int):
    plain = (b"MESSAGE=" + b"0123456789 " * (size // 11 + 1))[:size]
    assert list(decompress([Packed(how, pack(how, plain))] * 3, 0)) == [plain] * 3


def test_a_mixture_keeps_its_order():
    values = [(how, b"A=%d" % number * 200) for number in range(30) for how in (ZSTD, ZSTD, LZ4, XZ)]
    assert list(decompress([Packed(how, pack(how, plain)) for how, plain in values], 0)) == [plain for _, plain in values]


@pytest.mark.parametrize("how", [XZ, LZ4, ZSTD, 3, 7])
@pytest.mark.parametrize("raw", [b"", b"x", b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfd\x60", bytes(100), b"\xff" * 100, b"\xfd7zXZ\x00"])
def test_a_broken_payload_is_reported_and_costs_no_other(how: int, raw: bytes):
    good = Packed(ZSTD, pack(ZSTD, b"A=good" * 100))
    before, broken, after = decompress([good, Packed(how, raw), good], 0)
    assert before == after == b"A=good" * 100
    assert broken in (BROKEN, TOO_BIG)


@pytest.mark.parametrize("how", [XZ, LZ4, ZSTD])
def test_every_flipped_byte_of_a_payload_is_survived(how: int):
    plain = b"MESSAGE=" + bytes(range(256)) * 8
    packed = pack(how, plain)
    for at in range(len(packed)):
        spoiled = bytearray(packed)
        spoiled[at] ^= 0xFF
        assert len(list(decompress([Packed(how, bytes(spoiled))], 0))) == 1


@pytest.mark.parametrize("how", [XZ, LZ4, ZSTD])
def test_a_bomb_is_left_out_and_costs_no_other_value(how: int):
    bomb, good = Packed(how, pack(how, b"MESSAGE=" + bytes(VALUE_LIMIT))), Packed(how, pack(how, b"A=good" * 100))
    assert list(decompress([bomb, good, bomb, good], 0)) == [TOO_BIG, b"A=good" * 100] * 2


@pytest.mark.parametrize("limit", ["KEPT_LIMIT", "WORK_LIMIT"])
@pytest.mark.parametrize("how", [XZ, LZ4, ZSTD])
def test_many_small_bombs_are_stopped_together(how: int, limit: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(compression, limit, 10 << 20)
    value = Packed(how, pack(how, b"MESSAGE=" + bytes(1 << 20)))
    results = list(decompress([value] * 100, 0))
    read = [plain for plain in results if plain != TOO_MUCH]
    assert len(results) == 100
    assert 10 // compression.XZ_WORK <= len(read) <= 9 + compression.BATCH_BYTES // (1 << 20)
    assert results[-1] == TOO_MUCH


def test_unwanted_fields_do_not_count_towards_the_limit(monkeypatch: pytest.MonkeyPatch):
    """A core dump's maps are big, shrink 15 times and come with every crash of a loop."""
    monkeypatch.setattr(compression, "KEPT_LIMIT", 1 << 20)
    maps, message = (Packed(ZSTD, pack(ZSTD, name + bytes(1 << 19))) for name in (b"COREDUMP_PROC_MAPS=", b"MESSAGE="))
    results = list(decompress([maps] * 20 + [message], 0, b"MESSAGE".__eq__))
    assert results == [b"COREDUMP_PROC_MAPS="] * 20 + [b"MESSAGE=" + bytes(1 << 19)]


@pytest.mark.real
@needs_systemd
@pytest.mark.parametrize(("how", "head"), [(XZ, 64), (ZSTD, 64), (ZSTD, 72)])
def test_bombs_in_a_file_cost_neither_its_entries_nor_the_memory(tmp_path: Path, how: int, head: int):
    compact = head == 72
    rng = random.Random(1)  # noqa: S311 — the same bytes every time
    boot = ("_BOOT_ID", b"%032x" % 5)
    entries = [[*times(n), boot, ("_PID", b"%d" % n), ("MESSAGE", rng.randbytes(12_000))] for n in range(1, 41)]
    path = make_journal(export(entries), tmp_path / "a.journal", compact=compact, compress=False)
    found, content, bomb = layout(path), bytearray(path.read_bytes()), pack(how, b"MESSAGE=" + bytes(VALUE_LIMIT - 10))
    content[12] |= FLAGS[how]
    for at in found.of(DATA):
        if found.objects[at][1] > len(bomb) + head:
            content[at + 1] |= how
            struct.pack_into("<Q", content, at + 8, head + len(bomb))
            content[at + head : at + head + len(bomb)] = bomb
    path.write_bytes(content)
    code = (
        "import sys, pathlib; from forensics.journal.reader import load; batch = load(pathlib.Path(sys.argv[1]));"
        "peak = next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM'));"
        "print(batch.table.num_rows, len(set(batch.table['pid'].to_pylist())), len(batch.damage), peak < 500 << 10)"
    )
    printed = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True).stdout.split()
    assert printed == ["40", "40", "9", "True"]


def times(number: int) -> list[tuple[str, bytes]]:
    return [("__REALTIME_TIMESTAMP", b"%d" % (1_760_000_000_000_000 + number)), ("__MONOTONIC_TIMESTAMP", b"%d" % number)]
