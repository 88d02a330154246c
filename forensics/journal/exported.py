"""The lines of an exported stream in, a table of its entries out: a whole column at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.journal.codes import from_codes
from forensics.journal.columns import FIELDS, UTC_TIME, entries_table
from forensics.journal.damage import DamageLog
from forensics.journal.lines import Lines, Positions

TIME, MONOTONIC, BOOT, CURSOR = "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_BOOT_ID", "__CURSOR"
SEQNUM, SEQNUM_ID = "__SEQNUM", "__SEQNUM_ID"  # systemd 254 and later
ADDRESS = (TIME, MONOTONIC, BOOT, CURSOR, SEQNUM, SEQNUM_ID)
INLINE = 12  # bytes of a value that stand in its view
NUMBER = r"^[0-9]{1,18}$"
CURSOR_SEQNUM = r"^s=(?P<id>[0-9a-f]{32});i=(?P<seqnum>[0-9a-f]{1,15})(?:;|$)"  # sd_journal_get_cursor
NO_TIME = "an entry without a time is left out"


def exported_table(lines: Lines, base: int, name: str, number: int, log: DamageLog) -> tuple[pa.Table, int]:
    """The entries that end within `lines`, the first of them being number `number` of the stream; and the next number."""
    kept = np.flatnonzero(lines.kept)
    blank = lines.blank[kept]
    entry: Positions = np.cumsum(blank) - blank  # 0, 1, … for the lines up to each empty one
    count = int(blank.sum())
    within = (entry < count) & ~blank
    kept, entry = kept[within], entry[within]
    used: Positions
    used, entry = np.unique(entry, return_inverse=True)  # an empty line after an empty line is no entry
    spoilt = np.zeros(len(used), np.bool_)
    spoilt[entry[lines.spoilt[kept]]] = True
    columns = _columns(lines, kept, entry, len(used))
    first = lines.start[kept[np.searchsorted(entry, np.arange(len(used)))]] if len(used) else np.zeros(0, np.int64)
    ends = lines.value_end[np.flatnonzero(lines.blank & lines.kept)][used] + 1
    timed = numbers(columns.get(TIME), len(used))
    sound = ~spoilt & timed.is_valid().to_numpy(zero_copy_only=False)
    log.add_all((first[~sound & ~spoilt] + base).tolist(), NO_TIME)
    seqnum, seqnum_id = sequence(columns, len(used))
    fixed = {
        "time": timed.cast(UTC_TIME),
        "monotonic": numbers(columns.get(MONOTONIC), len(used)),
        "boot": columns.get(BOOT, pa.nulls(len(used), pa.string())),
        "seqnum": seqnum,
        "seqnum_id": seqnum_id,
        "bytes": pa.array(ends - first),
        "file": from_codes(np.zeros(len(used), np.int32), pa.array([name])),
        "offset": pa.array(number + np.cumsum(sound) - sound),
    }
    table = entries_table({field: columns[field] for field in FIELDS if field in columns}, fixed)
    return (table if sound.all() else table.filter(pa.array(sound))), number + int(sound.sum())


def _columns(lines: Lines, kept: Positions, entry: Positions, count: int) -> dict[str, pa.Array]:
    """Every wanted field that is there: dictionary columns, of a repeated field the first value."""
    size = lines.name_end[kept] - lines.start[kept]
    found = {}
    wanted: dict[int, list[str]] = {}
    for name in dict.fromkeys([*ADDRESS, *FIELDS]):
        wanted.setdefault(len(name), []).append(name)
    for length, names in sorted(wanted.items()):
        same = np.flatnonzero(size == length)
        windows = np.ndarray((len(lines.buffer) - length,), f"S{length}", lines.buffer, strides=(1,))
        there = windows[lines.start[kept[same]]]
        for name in names:
            which = same[there == name.encode()]
            if len(which):
                rows = entry[which]
                first = np.append(True, rows[1:] != rows[:-1])
                found[name] = _column(lines, kept[which[first]], rows[first], count)
    return found


def _column(lines: Lines, at: Positions, rows: Positions, count: int) -> pa.DictionaryArray:
    values = texts(lines.buffer, lines.value_start[at], lines.value_end[at])
    codes = np.full(count, -1, np.int32)
    codes[rows] = values.indices.to_numpy()
    return from_codes(codes, values.dictionary)


def texts(buffer: bytes, start: Positions, end: Positions) -> pa.DictionaryArray:
    r"""The byte ranges as a dictionary of strings; bytes that are not UTF-8 stand as \xNN, worked out per distinct value.

    Built as Arrow views (length and 12 bytes; or length, 4 bytes, buffer and offset), which Arrow then copies.
    """
    length = end - start
    views = np.zeros((len(start), 16), np.uint8)
    words = views.view(np.int32)
    windows = np.ndarray((len(buffer) - INLINE,), f"V{INLINE}", buffer, strides=(1,))
    beginning = windows[start].view(np.uint8).reshape(-1, INLINE)
    short = length <= INLINE
    views[:, 4:] = np.where(np.arange(INLINE) < length[:, None], beginning, 0)
    words[:, 0] = length
    words[~short, 2] = 0
    words[~short, 3] = start[~short]
    array = pa.Array.from_buffers(pa.binary_view(), len(start), [None, pa.py_buffer(words), pa.py_buffer(buffer)], null_count=0)
    encoded = array.cast(pa.large_binary()).dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices, _readable(encoded.dictionary))


def _readable(raw: pa.Array) -> pa.Array:
    try:
        return raw.cast(pa.large_string()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "backslashreplace") for value in raw.to_pylist()], pa.string())


def numbers(column: pa.DictionaryArray | None, count: int) -> pa.Array:
    if column is None:
        return pa.nulls(count, pa.int64())
    digits = pc.match_substring_regex(column.dictionary, NUMBER)
    return pc.if_else(digits, column.dictionary, None).cast(pa.int64()).take(column.indices)


def sequence(columns: dict[str, pa.DictionaryArray], count: int) -> tuple[pa.Array, pa.Array]:
    """Columns seqnum and seqnum_id: as systemd 254 and later say, else from the cursor."""
    seqnum = numbers(columns.get(SEQNUM), count)
    ids = columns[SEQNUM_ID].dictionary_decode() if SEQNUM_ID in columns else pa.nulls(count, pa.string())
    if CURSOR in columns and (seqnum.null_count or ids.null_count):
        cursor = columns[CURSOR]
        parts = pc.extract_regex(cursor.dictionary, CURSOR_SEQNUM).take(cursor.indices)
        seqnum = pc.coalesce(seqnum, _hexadecimal(pc.struct_field(parts, "seqnum")))
        ids = pc.coalesce(ids, pc.struct_field(parts, "id"))
    return seqnum, ids.dictionary_encode()


def _hexadecimal(texts: pa.Array) -> pa.Array:
    """Up to 15 hexadecimal digits as int64, digit by digit for the whole column."""
    padded = pc.utf8_lpad(texts.fill_null("0"), 16, "0")
    digits = np.frombuffer(padded.buffers()[2], np.uint8)[: 16 * len(padded)]
    values = np.where(digits >= ord("a"), digits - (ord("a") - 10), digits - ord("0")).astype(np.int64).reshape(-1, 16)
    powers = 16 ** np.arange(15, -1, -1, dtype=np.int64)
    return pa.array(values @ powers, mask=texts.is_null().to_numpy(zero_copy_only=False))
