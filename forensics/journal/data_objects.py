"""Read DATA objects: the field that each belongs to, and the values of a field as one arrow array.

journald stores each FIELD=value once. All work on text is done here, once per distinct value and a whole column at a time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import pack, unpack

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forensics.journal.compression import BROKEN, Packed, decompress
from forensics.journal.file import JournalFile, Words
from forensics.journal.format import DATA, PACKED

U32, U64 = np.uint32, np.uint64
Positions = npt.NDArray[np.int64]
NOT_A_VALUE = -1
TEXT_LIMIT = (1 << 31) - 1  # bytes: the offsets of an arrow string array
VIEW_BUFFER = 1 << 30  # an arrow view's offset is an int32
DECODED_AT_ONCE = 512  # values
JOINED = 1 << 16  # bytes; a bigger decompressed value gets a buffer of its own
INLINE = 12  # bytes of a value that its view holds
# masks that keep the first n bytes of a value in the two words that can hold 12 of them
FIRST_EIGHT = np.array([(1 << 8 * min(n, 8)) - 1 for n in range(INLINE + 2)], U64)
NEXT_FOUR = np.array([(1 << 8 * min(max(n - 8, 0), 4)) - 1 for n in range(INLINE + 2)], U64)


BEGINS_A_NAME = np.isin(np.arange(256), list(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_"))  # journal_field_valid in journal-file.c


@dataclass(frozen=True, slots=True)
class Values:
    """Distinct values, one array element per value; `field` indexes the wanted names, or is their number for any other name."""

    offset: Words  # ascending
    field: npt.NDArray[np.int16]
    size: Words  # of the DATA object
    decompressed: Mapping[int, bytes]  # the compressed values, without their name: position → value


def classify(file: JournalFile, offset: Words, names: Sequence[str] | None) -> Values:
    """Find the field of each DATA object at `offset`; NOT_A_VALUE where no sound one is.

    names None: only check which are sound; decompressed values keep their names.
    """
    keep_all, names = names is None, names or ()
    inside = offset <= U64(max(0, file.end - file.payload - 2))
    at = np.where(inside, offset >> U64(3), U64(0)).astype(np.int64)
    head, size = file.words[at], file.words[at + 1]
    sound = inside & (head & U64(255) == DATA) & (size >= U64(file.payload + 2)) & (size <= U64(file.end) - offset)
    sound &= ~_overlapping(offset, size, sound)
    field = np.where(sound, len(names), NOT_A_VALUE).astype(np.int16)
    packed = sound & (head & U64(PACKED << 8) != 0)
    payload = np.where(sound & ~packed, at + file.payload // 8, 0)
    _match_names(file, field, payload, size - U64(file.payload), names)
    sound &= (field != len(names)) | packed | BEGINS_A_NAME[file.words[payload] & U64(255)]
    field[~sound] = NOT_A_VALUE
    decompressed = _decompress(file, offset, size, head, np.flatnonzero(packed), field, names, keep_all)
    if not sound.all():
        file.damage.add_all(offset[~sound].tolist(), "a value is damaged; entries that have it are read without it")
    return Values(offset, field, size, decompressed)


def _overlapping(offset: Words, size: Words, sound: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which values reach into the next one, so that their size is damaged.

    The others together are no bigger than the file, which bounds the memory that hostile sizes can claim.
    """
    wrong = np.zeros(len(offset), np.bool_)
    at = np.flatnonzero(sound)
    wrong[at[:-1]] = offset[at[:-1]] + size[at[:-1]] > offset[at[1:]]
    return wrong


def _match_names(file: JournalFile, field: npt.NDArray[np.int16], payload: Positions, length: Words, names: Sequence[str]) -> None:
    """Write into `field` the index of the name that each payload (in words; 0 = none) starts with, comparing eight bytes at a time."""
    first = file.words[payload]
    patterns = {index: [_word(name, at) for at in range(0, len(name) + 1, 8)] for index, name in enumerate(names)}
    by_first: dict[tuple[int, int], list[int]] = {}
    for index, pattern in patterns.items():
        by_first.setdefault(pattern[0], []).append(index)
    whole = sorted(want for mask, want in by_first if mask == 2**64 - 1)
    slot = np.searchsorted(np.array([*whole, 2**64 - 1], U64), first).astype(np.int8 if len(whole) < 127 else np.int16)
    for (mask, want), indices in by_first.items():
        hit = np.flatnonzero(slot == whole.index(want) if mask == 2**64 - 1 else first & U64(mask) == want)
        hit = hit[(payload[hit] > 0) & (first[hit] & U64(mask) == want)]
        for index in indices:
            rest = hit[length[hit] > len(names[index].encode())]
            for step, (mask_n, want_n) in enumerate(patterns[index][1:], 1):
                rest = rest[file.words[payload[rest] + step] & U64(mask_n) == want_n]
            field[rest] = index


def _word(name: str, at: int) -> tuple[int, int]:
    """Mask and value of the eight bytes of `name=` from `at` as a little-endian word."""
    part = f"{name}=".encode()[at : at + 8]
    return (1 << 8 * len(part)) - 1, int.from_bytes(part, "little")


def _decompress(
    file: JournalFile,
    offset: Words,
    size: Words,
    head: Words,
    packed_at: Positions,
    field: npt.NDArray[np.int16],
    names: Sequence[str],
    keep_all: bool,
) -> dict[int, bytes]:
    """Decompress the values at the positions `packed_at`, of wanted fields only; write their fields into `field`."""
    begin, end = (offset[packed_at] + U64(file.payload)).tolist(), (offset[packed_at] + size[packed_at]).tolist()
    flags = (head[packed_at] >> U64(8) & U64(PACKED)).tolist()
    content = memoryview(file.bytes.data)
    packed = [Packed(flag, bytes(content[a:b])) for flag, a, b in zip(flags, begin, end, strict=True)]
    index = {name.encode(): number for number, name in enumerate(names)}
    decompressed: dict[int, bytes] = {}
    keeps = index.__contains__ if not keep_all else bool
    for at, plain in zip(packed_at.tolist(), decompress(packed, file.end, keeps), strict=True):
        if isinstance(plain, str) or b"=" not in plain:
            field[at] = NOT_A_VALUE
            file.damage.add(int(offset[at]), plain if isinstance(plain, str) else BROKEN)
            continue
        name, _, value = plain.partition(b"=")
        if keep_all:
            decompressed[at] = plain
        elif name in index:
            field[at] = index[name]
            decompressed[at] = value
    return decompressed


def texts(file: JournalFile, values: Values, wanted: Positions, names: Sequence[str]) -> pa.Array:
    r"""Return the values at the positions `wanted` as large_string; bytes that are not UTF-8 become \xNN."""
    row = np.zeros(len(values.offset), np.int64)
    row[wanted] = np.arange(len(wanted))
    elsewhere = {int(row[at]): value for at, value in values.decompressed.items()}
    before = np.array([file.payload + len(name.encode()) + 1 for name in names], np.int64)[values.field[wanted]]
    start = values.offset[wanted].astype(np.int64) + before
    length = np.maximum(values.size[wanted].astype(np.int64) - before, 0)
    length[list(elsewhere)] = 0
    total = int(length.sum()) + sum(map(len, elsewhere.values()))
    strings = _decode(_binary(file, start, length, elsewhere)) if total <= TEXT_LIMIT else None
    if strings is None or strings.nbytes > TEXT_LIMIT + 8 * len(strings) + 8:
        limit = TEXT_LIMIT // len(wanted) // len(r"\xNN")
        file.damage.add(None, f"{total} bytes of text exceed the limit of this program; values are cut after {limit} bytes")
        strings = _decode(_binary(file, start, np.minimum(length, limit), {at: value[:limit] for at, value in elsewhere.items()}))
    return strings


def _binary(file: JournalFile, start: Positions, length: Positions, elsewhere: Mapping[int, bytes]) -> pa.Array:
    """Return byte ranges of the file as large_binary; `elsewhere` has the values that are not in it.

    Built as arrow views (length and 12 bytes; or length, 4 bytes, buffer and offset), which arrow then copies: 5 ms for 120,000
    values, UTF-8 check included; an index of every byte takes 59 ms.
    """
    views = np.empty((len(start), 4), U32)
    low, high = _first_bytes(file, start, length)
    inline = length <= INLINE
    views[:, 0] = length
    views[:, 1] = low & U64(0xFFFFFFFF)
    views[:, 2] = np.where(inline, low >> U64(32), (start // VIEW_BUFFER).astype(U64))
    views[:, 3] = np.where(inline, high, (start % VIEW_BUFFER).astype(U64))
    buffers = [pa.py_buffer(file.bytes[at:]) for at in range(0, file.end, VIEW_BUFFER)]
    joined, at = {row: value for row, value in elsewhere.items() if len(value) < JOINED}, 0
    for row, value in joined.items():  # some ten thousand at most: journald compresses only values of 512 bytes and more
        views[row] = _view(value, len(buffers), at)
        at += len(value)
    buffers.append(pa.py_buffer(b"".join(joined.values())))
    for row in elsewhere.keys() - joined.keys():  # big ones are not copied once more
        views[row] = _view(elsewhere[row], len(buffers), 0)
        buffers.append(pa.py_buffer(elsewhere[row]))
    array = pa.Array.from_buffers(pa.binary_view(), len(views), [None, pa.py_buffer(views), *buffers], null_count=0)
    return array.cast(pa.large_binary())


def _view(value: bytes, buffer: int, at: int) -> tuple[int, ...]:
    short = len(value) <= INLINE
    return unpack("<4I", pack("<I12s", len(value), value) if short else pack("<I4sII", len(value), value[:4], buffer, at))


def _first_bytes(file: JournalFile, start: Positions, length: Positions) -> tuple[Words, Words]:
    """The first 8 and the next 4 bytes of each range, zeros after its end; ranges start anywhere, words only at multiples of 8."""
    word, shift, last = start >> 3, (start & 7).astype(U64) << U64(3), len(file.words) - 1
    first, second, third = file.words[word], file.words[np.minimum(word + 1, last)], file.words[np.minimum(word + 2, last)]
    left = U64(63) - shift  # of a word that is shifted by one already: a shift by 64 is undefined
    short = np.minimum(length, INLINE + 1)
    low = (first >> shift | second << U64(1) << left) & FIRST_EIGHT[short]
    high = (second >> shift | third << U64(1) << left) & NEXT_FOUR[short]
    return low, high


def _decode(raw: pa.Array) -> pa.Array:
    """Decode UTF-8. Only this cast checks it: neither arrow nor polars does so later."""
    try:
        return raw.cast(pa.large_string())
    except pa.ArrowInvalid:
        return pa.concat_arrays([_decode_few(raw[at : at + DECODED_AT_ONCE]) for at in range(0, len(raw), DECODED_AT_ONCE)])


def _decode_few(raw: pa.Array) -> pa.Array:
    """Decode the few hundred values around one that is not UTF-8: 0.3 µs per value."""
    try:
        return raw.cast(pa.large_string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "backslashreplace") for value in raw.to_pylist()], pa.large_string())
