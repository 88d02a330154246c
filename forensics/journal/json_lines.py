"""Parse `journalctl -o json` into tables: one object per line, one `json.loads` per entry (8 µs).

A field is a string; an array of numbers for bytes that are not text; an array of either when it is repeated; and null when it is
longer than 4096 bytes and journalctl was called without --all (systemd's docs/JOURNAL_EXPORT_FORMATS.md, logs-show.c).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from forensics.journal.columns import FIELDS, UTC_TIME, entries_table
from forensics.journal.damage import DamageLog
from forensics.journal.export_columns import BOOT, MONOTONIC, NO_TIME, TIME, WANTED, numbers, sequence

LINE_LIMIT = 1 << 24  # bytes; the Python objects of a line may take twenty times as many
BETWEEN = b" \t\r\x1e"  # between lines; RS starts those of -o json-seq
_ALL_WANTED = frozenset(WANTED)
TOO_LONG = "a field of more than 4096 bytes is missing: `journalctl -o json` leaves it out unless called with --all"
NO_OBJECT = "a line that is not a JSON object"


def read_json(pieces: Iterator[bytes], name: str, log: DamageLog) -> Iterator[pa.Table]:
    """Yield tables in the stream's order; damage goes to `log` with its byte offset in the stream."""
    rest, base, number = b"", 0, 0
    for piece in pieces:
        end = piece.rfind(b"\n") + 1
        if not end:
            rest += piece
            if len(rest) > LINE_LIMIT:
                log.add(base, f"a line of more than {LINE_LIMIT >> 20} MiB")
                base, rest = base + len(rest), b""
            continue
        lines = rest + piece[:end]
        table = _table(lines, base, name, number, log)
        number += len(table)
        yield table
        base, rest = base + len(lines), piece[end:]
    if rest.strip():
        yield _table(rest, base, name, number, log)


def _table(content: bytes, base: int, name: str, number: int, log: DamageLog) -> pa.Table:
    entries: list[dict[str, Any]] = []
    sizes: list[int] = []
    for line in content.split(b"\n"):
        entry = _entry(line, base, log) if line.strip(BETWEEN) else None
        if entry is not None:
            entries.append(entry)
            sizes.append(len(line) + 1)
            if None in entry.values():
                _record_missing(entry, log)
        base += len(line) + 1
    return table_of(entries, sizes, name, number)


def table_of(entries: Sequence[Mapping[str, Any]], sizes: Sequence[int], name: str, number: int) -> pa.Table:
    """Build the table of entries given as field → value, with their sizes in bytes, numbered from `number` on."""
    present = set().union(*entries)  # a small batch has about half of the wanted fields
    arrays = {field: _column([entry.get(field) for entry in entries]) for field in WANTED if field in present}
    seqnum, seqnum_id = sequence(arrays, len(sizes))
    fixed = {
        "time": numbers(arrays.get(TIME), len(sizes)).cast(UTC_TIME),
        "monotonic": numbers(arrays.get(MONOTONIC), len(sizes)),
        "boot": arrays.get(BOOT, pa.nulls(len(sizes), pa.string())),
        "seqnum": seqnum,
        "seqnum_id": seqnum_id,
        "bytes": pa.array(sizes, pa.int64()),
        "file": pa.array([name] * len(sizes), pa.string()),
        "offset": pa.array(range(number, number + len(sizes)), pa.int64()),
    }
    return entries_table({field: arrays[field] for field in FIELDS if field in arrays}, fixed)


def _record_missing(entry: dict[str, Any], log: DamageLog) -> None:
    for field in sorted(entry.keys() & _ALL_WANTED):
        if entry[field] is None:
            log.add(None, TOO_LONG)


def _column(values: list[Any]) -> pa.DictionaryArray:
    """Encode a column; nearly all hold only text and nulls, which arrow checks faster than Python."""
    try:
        array = pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        array = pa.array([_text(value) for value in values], pa.string())
    return array.dictionary_encode()


def _entry(line: bytes, at: int, log: DamageLog) -> dict[str, Any] | None:
    """Parse a line; null, and a damage record, unless it is an object with a time."""
    try:
        entry = json.loads(line.strip(BETWEEN))
    except (ValueError, RecursionError):
        log.add(at, NO_OBJECT)
        return None
    if not isinstance(entry, dict):
        log.add(at, NO_OBJECT)
        return None
    time = entry.get(TIME)
    if not isinstance(time, str) or not time.isascii() or not time.isdigit() or len(time) > 18:
        log.add(at, NO_TIME)
        return None
    return entry


def _text(value: Any) -> str | None:
    if isinstance(value, list) and value and not isinstance(value[0], int):
        value = value[0]  # the first of a repeated field
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()  # a lone surrogate is not text
    if isinstance(value, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in value):
        value = bytes(value)
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else None
