"""Decode the entries of a journal file into columns: the distinct values of every field, and each entry's code among them.

An ENTRY object is a list of offsets of DATA objects. All lists are gathered at once, and offsets become codes through a small
table: no work is done per entry, and work on text only per distinct value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forensics.journal.data_objects import NOT_A_VALUE, Values, classify, texts
from forensics.journal.dictionary import from_codes
from forensics.journal.entry_arrays import Entries, growth, sound_entries
from forensics.journal.file import JournalFile, Words, read_journal
from forensics.journal.format import ENTRY_HEAD, NAME_LIMIT, Header
from forensics.model.values import Damage

U32, U64 = np.uint32, np.uint64
Rows = npt.NDArray[np.intp]
Codes = npt.NDArray[np.uint32]
Chunk = tuple[Rows, Codes]  # entries with equally many items, and the items as offset / 8: one row per entry
CHUNK = 1 << 14  # items at a time: index arithmetic stays in the L2 cache


@dataclass(frozen=True, slots=True)
class Block:
    """One file's entries, in the file's order; `codes` has the first value of a repeated field."""

    header: Header
    entries: Entries
    growth: npt.NDArray[np.int64]  # bytes that the file grew by per entry
    names: tuple[str, ...]  # the requested fields that occur
    values: pa.Array  # large_string; those of field c are from starts[c] to starts[c + 1]
    starts: npt.NDArray[np.int64]
    codes: Codes  # (field, entry): 1 + index into `values`, 0 = absent
    repeats: Mapping[str, tuple[Rows, Codes]]  # field → entries and codes of further values, in order
    damage: tuple[Damage, ...]

    def column(self, index: int) -> pa.DictionaryArray:
        """Field `index` of every entry as a dictionary column; code 0 becomes negative: null."""
        start, stop = int(self.starts[index]), int(self.starts[index + 1])
        return from_codes((self.codes[index] - U32(start + 1)).view(np.int32), self.values[start:stop])


def load_block(path: Path, names: Sequence[str] | None, *, after_seqnum: int = 0) -> Block:
    """Decode the entries with a sequence number above `after_seqnum`, and the named fields of theirs (None: all)."""
    file = read_journal(path)
    entries = sound_entries(file)
    grown, new = growth(file, entries), entries.seqnum > U64(after_seqnum)
    entries, grown = entries[new], grown[new]
    chunks = list(_gather_items(file, entries))
    offset = _distinct_offsets(file, chunks)
    wanted = tuple(_all_names(file, offset)) if names is None else tuple(names)
    values = classify(file, offset, wanted)
    order, present, starts = _sort_by_field(values, len(wanted))
    strings = texts(file, values, order[: starts[-1]], wanted)
    occurring = tuple(wanted[index] for index in present)
    codes, repeats = _codes(file, chunks, len(entries), offset[order], starts, offset, offset[values.field == NOT_A_VALUE])
    named_repeats = {occurring[index]: later for index, later in repeats.items()}
    return Block(file.header, entries, grown, occurring, strings, starts, codes, named_repeats, file.damage.records())


def _gather_items(file: JournalFile, entries: Entries) -> Iterator[Chunk]:
    """Gather the items of all entries; an entry's list is one element of a window over the file: one copy per entry, not per item."""
    size = file.item_size
    counts = (entries.size - U64(ENTRY_HEAD)) // U64(size)
    order = np.argsort(counts.astype(np.uint16) if len(counts) and counts.max() < 1 << 16 else counts, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(counts[order])) + 1):
        count = int(counts[rows[0]]) if len(rows) else 0
        if not count:
            continue
        window = np.ndarray(((file.end - size * count) // 8 + 1,), f"V{size * count}", file.bytes, strides=(8,))
        step = max(1, CHUNK // count)
        for at in range(0, len(rows), step):
            part = rows[at : at + step]
            lists = window[(entries.offset[part] >> U64(3)).astype(np.intp) + ENTRY_HEAD // 8]
            yield part, _as_words(file, lists.view(U32).reshape(-1, count) if size == 4 else lists.view(U64).reshape(-1, 2 * count)[:, ::2])


def _as_words(file: JournalFile, items: Words | Codes) -> Codes:
    """Offsets in words; 0 for those outside of the file."""
    kind, end = items.dtype.type, min(file.end, np.iinfo(items.dtype).max)
    if items.max() >= end or np.bitwise_or.reduce(items, axis=None) & kind(7):
        wrong = (items >= end) | (items & kind(7) != 0)
        file.damage.add(None, "an entry's reference to a value points outside of the file", int(wrong.sum()))
        items = np.where(wrong, kind(0), items)
    return (items >> kind(3)).astype(U32, copy=False)


def _distinct_offsets(file: JournalFile, chunks: Sequence[Chunk]) -> Words:
    """Ascending offsets of all values that entries refer to.

    Neighbouring entries share most values at the same positions: comparing costs less than marking (3.3 ns per item instead of 4.5).
    """
    mark = np.zeros((file.end >> 3) + 1, np.bool_)
    for _, items in chunks:
        mark[items[0]] = True
        mark[items[1:][items[1:] != items[:-1]]] = True
    mark[0] = False
    return np.flatnonzero(mark).astype(U64) << U64(3)


def _all_names(file: JournalFile, offset: Words) -> list[str]:
    """List the names of all fields; used only when all fields are requested (2 µs per distinct value)."""
    values = classify(file, offset, None)
    names = {value.partition(b"=")[0] for value in values.decompressed.values()}
    for at, size in zip(offset[values.field == 0].tolist(), values.size[values.field == 0].tolist(), strict=True):
        names.add(file.bytes[at + file.payload : at + min(size, file.payload + NAME_LIMIT + 1)].tobytes().partition(b"=")[0])
    return sorted(name.decode("ascii", "backslashreplace") for name in names if 0 < len(name) <= NAME_LIMIT)


def _sort_by_field(values: Values, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the sound values' positions by field, then offset, unwanted ones last; the fields that occur; where each starts."""
    sound = np.flatnonzero(values.field != NOT_A_VALUE)
    order = sound[np.argsort(values.field[sound], kind="stable")]
    counts = np.bincount(values.field[sound], minlength=count + 1)[:count]
    present = np.flatnonzero(counts)
    return order, present, np.concatenate((np.zeros(1, np.int64), np.cumsum(counts[present])))


def _codes(
    file: JournalFile, chunks: Sequence[Chunk], n: int, offset: Words, starts: npt.NDArray[np.int64], marked: Words, unsound: Words
) -> tuple[Codes, dict[int, tuple[Rows, Codes]]]:
    """Return the matrix of codes and the further values of repeated fields; `offset` is that of value 0, 1, … of the block.

    A DATA object is longer than 64 bytes, so offset / 64 is a slot of its own: a table that stays in the cache (6 MB instead of
    48 MB for a file of 100 MB). Comparing with the exact offset notices references into the middle of an object.
    """
    fields, wanted = len(starts) - 1, int(starts[-1])
    slots = np.zeros((file.end >> 6) + 1, U32)
    slots[(offset >> U64(6)).astype(np.int64)] = np.arange(1, len(offset) + 1, dtype=U32)
    exact = np.append(U32(0), (offset >> U64(3)).astype(U32))
    field = np.full(len(offset) + 1, fields, np.int64)  # row `fields` of the matrix takes the unwanted values
    field[1 : wanted + 1] = np.repeat(np.arange(fields), np.diff(starts))
    words = (marked >> U64(3)).astype(U32)
    misdirected = words[exact.take(slots.take(words >> U32(3))) != words]
    base = field * n
    codes = np.zeros((fields + 1) * n, U32)
    used = 0
    for rows, items in chunks:
        code = slots.take(items >> U32(3), mode="clip")  # nothing needs clipping; mode "raise" would make a copy
        if len(misdirected):
            code[exact.take(code) != items] = 0
        cell = base.take(code, mode="clip")
        cell += rows[:, None]
        codes[cell] = code
        used += int(np.count_nonzero(cell < fields * n))
    matrix = codes.reshape(fields + 1, n)[:fields]
    _record_misdirected(file, misdirected, unsound)
    return matrix, _repeats(chunks, slots, exact, field, matrix) if used != np.count_nonzero(matrix) else {}


def _record_misdirected(file: JournalFile, words: Codes, unsound: Words) -> None:
    """Record the references that were left out, other than those to values recorded as damaged."""
    misdirected = words.astype(U64) << U64(3)
    misdirected = misdirected[~np.isin(misdirected, unsound)]
    if len(misdirected):
        file.damage.add_all(misdirected.tolist(), "an entry's reference points into the middle of another value")


def _repeats(
    chunks: Sequence[Chunk], slots: Codes, exact: Codes, field: npt.NDArray[np.int64], matrix: Codes
) -> dict[int, tuple[Rows, Codes]]:
    """Put the first value of each repeated field into the matrix, which may hold any of them, and return the later ones."""
    parts: list[npt.NDArray[np.int64]] = [np.empty((3, 0), np.int64)]
    for rows, items in chunks:
        code = slots.take(items >> U32(3))
        code[exact.take(code) != items] = 0
        field_of = np.where(code > 0, field.take(code), len(matrix))
        order = np.argsort(field_of, axis=1, kind="stable")
        field_of, code = np.take_along_axis(field_of, order, 1), np.take_along_axis(code, order, 1)
        is_later = np.zeros(field_of.shape, np.bool_)
        is_later[:, 1:] = (field_of[:, 1:] == field_of[:, :-1]) & (field_of[:, 1:] < len(matrix))
        is_first = np.zeros(field_of.shape, np.bool_)
        is_first[:, :-1] = is_later[:, 1:] & ~is_later[:, :-1]
        row, column = np.nonzero(is_first)
        matrix[field_of[row, column], rows[row]] = code[row, column]
        row, column = np.nonzero(is_later)
        parts.append(np.stack((field_of[row, column], rows[row], code[row, column])))
    later = np.concatenate(parts, axis=1)
    later = later[:, np.lexsort((np.arange(later.shape[1]), later[1], later[0]))]
    return {int(index): (later[1, later[0] == index], later[2, later[0] == index].astype(U32)) for index in np.unique(later[0])}
