"""An exported stream in, its entries in the store: the hash of its content is its name, so the same stream counts once."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa

from forensics.ingest.files import Progress
from forensics.ingest.tally import Tally
from forensics.store.layout import Layout
from forensics.store.manifest import Manifest, read_manifest
from forensics.store.parts import pieces
from forensics.store.reading import Journal
from forensics.store.workspace import Draft, Workspace, open_workspace

WRITE_AT = 1 << 26  # bytes of tables held before they are written


@dataclass(slots=True)
class Hashed:
    """A stream that hashes and counts what is read from it."""

    stream: BinaryIO
    progress: Progress | None
    digest: hashlib._Hash
    count: int = 0

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.digest.update(content)
        self.count += len(content)
        if self.progress is not None:
            self.progress(self.count, max(self.count, 1))
        return content


def ingest_stream(layout: Layout, journal: Journal, stream: BinaryIO, name: str, tally: Tally, progress: Progress | None) -> None:
    """Store a stream's entries; memory is bounded by WRITE_AT, not by the stream. Raises what `read_stream` raises."""
    hashed = Hashed(stream, progress, hashlib.sha256())
    damage: list[tuple[int | None, str]] = []
    drafts: list[Draft] = []
    waiting: list[pa.Table] = []
    entries = 0
    with ExitStack() as resources:
        workspace = resources.enter_context(open_workspace(layout))
        for batch in journal.read_stream(cast(BinaryIO, hashed), name):
            damage += [(record.offset, record.reason) for record in batch.damage]
            if len(batch.table):
                entries += len(batch.table)
                waiting.append(batch.table)
            if sum(table.nbytes for table in waiting) > WRITE_AT:
                drafts += _written(workspace, waiting)
        drafts += _written(workspace, waiting)
        source = f"stream-{hashed.digest.hexdigest()[:32]}"
        manifest = Manifest(source=source, file=name, kind="stream", entries=entries, damage=tuple(damage))
        if workspace.commit(None, manifest, drafts):
            tally.files_read += 1
            tally.new_entries += entries
        else:
            tally.files_unchanged += 1
    tally.add(read_manifest(layout, source) or manifest)


def _written(workspace: Workspace, waiting: list[pa.Table]) -> list[Draft]:
    """Write all tables that wait, and forget them."""
    if not waiting:
        return []
    table = pa.concat_tables(waiting).unify_dictionaries()
    waiting.clear()
    return [workspace.write(piece, "offset") for piece in pieces(table)]
