"""Work on dictionary columns as numpy codes: one int32 per row (-1 = absent) into the distinct values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Codes = npt.NDArray[np.int32]
Rows = npt.NDArray[np.intp]
TEXT = pa.string()
DICTIONARY = pa.dictionary(pa.int32(), TEXT)
NOWHERE = pa.scalar(-1, pa.int32())


def encoded(column: pa.Array) -> pa.DictionaryArray:
    """Encode a column as a dictionary of strings; a dictionary costs work per distinct value only."""
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    if column.type == DICTIONARY:
        return column
    indices = column.indices if column.indices.type == pa.int32() else column.indices.cast(pa.int32())
    return pa.DictionaryArray.from_arrays(indices, column.dictionary.cast(TEXT), safe=False)


def absent(n: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.nulls(n, pa.int32()), pa.array([], TEXT))


def as_codes(column: pa.DictionaryArray) -> Codes:
    indices = column.indices
    if indices.null_count:
        indices = indices.fill_null(NOWHERE)
    return np.asarray(indices.to_numpy(zero_copy_only=False), np.int32)


def from_codes(codes: Codes, values: pa.Array) -> pa.DictionaryArray:
    """Build the dictionary column of `codes` into `values`; negative codes are null."""
    present = codes >= 0
    bitmap = None if present.all() else pa.py_buffer(np.packbits(present, bitorder="little"))
    indices = pa.Array.from_buffers(pa.int32(), len(codes), [bitmap, pa.py_buffer(np.ascontiguousarray(codes))])
    return pa.DictionaryArray.from_arrays(indices, values, safe=False)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Several fields over one list of distinct values: equal codes are equal values. The empty value counts as absent."""

    values: pa.Array
    codes: Mapping[str, Codes]

    def find(self, value: str) -> int:
        """The code of a value; -2, which equals no code, when no row has it."""
        at = pc.index(self.values, pa.scalar(value, TEXT)).as_py()
        return at if at >= 0 else -2

    def equals(self, name: str, value: str) -> npt.NDArray[np.bool_]:
        """Whether each row's field has this value."""
        return np.asarray(self.codes[name] == self.find(value), np.bool_)

    def has(self, name: str, pattern: str) -> npt.NDArray[np.bool_]:
        """Whether each row's value of a field matches the RE2 pattern; an absent one does not."""
        matching = np.append(pc.match_substring_regex(self.values, pattern).to_numpy(zero_copy_only=False), False)
        return matching.take(self.codes[name], mode="wrap")


def vocabulary(fields: Mapping[str, pa.DictionaryArray], names: Iterable[str], n: int) -> Vocabulary:
    """Build the vocabulary of the named fields, absent ones included."""
    names = list(names)
    present = [name for name in names if name in fields and len(fields[name].dictionary)]
    nowhere = np.full(n, -1, np.int32)
    codes = dict.fromkeys(names, nowhere)
    if not present:
        return Vocabulary(pa.array([], TEXT), codes)
    joint = pa.chunked_array([fields[name].dictionary for name in present]).combine_chunks().dictionary_encode()
    translation = np.asarray(joint.indices.to_numpy(zero_copy_only=False), np.int32)
    empty = pc.index(joint.dictionary, pa.scalar("", TEXT)).as_py()
    if empty >= 0:
        translation = np.where(translation == empty, np.int32(-1), translation)
    start = 0
    for name in present:
        count = len(fields[name].dictionary)
        # one more slot, so that the code -1 reads "absent" at the end
        codes[name] = np.append(translation[start : start + count], np.int32(-1)).take(as_codes(fields[name]), mode="wrap")
        start += count
    return Vocabulary(joint.dictionary, codes)
