"""Entry tables in, Parquet files by host and day out (and back as plain columns). Imports no polars: `ingest` starts fast.

The settings are measured (1 M entries): dictionary pages for text, delta coding for what counts up, no Arrow schema and no
statistics in the footer give 27× less than the journal at 0.4 s; polars' own writer takes 0.8 s and 15 % more room.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from forensics.errors import ForensicsError
from forensics.store.layout import host_folder
from forensics.store.manifest import Part

DAY = 86_400_000_000  # µs
RISING = ("time", "monotonic", "seqnum", "source_monotonic", "offset")  # columns that mostly count up
OF_THE_SOURCE = "file"  # the same for all entries of a source: the manifest has it, so that a rotated file gets its new name
MOST_FOLDERS = 1000  # that one table is split over; more are made by hostile times and host names only
MOST_RANGES = 16  # of sequence numbers named in the manifest for one part

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows of a table that belong into one folder, before they are written."""

    folder: str  # host=…/date=…
    table: pa.Table


def pieces(table: pa.Table) -> Iterator[Piece]:
    """The table by host and day (UTC), each in the table's own order."""
    if not len(table):
        return
    table = table.drop_columns([OF_THE_SOURCE]).combine_chunks()
    hosts = table["host"].chunk(0)
    names = [host_folder(name) for name in [*hosts.dictionary.to_pylist(), None]]
    codes = hosts.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False).astype(np.int64)
    days = table["time"].cast(pa.int64()).to_numpy() // DAY
    keys = codes * (1 << 40) + days
    starts, order = _runs(keys)
    if len(starts) > MOST_FOLDERS:
        yield Piece(f"host=%many/{_date(int(days.min()))}", table)
        return
    ordered = table if order is None else table.take(order)
    ends = [*starts[1:].tolist(), len(table)]
    for start, end in zip(starts.tolist(), ends, strict=True):
        row = start if order is None else int(order[start])
        yield Piece(f"{names[codes[row]]}/{_date(int(days[row]))}", ordered.slice(start, end - start))


def write_piece(piece: Piece, target: Path) -> int:
    """Write the rows to `target`; the size in bytes."""
    with target.open("wb") as file:
        pq.write_table(
            _trimmed(piece.table),
            file,
            compression="zstd",
            compression_level=3,
            use_dictionary=[name for name in piece.table.column_names if name not in RISING],
            column_encoding=dict.fromkeys(RISING, "DELTA_BINARY_PACKED"),
            dictionary_pagesize_limit=1 << 26,
            data_page_size=1 << 22,
            row_group_size=1 << 20,
            write_statistics=["time"],
            store_schema=False,
        )
        return file.tell()


def described(piece: Piece, number: str, size: int) -> Part:
    """What the manifest says of it, its path still only the folder. `number` is the column that numbers the source's entries."""
    times = pc.min_max(piece.table["time"].cast(pa.int64()))
    numbers = pc.min_max(piece.table[number])
    first, last = numbers["min"].as_py(), numbers["max"].as_py()
    return Part(
        path=piece.folder,
        rows=len(piece.table),
        first_time=times["min"].as_py(),
        last_time=times["max"].as_py(),
        first_number=first,
        last_number=last,
        seqnums=_ranges(piece.table),
        size=size,
    )


def read_part(path: Path, like: pa.Schema) -> pa.Table:
    """A part as a table with the types of `like`. Raises ForensicsError when it is damaged."""
    texts = [field.name for field in like if pa.types.is_dictionary(field.type)]
    with _telling_damage(path):
        table = pq.ParquetFile(path, read_dictionary=texts).read()
    return table.cast(pa.schema([like.field(name) for name in table.column_names]))


@contextmanager
def _telling_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ForensicsError(f"The part {path} of the store is damaged: delete the store's folder to ingest everything again.") from error


def read_seqnums(path: Path) -> Numbers:
    with _telling_damage(path):
        column = pq.ParquetFile(path).read(columns=["seqnum"])["seqnum"]
    return np.asarray(column.drop_null().to_numpy(), np.int64)


def _runs(keys: Numbers) -> tuple[Numbers, Numbers | None]:
    """Where each run of equal keys starts once they are in order, and that order; null when they are in order already."""
    order = None
    if (np.diff(keys) < 0).any():
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
    return np.concatenate([np.zeros(1, np.int64), np.flatnonzero(np.diff(keys)) + 1]), order


def micros(time: datetime) -> int:
    """Exact µs since 1970, which a float of seconds is not."""
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _date(days: int) -> str:
    return f"date={datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days):%Y-%m-%d}"


def _trimmed(table: pa.Table) -> pa.Table:
    """The table with only those dictionary values that its rows use: Parquet would write them all into every part."""
    columns = [_trimmed_column(column.combine_chunks()) if pa.types.is_dictionary(column.type) else column for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _trimmed_column(column: pa.DictionaryArray) -> pa.DictionaryArray:
    used = np.zeros(len(column.dictionary) + 1, np.bool_)
    codes = column.indices.fill_null(len(used) - 1).to_numpy(zero_copy_only=False)
    used[codes] = True
    used[-1] = False
    places = np.cumsum(used, dtype=np.int32) - 1
    indices = pa.array(places[codes], mask=column.indices.is_null().to_numpy(zero_copy_only=False))
    return pa.DictionaryArray.from_arrays(indices, column.dictionary.filter(pa.array(used[:-1])))


def _ranges(table: pa.Table) -> dict[str, tuple[int, int]] | None:
    """The range of sequence numbers for each id of them; null when there are too many ids."""
    ids = table["seqnum_id"].combine_chunks()
    codes = ids.indices.drop_null().unique()
    if len(codes) > MOST_RANGES:
        return None
    names = ids.dictionary.take(codes).to_pylist()
    found = {}
    for code, name in zip(codes, names, strict=True):
        limits = pc.min_max(table["seqnum"].filter(pc.equal(ids.indices, code)))
        if limits["min"].is_valid:
            found[name] = (limits["min"].as_py(), limits["max"].as_py())
    return found
