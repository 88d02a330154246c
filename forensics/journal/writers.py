"""Join what journald itself records of the process that wrote an entry into one column."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forensics.journal.dictionary import TEXT, from_codes, vocabulary

FIELDS = ("_UID", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT", "_EXE")
LARGEST_TABLE = 1 << 22  # pairs of distinct values that are numbered by a table, 2 ms; above it they are sorted

Numbers = npt.NDArray[np.int64]


def writers(fields: Mapping[str, pa.DictionaryArray], n: int) -> pa.DictionaryArray:
    """Return `<uid> <unit>[/<user unit>] <program>` for each of n entries, "-" where one is absent; null without all.

    There are few such writers, so that who may speak for what is decided per distinct one (speakers.py).
    """
    parts = [vocabulary(fields, [name], n) for name in FIELDS]
    distinct, numbers = np.zeros((1, 0), np.int64), np.zeros(n, np.int64)
    for name, part in zip(FIELDS, parts, strict=True):
        width = len(part.values) + 1
        pairs, numbers = _numbered(numbers * width + part.codes[name] + 1, len(distinct) * width)
        distinct = np.column_stack([distinct[pairs // width], pairs % width - 1])
    texts = [[*part.values.to_pylist(), "-"] for part in parts]  # the last one is read by -1
    named = [_text(*(text[code] for text, code in zip(texts, codes, strict=True))) for codes in distinct.tolist()]
    known = np.asarray((distinct >= 0).any(axis=1), np.bool_)
    return from_codes(np.where(known[numbers], numbers, -1).astype(np.int32), pa.array(named, TEXT))


def _text(uid: str, unit: str, user_unit: str, program: str) -> str:
    return f"{uid} {unit}{'' if user_unit == '-' else f'/{user_unit}'} {program}"


def _numbered(keys: Numbers, size: int) -> tuple[Numbers, Numbers]:
    """Return the distinct keys, all below `size`, and the number of each row's among them."""
    if size > LARGEST_TABLE:
        distinct, numbers = np.unique(keys, return_inverse=True)
        return distinct, numbers.astype(np.int64)
    present = np.zeros(size, np.bool_)
    present[keys] = True
    distinct = np.flatnonzero(present)
    table = np.zeros(size, np.int64)
    table[distinct] = np.arange(len(distinct))
    return distinct, table[keys]
