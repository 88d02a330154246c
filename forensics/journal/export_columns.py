"""Build a table of entries from the lines of an exported stream, a whole column at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from forensics.journal.columns import FIELDS, UTC_TIME, entries_table
from forensics.journal.damage import DamageLog
from forensics.journal.data_objects import FIRST_EIGHT, INLINE, NEXT_FOUR
from forensics.journal.dictionary import from_codes
from forensics.journal.export_lines import Lines, Positions
from forensics.journal.file import Words

TIME, MONOTONIC, BOOT, CURSOR = "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_BOOT_ID", "__CURSOR"
SEQNUM, SEQNUM_ID = "__SEQNUM", "__SEQNUM_ID"  # systemd 254 and later
ADDRESS = (TIME, MONOTONIC, BOOT, CURSOR, SEQNUM, SEQNUM_ID)
WANTED = tuple(dict.fromkeys([*ADDRESS, *FIELDS]))
NUMBER = r"^[0-9]{1,18}$"
CURSOR_SEQNUM = r"^s=(?P<id>[0-9a-f]{32});i=(?P<seqnum>[0-9a-f]{1,15})(?:;|$)"  # sd_journal_get_cursor
# typed scalars: for bare Python ones arrow tries to import pandas and dateutil each time, 0.2 ms
NO_TEXT, NOUGHT = pa.scalar(None, pa.string()), pa.scalar("0", pa.string())
NO_TIME = "an entry without a time is left out"
TWO_TIMES = "an entry with two times: the start of another one is missing"


def exported_table(lines: Lines, base: int, name: str, number: int, log: DamageLog) -> tuple[pa.Table, int]:
    """Return the entries that end within `lines`, numbered from `number` on, and the next number."""
    kept = np.flatnonzero(lines.kept)
    blank = lines.blank[kept]
    whole = kept <= (kept[blank][-1] if blank.any() else -1)  # before the last empty line
    position = np.cumsum(blank, dtype=np.int64) + np.cumsum(lines.opens[kept], dtype=np.int64)
    kept, position = kept[whole & ~blank], position[whole & ~blank]
    used, begin, entry = np.unique(position, return_index=True, return_inverse=True)  # two empty lines in a row enclose no entry
    spoilt = np.zeros(len(used), np.bool_)
    spoilt[entry[lines.spoilt[kept]]] = True
    columns, twice = _columns(lines, kept, entry, len(used))
    first, last = lines.start[kept[begin]], lines.value_end[kept[np.append(begin[1:], len(kept))[: len(begin)] - 1]]
    timed = numbers(columns.get(TIME), len(used))
    sound = ~spoilt & timed.is_valid().to_numpy(zero_copy_only=False)
    log.add_all((first[~sound & ~spoilt] + base).tolist(), NO_TIME)
    log.add_all((lines.start[twice] + base).tolist(), TWO_TIMES)
    seqnum, seqnum_id = sequence(columns, len(used))
    fixed = {
        "time": timed.cast(UTC_TIME),
        "monotonic": numbers(columns.get(MONOTONIC), len(used)),
        "boot": columns.get(BOOT, pa.nulls(len(used), pa.string())),
        "seqnum": seqnum,
        "seqnum_id": seqnum_id,
        "bytes": pa.array(last + 2 - first),  # the line's end and the empty line
        "file": from_codes(np.zeros(len(used), np.int32), pa.array([name])),
        "offset": pa.array(number + np.cumsum(sound) - sound),
    }
    table = entries_table({field: columns[field] for field in FIELDS if field in columns}, fixed)
    return (table if sound.all() else table.filter(pa.array(sound))), number + int(sound.sum())


def _columns(lines: Lines, kept: Positions, entry: Positions, count: int) -> tuple[dict[str, pa.Array], Positions]:
    """Return the wanted fields as dictionary columns, first values only, and the lines where an entry has a second time."""
    which = _wanted_lines(lines, kept)
    order = np.argsort(which, kind="stable")  # numpy sorts small integers by counting
    ends = np.cumsum(np.bincount(which, minlength=len(WANTED) + 1))
    columns, twice = {}, kept[:0]
    for name, start, end in zip(WANTED, [0, *ends[:-2].tolist()], ends[:-1].tolist(), strict=True):
        if start < end:
            positions = order[start:end]
            rows = entry[positions]
            first = np.append(True, rows[1:] != rows[:-1])
            columns[name] = _column(lines, kept[positions[first]], rows[first], count)
            if name == TIME:
                twice = kept[positions[~first]]
    return columns, twice


def _wanted_lines(lines: Lines, kept: Positions) -> npt.NDArray[np.uint8]:
    """Find the index of each line's field in WANTED; their number for any other field.

    Names are compared by length and first and last eight bytes; matches among longer names are then compared whole.
    """
    start, end = lines.start[kept], lines.name_end[kept]
    size = end - start
    words = np.ndarray((len(lines.buffer) - 8,), "V8", lines.buffer, strides=(1,))
    first = words[start].view(np.uint64) & FIRST_EIGHT[np.minimum(size, INLINE + 1)]
    keys = _keys(first, words[np.maximum(end - 8, start)].view(np.uint64), size)
    nearest = np.minimum(np.searchsorted(KEYS, keys), len(KEYS) - 1)
    which = np.where(KEYS[nearest] == keys, KEY_ORDER[nearest], len(WANTED)).astype(np.uint8)
    for index, name in enumerate(WANTED):
        if len(name) > 16:
            hits = np.flatnonzero(which == index)
            windows = np.ndarray((len(lines.buffer) - len(name),), f"S{len(name)}", lines.buffer, strides=(1,))
            which[hits[windows[start[hits]] != name.encode()]] = len(WANTED)
    return which


def _keys(first: Words, last: Words, size: Positions) -> Words:
    """Hash the two words and the length to one number; the last word only counts in names of nine bytes and more."""
    odd = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ / the golden ratio: spreads the bits
    last = np.where(size > 8, last, np.uint64(0))
    keys: Words = (first ^ (last * odd) >> np.uint64(1)) * odd + size.astype(np.uint64)
    return keys


def _keys_of(names: Sequence[str]) -> Words:
    first, last = (
        np.array([int.from_bytes(part, "little") for part in parts], np.uint64)
        for parts in ([name.encode()[:8] for name in names], [name.encode()[-8:] for name in names])
    )
    return _keys(first, last, np.array([len(name) for name in names], np.int64))


KEY_ORDER = np.argsort(_keys_of(WANTED))
KEYS = _keys_of(WANTED)[KEY_ORDER]


def _column(lines: Lines, at: Positions, rows: Positions, count: int) -> pa.DictionaryArray:
    values = texts(lines.buffer, lines.value_start[at], lines.value_end[at])
    codes = np.full(count, -1, np.int32)
    codes[rows] = values.indices.to_numpy()
    return from_codes(codes, values.dictionary)


def texts(buffer: bytes, start: Positions, end: Positions) -> pa.DictionaryArray:
    r"""Return byte ranges as a dictionary of strings; bytes that are not UTF-8 become \xNN, per distinct value.

    Built as Arrow views (length and 12 bytes; or length, 4 bytes, buffer and offset), which Arrow then copies.
    """
    length = end - start
    short = np.minimum(length, INLINE + 1)
    inline = short <= INLINE
    words, halves = (np.ndarray((len(buffer) - INLINE,), f"V{width}", buffer, strides=(1,)) for width in (8, 4))
    low = words[start].view(np.uint64) & FIRST_EIGHT[short]
    views = np.empty((len(start), 4), np.uint32)
    views[:, 0] = length
    views[:, 1] = low & np.uint64(0xFFFFFFFF)
    views[:, 2] = np.where(inline, low >> np.uint64(32), np.uint64(0))
    views[:, 3] = np.where(inline, halves[np.minimum(start + 8, len(halves) - 1)].view(np.uint32) & NEXT_FOUR[short], start)
    array = pa.Array.from_buffers(pa.binary_view(), len(start), [None, pa.py_buffer(views), pa.py_buffer(buffer)], null_count=0)
    encoded = array.cast(pa.large_binary()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices, _decode(encoded.dictionary))


def _decode(raw: pa.Array) -> pa.Array:
    try:
        return raw.cast(pa.large_string()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "backslashreplace") for value in raw.to_pylist()], pa.string())


def numbers(column: pa.DictionaryArray | None, count: int) -> pa.Array:
    if column is None:
        return pa.nulls(count, pa.int64())
    digits = pc.match_substring_regex(column.dictionary, NUMBER)
    return pc.if_else(digits, column.dictionary, NO_TEXT).cast(pa.int64()).take(column.indices)


def sequence(columns: dict[str, pa.DictionaryArray], count: int) -> tuple[pa.Array, pa.Array]:
    """Build the columns seqnum and seqnum_id from the fields of systemd 254 and later, else from the cursor."""
    seqnum = numbers(columns.get(SEQNUM), count)
    ids = columns[SEQNUM_ID].dictionary_decode() if SEQNUM_ID in columns else pa.nulls(count, pa.string())
    if CURSOR in columns and (seqnum.null_count or ids.null_count):
        cursor = columns[CURSOR]
        parts = pc.extract_regex(cursor.dictionary, CURSOR_SEQNUM).take(cursor.indices)
        seqnum = pc.coalesce(seqnum, _hexadecimal(pc.struct_field(parts, "seqnum")))
        ids = pc.coalesce(ids, pc.struct_field(parts, "id"))
    return seqnum, ids.dictionary_encode()


def _hexadecimal(texts: pa.Array) -> pa.Array:
    """Parse up to 15 hexadecimal digits as int64, digit by digit for the whole column."""
    padded = pc.utf8_lpad(texts.fill_null(NOUGHT), 16, "0")
    digits = np.frombuffer(padded.buffers()[2], np.uint8)[: 16 * len(padded)]
    values = np.where(digits >= ord("a"), digits - (ord("a") - 10), digits - ord("0")).astype(np.int64).reshape(-1, 16)
    powers = 16 ** np.arange(15, -1, -1, dtype=np.int64)
    return pa.array(values @ powers, mask=texts.is_null().to_numpy(zero_copy_only=False))
