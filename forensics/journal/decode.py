"""A journal file in, its entries as columns out: for every field the distinct values, and for every entry which of them it has.

An entry is a list of offsets of values. All lists are gathered at once, and offsets become codes through a small table: no work is
done per entry, and work on text only per distinct value.
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
Chunk = tuple[Rows, Codes]  # entries of equally many items, and an array of offset / 8 of theirs: one row an entry
CHUNK = 1 << 14  # items at a time: index arithmetic stays in the L2 cache


@dataclass(frozen=True, slots=True)
class Block:
    """One file's entries, in the file's order. The first value of a field that an entry has several times stands in `codes`."""

    header: Header
    entries: Entries
    growth: npt.NDArray[np.int64]  # bytes that the file grew by for each entry
    names: tuple[str, ...]  # those of the asked fields that occur
    values: pa.Array  # large_string; field c has those from starts[c] to starts[c + 1]
    starts: npt.NDArray[np.int64]
    codes: Codes  # (field, entry): 1 + index into `values`, 0 = absent
    repeats: Mapping[str, tuple[Rows, Codes]]  # field → entries and codes of further values, in order
    damage: tuple[Damage, ...]

    def column(self, index: int) -> pa.DictionaryArray:
        """Field `index` of every entry, its distinct values as the dictionary. Code 0 becomes negative: null."""
        start, stop = int(self.starts[index]), int(self.starts[index + 1])
        return from_codes((self.codes[index] - U32(start + 1)).view(np.int32), self.values[start:stop])


def load_block(path: Path, names: Sequence[str] | None, *, after_seqnum: int = 0) -> Block:
    """The entries of a file with a sequence number above `after_seqnum`, and of their fields the named ones (None: all there are)."""
    file = read_journal(path)
    entries = sound_entries(file)
    grown, new = growth(file, entries), entries.seqnum > U64(after_seqnum)
    entries, grown = entries[new], grown[new]
    chunks = list(_items(file, entries))
    offset = _distinct(file, chunks)
    wanted = tuple(_names(file, offset)) if names is None else tuple(names)
    values = classify(file, offset, wanted)
    order, present, starts = _by_field(values, len(wanted))
    strings = texts(file, values, order[: starts[-1]], wanted)
    found = tuple(wanted[index] for index in present)
    codes, repeats = _codes(file, chunks, len(entries), offset[order], starts, offset, offset[values.field == NOT_A_VALUE])
    named = {found[index]: later for index, later in repeats.items()}
    return Block(file.header, entries, grown, found, strings, starts, codes, named, file.damage.records())


def _items(file: JournalFile, entries: Entries) -> Iterator[Chunk]:
    """The items of all entries. The list of one entry is one element of a window over the file: one copy an entry, not one an item."""
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
            yield part, _words(file, lists.view(U32).reshape(-1, count) if size == 4 else lists.view(U64).reshape(-1, 2 * count)[:, ::2])


def _words(file: JournalFile, items: Words | Codes) -> Codes:
    """Offsets as numbers of words; 0 for those that point nowhere."""
    kind, end = items.dtype.type, min(file.end, np.iinfo(items.dtype).max)
    if items.max() >= end or np.bitwise_or.reduce(items, axis=None) & kind(7):
        wrong = (items >= end) | (items & kind(7) != 0)
        file.damage.add(None, "an entry's reference to a value points outside of the file", int(wrong.sum()))
        items = np.where(wrong, kind(0), items)
    return (items >> kind(3)).astype(U32, copy=False)


def _distinct(file: JournalFile, chunks: Sequence[Chunk]) -> Words:
    """Ascending offsets of all values that entries refer to.

    Neighbours have most values in common, and in the same places: comparing costs less than marking (3.3 ns an item, else 4.5).
    """
    mark = np.zeros((file.end >> 3) + 1, np.bool_)
    for _, items in chunks:
        mark[items[0]] = True
        mark[items[1:][items[1:] != items[:-1]]] = True
    mark[0] = False
    return np.flatnonzero(mark).astype(U64) << U64(3)


def _names(file: JournalFile, offset: Words) -> list[str]:
    """The names of all fields that values have: a loop over distinct values, 2 µs each, for who asks for everything."""
    values = classify(file, offset, None)
    found = {value.partition(b"=")[0] for value in values.inflated.values()}
    for at, size in zip(offset[values.field == 0].tolist(), values.size[values.field == 0].tolist(), strict=True):
        found.add(file.bytes[at + file.payload : at + min(size, file.payload + NAME_LIMIT + 1)].tobytes().partition(b"=")[0])
    return sorted(name.decode("ascii", "backslashreplace") for name in found if 0 < len(name) <= NAME_LIMIT)


def _by_field(values: Values, count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Positions of the sound values by field, then offset, unwanted ones last; the fields that occur; where each begins."""
    sound = np.flatnonzero(values.field != NOT_A_VALUE)
    order = sound[np.argsort(values.field[sound], kind="stable")]
    counts = np.bincount(values.field[sound], minlength=count + 1)[:count]
    present = np.flatnonzero(counts)
    return order, present, np.concatenate((np.zeros(1, np.int64), np.cumsum(counts[present])))


def _codes(
    file: JournalFile, chunks: Sequence[Chunk], n: int, offset: Words, starts: npt.NDArray[np.int64], marked: Words, unsound: Words
) -> tuple[Codes, dict[int, tuple[Rows, Codes]]]:
    """The matrix of codes, and what did not fit into it: further values of a field. `offset` is that of value 0, 1, … of the block.

    A value's object is longer than 64 bytes, so offset / 64 is a slot of its own: a table that stays in the cache (6 MB instead of
    48 MB for a file of 100 MB). Comparing with the exact offset notices references into the middle of an object.
    """
    fields, wanted = len(starts) - 1, int(starts[-1])
    slots = np.zeros((file.end >> 6) + 1, U32)
    slots[(offset >> U64(6)).astype(np.int64)] = np.arange(1, len(offset) + 1, dtype=U32)
    exact = np.append(U32(0), (offset >> U64(3)).astype(U32))
    field = np.full(len(offset) + 1, fields, np.int64)  # row `fields` of the matrix takes what nobody asked for
    field[1 : wanted + 1] = np.repeat(np.arange(fields), np.diff(starts))
    words = (marked >> U64(3)).astype(U32)
    astray = words[exact.take(slots.take(words >> U32(3))) != words]
    base = field * n
    codes = np.zeros((fields + 1) * n, U32)
    used = 0
    for rows, items in chunks:
        code = slots.take(items >> U32(3), mode="clip")  # nothing is to be clipped; the check that raises takes a copy
        if len(astray):
            code[exact.take(code) != items] = 0
        place = base.take(code, mode="clip")
        place += rows[:, None]
        codes[place] = code
        used += int(np.count_nonzero(place < fields * n))
    matrix = codes.reshape(fields + 1, n)[:fields]
    _record_astray(file, astray, unsound)
    return matrix, _repeats(chunks, slots, exact, field, matrix) if used != np.count_nonzero(matrix) else {}


def _record_astray(file: JournalFile, words: Codes, unsound: Words) -> None:
    """References that were left out, other than those to values that are on record as damaged and those that pointed nowhere."""
    astray = words.astype(U64) << U64(3)
    astray = astray[~np.isin(astray, unsound)]
    if len(astray):
        file.damage.add_all(astray.tolist(), "an entry's reference points into the middle of another value")


def _repeats(
    chunks: Sequence[Chunk], slots: Codes, exact: Codes, field: npt.NDArray[np.int64], matrix: Codes
) -> dict[int, tuple[Rows, Codes]]:
    """Fields that an entry has more than once: the first value goes into the matrix, where any may stand, the later ones are returned."""
    parts: list[npt.NDArray[np.int64]] = [np.empty((3, 0), np.int64)]
    for rows, items in chunks:
        code = slots.take(items >> U32(3))
        code[exact.take(code) != items] = 0
        of = np.where(code > 0, field.take(code), len(matrix))
        order = np.argsort(of, axis=1, kind="stable")
        of, code = np.take_along_axis(of, order, 1), np.take_along_axis(code, order, 1)
        again = np.zeros(of.shape, np.bool_)
        again[:, 1:] = (of[:, 1:] == of[:, :-1]) & (of[:, 1:] < len(matrix))
        first = np.zeros(of.shape, np.bool_)
        first[:, :-1] = again[:, 1:] & ~again[:, :-1]
        row, column = np.nonzero(first)
        matrix[of[row, column], rows[row]] = code[row, column]
        row, column = np.nonzero(again)
        parts.append(np.stack((of[row, column], rows[row], code[row, column])))
    later = np.concatenate(parts, axis=1)
    later = later[:, np.lexsort((np.arange(later.shape[1]), later[1], later[0]))]
    return {int(index): (later[1, later[0] == index], later[2, later[0] == index].astype(U32)) for index in np.unique(later[0])}
