"""Bring an exported stream into the store under the hash of its content, so that the same stream counts once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, cast

import pyarrow as pa

from forensics.errors import ForensicsError
from forensics.ingest.fields_present import FieldsPresent
from forensics.ingest.result import Ingested, added, unchanged
from forensics.journal.stream import read_stream
from forensics.model.values import Damage
from forensics.store import Store
from forensics.store.manifest import Manifest
from forensics.store.workspace import Draft, Workspace

WRITE_AT = 1 << 26  # bytes of tables held before they are written


@dataclass(slots=True)
class HashedStream:
    """A stream that hashes what is read from it."""

    stream: BinaryIO
    digest: hashlib._Hash

    def read(self, size: int = -1) -> bytes:
        content = self.stream.read(size)
        self.digest.update(content)
        return content


def ingest_stream(store: Store, stream: BinaryIO, name: str) -> Ingested:
    """Ingest `journalctl -o export` or `-o json` from a stream, WRITE_AT bytes at a time.

    Raises what `read_stream` raises, and ForensicsError where fields are left out without which nothing can be found.
    """
    hashed = HashedStream(stream, hashlib.sha256())
    damage: list[Damage] = []
    drafts: list[Draft] = []
    waiting: list[pa.Table] = []
    entries = 0
    with store.workspace() as workspace:
        fields = FieldsPresent()
        for batch in read_stream(cast(BinaryIO, hashed), name):
            damage += batch.damage
            fields.add(batch.table)
            if len(batch.table):
                entries += len(batch.table)
                waiting.append(batch.table)
            if sum(table.nbytes for table in waiting) > WRITE_AT:
                drafts += _write_all(workspace, waiting)
        drafts += _write_all(workspace, waiting)
        if fields.are_left_out:
            raise ForensicsError(f"{name} lacks {fields.lacking()}, needed in every journal: export it again without --output-fields.")
        if lacking := fields.lacking():
            damage.append(Damage(name, None, f"no entry has {lacking}: what depends on it cannot be found"))
        source = f"stream-{hashed.digest.hexdigest()[:32]}"
        manifest = Manifest(source=source, file=name, kind="stream", entries=entries, damage=tuple(damage))
        if workspace.commit(None, manifest, drafts):
            return added(manifest, entries)
        return unchanged(workspace.manifest(source) or manifest)


def _write_all(workspace: Workspace, waiting: list[pa.Table]) -> list[Draft]:
    """Write the waiting tables and empty the list."""
    if not waiting:
        return []
    table = pa.concat_tables(waiting).unify_dictionaries()
    waiting.clear()
    return workspace.write(table, "offset")
