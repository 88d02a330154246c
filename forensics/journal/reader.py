"""Read the entries of a journal file as an arrow table, with a record of all damage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forensics.journal.columns import FIELDS, UTC_TIME, Batch, entries_table
from forensics.journal.decode import Block, load_block
from forensics.journal.dictionary import TEXT, from_codes
from forensics.journal.file import Words, header
from forensics.journal.format import Header, NotAJournal

__all__ = ["Header", "NotAJournal", "header", "load"]


def load(path: Path, *, after_seqnum: int = 0) -> Batch:
    """Read the entries of a file with a sequence number above `after_seqnum`, in the file's order.

    An entry counts when its own object is intact; a damaged value becomes null. A file of an unknown format is read through
    journalctl, with a warning. Raises NotAJournal.
    """
    if header(path).unknown_flags:
        from forensics.journal.fallback import load_with_journalctl  # noqa: PLC0415 — costs start-up time and is hardly ever needed

        return load_with_journalctl(path, after_seqnum)
    block = load_block(path, FIELDS, after_seqnum=after_seqnum)
    fields = {name: block.column(index) for index, name in enumerate(block.names)}
    return Batch(entries_table(fields, _fixed(block, str(path))), block.damage, block.header)


def _fixed(block: Block, name: str) -> dict[str, pa.Array]:
    """Build the columns that come from ENTRY objects, not from fields."""
    entries = block.entries
    return {
        "time": _numbers(entries.realtime).cast(UTC_TIME),
        "monotonic": _numbers(entries.monotonic),
        "boot": _boots(entries.boot),
        "seqnum": _numbers(entries.seqnum),
        "seqnum_id": _constant(block.header.seqnum_id, len(entries)),
        "bytes": pa.array(block.growth),
        "file": _constant(name, len(entries)),
        "offset": _numbers(entries.offset),
    }


def _numbers(column: Words) -> pa.Array:
    """Convert to int64; sound entries hold nothing above 2⁶²."""
    return pa.array(column.astype(np.int64))


def _constant(value: str, n: int) -> pa.DictionaryArray:
    return from_codes(np.zeros(n, np.int32), pa.array([value], TEXT))


def _boots(boot: npt.NDArray[np.uint64]) -> pa.DictionaryArray:
    """Boot ids as 32 hex digits, formatted once per stretch of entries of one boot."""
    first, second = boot[:, 0], boot[:, 1]
    changes = np.flatnonzero((first[1:] != first[:-1]) | (second[1:] != second[:-1])) + 1
    starts = np.concatenate((np.zeros(min(1, len(boot)), np.intp), changes))
    codes: dict[str, int] = {}
    of_stretch = [codes.setdefault(boot[at].tobytes().hex(), len(codes)) for at in starts.tolist()]
    lengths = np.diff(np.append(starts, len(boot)))
    return from_codes(np.repeat(np.array(of_stretch, np.int32), lengths), pa.array(list(codes), TEXT))
