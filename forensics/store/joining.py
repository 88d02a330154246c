"""Fit new rows to the parts that are already stored: leave out stored rows, join small parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pyarrow as pa

from forensics.errors import ForensicsError
from forensics.store.layout import Layout
from forensics.store.manifest import Manifest, Part
from forensics.store.parts import Numbers, Piece, pieces, read_part, read_seqnums

SMALL_PART = 20_000  # rows; a smaller one is rewritten together with the new rows, so that many short ingests leave few parts


def without_stored(table: pa.Table, manifest: Manifest, layout: Layout) -> pa.Table:
    """The rows of a table that are neither stored nor were pruned; those of a damaged part come again."""
    stored: list[Numbers] = []
    for part in manifest.parts:
        with suppress(ForensicsError):
            stored.append(read_seqnums(layout.entries / part.path))
    wanted = ~np.isin(table["seqnum"].to_numpy(), np.concatenate([np.zeros(0, np.int64), *stored]))
    if manifest.pruned_before is not None:
        wanted &= table["time"].cast(pa.int64()).to_numpy() >= manifest.pruned_before
    return table.filter(pa.array(wanted))


def joined_pieces(table: pa.Table, manifest: Manifest, layout: Layout) -> Iterator[tuple[Piece, Part | None]]:
    """The pieces of a table, each with the rows of the small part of its directory, and that part. A damaged one stays as it is."""
    small = {part.path.rpartition("/")[0]: part for part in manifest.parts if part.rows < SMALL_PART}
    for piece in pieces(table):
        part = small.get(piece.directory)
        joined = None if part is None else _joined(piece, part, layout)
        yield (piece, None) if joined is None else (joined, part)


def _joined(piece: Piece, part: Part, layout: Layout) -> Piece | None:
    """The piece with the rows of a stored part; null when that part is damaged."""
    try:
        stored = read_part(layout.entries / part.path, piece.table.schema)
    except ForensicsError:
        return None
    return replace(piece, table=pa.concat_tables([stored, piece.table]).unify_dictionaries().combine_chunks())
