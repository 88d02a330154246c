"""Exported streams against the binary files they come from, and against everything that can happen to a pipe."""

import io
import json
import struct
import tracemalloc

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forensics.errors import ForensicsError
from forensics.journal import export_format, json_lines, stream
from forensics.journal.columns import SCHEMA
from forensics.journal.reader import load
from forensics.journal.stream import read_stream
from tests.journal.edge import edge_text
from tests.journal.oracle import fixture_text, journalctl, make_journal, needs_systemd

HEAD = b"__CURSOR=s=%032x;i=%x;b=%032x;m=1;t=1;x=1\n__REALTIME_TIMESTAMP=%d\n__MONOTONIC_TIMESTAMP=%d\n_BOOT_ID=%032x\n"
OF_THE_FILE = ("file", "offset", "bytes")


def entry(number: int, fields: bytes) -> bytes:
    return HEAD % (5, number, 7, 1_700_000_000_000_000 + number, number, 7) + fields + b"\n"


def read(text: bytes, **options):
    batches = list(read_stream(io.BytesIO(text), "x", **options))
    tables = [batch.table for batch in batches] or [SCHEMA.empty_table()]
    return pa.concat_tables(tables), [record for batch in batches for record in batch.damage]


def messages(text: bytes) -> list[str | None]:
    return read(text)[0]["message"].to_pylist()


def without_positions(table: pa.Table) -> dict:
    return {name: table[name].to_pylist() for name in table.column_names if name not in OF_THE_FILE}


@needs_systemd
@pytest.mark.parametrize("form", ["export", "json"])
@pytest.mark.parametrize("text", [fixture_text("252-events"), edge_text()], ids=["recorded", "edge"])
def test_a_stream_of_a_file_holds_what_the_file_holds(text, form, tmp_path):
    path = make_journal(text, tmp_path / "x.journal")
    table, damage = read(journalctl(path, "-o", form))
    wanted = without_positions(load(path).table)
    got = without_positions(table)
    assert not damage
    for name, column in wanted.items():
        different = [(row, a, b) for row, (a, b) in enumerate(zip(got[name], column, strict=True)) if a != b]
        assert not different, name


@pytest.mark.parametrize("piece", [61, 1000, 10_007])
def test_the_size_of_the_pieces_changes_nothing(piece, monkeypatch):
    text = edge_text(25)
    whole, damage = read(text)
    monkeypatch.setattr(stream, "PIECE", piece)
    again, damage_again = read(text)
    assert again.to_pylist() == whole.to_pylist()
    assert damage_again == damage


def test_offsets_are_counted_in_the_stream():
    texts = [entry(1, b"MESSAGE=a\n"), entry(2, b"MESSAGE=bb\n")]
    table, _ = read(b"".join(texts))
    assert table["offset"].to_pylist() == [0, 1]
    assert table["bytes"].to_pylist() == [len(text) for text in texts]
    assert table["file"].to_pylist() == ["x", "x"]


def test_the_sequence_number_is_the_newer_systemds_own_or_the_cursors():
    table, _ = read(entry(0x1F, b"MESSAGE=a\n") + entry(1, b"__SEQNUM=77\n__SEQNUM_ID=%032x\n" % 9))
    assert table["seqnum"].to_pylist() == [0x1F, 77]
    assert table["seqnum_id"].to_pylist() == [f"{5:032x}", f"{9:032x}"]


def test_an_entry_without_a_cursor_has_no_sequence_number():
    table, damage = read(b"__REALTIME_TIMESTAMP=5\nMESSAGE=a\n\n")
    assert table["seqnum"].to_pylist() == [None]
    assert table["monotonic"].to_pylist() == [None]
    assert not damage


def test_the_first_value_of_a_repeated_field_counts():
    assert messages(entry(1, b"MESSAGE=a\nMESSAGE=b\n")) == ["a"]


def test_a_value_given_by_its_length_may_look_like_entries():
    hidden = entry(9, b"MESSAGE=forged\n")
    value = b"\n\n" + hidden
    text = entry(1, b"MESSAGE\n" + struct.pack("<Q", len(value)) + value + b"\n") + entry(2, b"MESSAGE=b\n")
    assert messages(text) == [value.decode(), "b"]


def test_a_length_that_holds_a_line_break_is_a_length():
    value = b"0123456789"
    assert messages(entry(1, b"MESSAGE\n" + struct.pack("<Q", 10) + value + b"\n")) == [value.decode()]


def test_bytes_that_are_not_text_are_shown():
    assert messages(entry(1, b"MESSAGE=caf\xe9\n")) == ["caf\\xe9"]
    values = {"__REALTIME_TIMESTAMP": "5", "MESSAGE": [99, 97, 102, 233]}
    assert messages(json.dumps(values).encode()) == ["caf\\xe9"]


DAMAGED = [
    (b"MESSAGE\n" + struct.pack("<Q", 1 << 62) + b"abc\n", "a length that is absurd"),
    (b"MESSAGE\n" + struct.pack("<Q", 2) + b"abc\n", "a length that ends inside the value"),
    (b"MESSAGE\n" + struct.pack("<Q", 1 << 20) + b"abc\n", "a length beyond the end of the stream"),
]


@pytest.mark.parametrize(("fields", "why"), DAMAGED)
def test_a_broken_length_costs_one_entry_and_is_recorded(fields, why):
    good = entry(1, b"MESSAGE=a\n")
    table, damage = read(good + entry(2, fields) + entry(3, b"MESSAGE=c\n"))
    assert table["message"].to_pylist() == ["a", "c"], why
    assert [(record.file, record.offset) for record in damage] == [("x", len(good) + entry(2, fields).index(b"MESSAGE\n"))]


def test_garbage_between_lines_is_recorded_and_costs_no_entry():
    table, damage = read(b"Warning: Permanently added 'host'.\n" + entry(1, b"MESSAGE=a\nnot a field\n") + entry(2, b"MESSAGE=b\n"))
    assert table["message"].to_pylist() == ["a", "b"]
    assert [record.offset for record in damage] == [0, 35 + len(entry(1, b"MESSAGE=a\n")) - 1]


def test_an_entry_without_a_time_is_recorded():
    table, damage = read(b"MESSAGE=a\n\n" + entry(1, b"MESSAGE=b\n"))
    assert table["message"].to_pylist() == ["b"]
    assert [record.offset for record in damage] == [0]


def test_a_stream_cut_anywhere_gives_the_complete_entries_and_damage():
    texts = [entry(1, b"MESSAGE=a\n"), entry(2, b"MESSAGE\n" + struct.pack("<Q", 3) + b"b\nb\n"), entry(3, b"MESSAGE=c\n")]
    ends = [sum(map(len, texts[:count])) for count in range(4)]
    text = b"".join(texts)
    for cut in range(len(texts[0]), len(text) + 1):
        table, damage = read(text[:cut])
        assert len(table) == sum(end <= cut for end in ends[1:])
        assert bool(damage) == (cut not in ends), cut


def test_entries_without_an_empty_line_between_them_are_split():
    texts = [entry(number, b"MESSAGE=m%d\n" % number) for number in range(1, 5)]
    table, damage = read(texts[0] + texts[1][:-1] + texts[2] + texts[3])
    assert table["message"].to_pylist() == ["m1", "m2", "m3", "m4"]
    assert table["seqnum"].to_pylist() == [1, 2, 3, 4]
    assert [record.offset for record in damage] == [len(texts[0]) + len(texts[1]) - 1]


def test_a_cursor_may_be_anywhere_in_an_entry():
    table, damage = read(b"__REALTIME_TIMESTAMP=5\n__CURSOR=s=%032x;i=7\nMESSAGE=a\n\n" % 1)
    assert (table["message"].to_pylist(), table["seqnum"].to_pylist(), damage) == (["a"], [7], [])


def test_an_entry_whose_start_is_missing_is_recorded():
    texts = [entry(number, b"MESSAGE=m%d\n" % number) for number in range(1, 4)]
    spoilt = texts[1].index(b"__REALTIME")
    table, damage = read(texts[0][:-12] + texts[1][spoilt:] + texts[2])
    assert table["seqnum"].to_pylist() == [1, 3]
    assert len(damage) == 1


@pytest.mark.parametrize("length", [17 << 20, 700 << 20, 1 << 30, 2**63, 2**64 - 1])
def test_a_length_beyond_the_end_of_the_stream_costs_one_entry(length):
    wrong = entry(2, b"COREDUMP\n" + struct.pack("<Q", length) + b"abc\n")
    table, damage = read(entry(1, b"MESSAGE=a\n") + wrong + entry(3, b"MESSAGE=c\n"))
    assert table["message"].to_pylist() == ["a", "c"]
    assert len(damage) == 1


ENDLESS = [b"\n", b"A=\n", b"a\n", b"A", b"\0", b"A\n\xff\xff\xff\xff\xff\xff\xff\xff\n\n", b"__CURSOR=\n", b"MESSAGE=x"]


@pytest.mark.parametrize("noise", ENDLESS)
def test_endless_noise_takes_neither_memory_nor_the_entries_around_it(noise, monkeypatch):
    monkeypatch.setattr(export_format, "ENTRY_LIMIT", 1 << 17)
    monkeypatch.setattr(export_format, "LINE_LIMIT", 1 << 11)
    monkeypatch.setattr(export_format, "LINES_AT_ONCE", 1 << 11)
    monkeypatch.setattr(stream, "PIECE", 1 << 15)
    text = entry(1, b"MESSAGE=a\n") + noise * ((1 << 19) // len(noise)) + b"\n\n" + entry(2, b"MESSAGE=b\n")
    tracemalloc.start()
    table, damage = read(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table["message"].to_pylist() == ["a", "b"]
    assert bool(damage) == (noise != b"\n")
    assert peak < 4 << 20


@pytest.mark.parametrize("line", [b'{"__REALTIME_TIMESTAMP":"1","MESSAGE":[' + b"[]," * 200_000 + b"1]}", b"\0" * 600_000])
def test_a_json_line_too_long_to_hold_costs_no_other(line, monkeypatch):
    monkeypatch.setattr(json_lines, "LINE_LIMIT", 1 << 18)
    monkeypatch.setattr(stream, "PIECE", 1 << 16)
    good = b'{"__REALTIME_TIMESTAMP": "5", "MESSAGE": "a"}\n'
    table, damage = read(good + line + b"\n" + good)
    assert table["message"].to_pylist() == ["a", "a"]
    assert damage


def test_a_value_too_big_to_hold_is_left_out_and_the_entry_stays(monkeypatch):
    monkeypatch.setattr("forensics.journal.export_format.VALUE_LIMIT", 1000)
    monkeypatch.setattr(stream, "PIECE", 512)
    big = b"COREDUMP\n" + struct.pack("<Q", 5000) + b"\n" * 5000 + b"\n"
    table, damage = read(entry(1, b"MESSAGE=a\n") + entry(2, b"_PID=1\n" + big + b"MESSAGE=b\n") + entry(3, b"MESSAGE=c\n"))
    assert table["message"].to_pylist() == ["a", "b", "c"]
    assert len(damage) == 1


@settings(max_examples=150)
@given(st.data())
def test_no_change_of_bytes_is_a_crash_or_silent(data):
    text = edge_text(6)
    broken = bytearray(text)
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    try:
        table, damage = read(bytes(broken))
    except ForensicsError:
        return
    assert len(table) + len(damage) >= 1


def test_json_repeated_binary_and_missing_fields():
    lines = [
        {"__REALTIME_TIMESTAMP": "5", "MESSAGE": ["first", "second"], "PRIORITY": "0"},
        {"__REALTIME_TIMESTAMP": "6", "MESSAGE": [[104, 105], [1]]},
        {"__REALTIME_TIMESTAMP": "7", "MESSAGE": None, "X": None},
        {"__REALTIME_TIMESTAMP": "8", "MESSAGE": None},
    ]
    table, damage = read("\n".join(map(json.dumps, lines)).encode())
    assert table["message"].to_pylist() == ["first", "hi", None, None]
    assert table["priority"].to_pylist() == [0, None, None, None]
    assert [record.offset for record in damage] == [None, None]
    assert "4096" in damage[0].reason


def test_lines_that_are_not_json_objects_are_recorded():
    good = b'{"__REALTIME_TIMESTAMP": "5", "MESSAGE": "a"}\n'
    table, damage = read(good + b'{"__REALTIME_TIMESTAMP": "6", "MES\n' + b"[1]\n" + b"[" * 100_000 + b"\n" + b'{"MESSAGE": "b"}\n' + good)
    assert table["message"].to_pylist() == ["a", "a"]
    assert table["offset"].to_pylist() == [0, 1]
    assert len(damage) == 4


def test_json_in_small_pieces_is_the_same(monkeypatch):
    text = b"".join(b'{"__REALTIME_TIMESTAMP": "%d", "MESSAGE": "m%d"}\n' % (n, n) for n in range(50))
    whole, _ = read(text)
    monkeypatch.setattr(stream, "PIECE", 13)
    assert read(text)[0].to_pylist() == whole.to_pylist()
    assert len(whole) == 50


@pytest.mark.parametrize("content", [b"LPKSHHRH....", b"\x28\xb5\x2f\xfd....", b"Dec 07 host app[1]: text\n", b"\x00" * 100])
def test_a_stream_of_something_else_is_refused_with_a_sentence(content):
    with pytest.raises(ForensicsError, match=r"^x .*\.$"):
        read(content)


def test_an_empty_stream_holds_nothing():
    assert list(read_stream(io.BytesIO(b""), "x")) == []


def test_batches_are_no_bigger_than_asked():
    text = b"".join(entry(number, b"MESSAGE=a\n") for number in range(1, 11))
    assert [len(batch.table) for batch in read_stream(io.BytesIO(text), "x", batch_entries=4)] == [4, 4, 2]
