"""Bring the new entries of journal files into the store: each file is one source and one commit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pyarrow.compute as pc

from forensics.errors import ForensicsError
from forensics.ingest.finding import SourceFile, find, find_renamed
from forensics.ingest.result import Ingested, added, as_one_error, total, unchanged, unreadable
from forensics.journal.columns import Batch
from forensics.journal.reader import load
from forensics.store import Store
from forensics.store.manifest import FileState, Manifest
from forensics.store.workspace import Workspace

Progress = Callable[[int, int], None]

TRIES = 8  # for one file that is renamed, or committed by another process, while it is read


def ingest_files(
    store: Store, wanted: Sequence[Path], progress: Progress | None = None, names: Mapping[Path, str] = MappingProxyType({})
) -> Ingested:
    """Ingest journal files, and directories as journalctl reads them; progress(done, all) counts bytes.

    names: what unpacked copies are called; others are called by their paths.

    An unchanged file costs the reading of its header. Raises ForensicsError when the store cannot be written or not one of the
    files can be read.
    """
    with store.workspace() as workspace:
        files, results = find(wanted)
        all_bytes, done = sum(file.size for file in files), 0
        if progress is not None and all_bytes:
            progress(0, all_bytes)
        for file in files:
            results.append(_ingest_file(workspace, file, names.get(file.path)))
            done += file.size
            if progress is not None:
                progress(done, all_bytes)
    result = total(results)
    if result.errors and not result.sources:
        raise as_one_error(result.errors, wanted)
    return result


def _ingest_file(workspace: Workspace, file: SourceFile, name: str | None) -> Ingested:
    """Read and commit a file's new entries; start over when journald or another process interferes. name: if not its path."""
    for _ in range(TRIES):
        try:
            before = workspace.manifest(file.header.file_id)
        except ForensicsError as error:
            return unreadable(file.path, error)
        if before is not None and _is_unchanged(before, file):
            after = before.renamed(name or str(file.path))
            if after == before or workspace.commit(before, after, []):
                return unchanged(after)
            continue
        try:
            now = find_renamed(file)
            batch = _load_new(before, now)
        except FileNotFoundError as error:
            if file.path.exists():
                continue
            return unreadable(file.path, error)
        except (ForensicsError, OSError) as error:
            return unreadable(file.path, error)
        is_another_file = batch.header is not None and batch.header.file_id != file.header.file_id
        if not is_another_file and (result := _commit(workspace, before, now, batch, name)) is not None:
            return result
    return unreadable(file.path, ForensicsError("its name or content changed during every attempt to read it"))


def _is_unchanged(before: Manifest, file: SourceFile) -> bool:
    stored, now = before.state, file.state
    if stored is None or (stored.tail_seqnum, stored.n_entries) != (now.tail_seqnum, now.n_entries):
        return False
    return not before.damage or (stored.size, stored.changed_ns) == (now.size, now.changed_ns)


def _load_new(before: Manifest | None, file: SourceFile) -> Batch:
    """Read the entries that are not stored yet; a damaged file that has changed is read in full, it may be a better copy."""
    if before is None or before.damage:
        return load(file.path)
    return load(file.path, after_seqnum=before.tail_seqnum)


def _commit(workspace: Workspace, before: Manifest | None, file: SourceFile, batch: Batch, name: str | None) -> Ingested | None:
    """Commit a batch as what the store has of the file; null when another process has committed it meanwhile."""
    table = batch.table
    if before is not None and before.damage:
        table = workspace.without_stored(table, before)
    header = batch.header or file.header
    after = before or Manifest(source=file.header.file_id, file="", kind="journal")
    after = replace(
        after,
        state=FileState(header.tail_seqnum, header.n_entries, header.state, file.size, file.changed_ns),
        tail_seqnum=max(pc.max(table["seqnum"]).as_py() or 0, after.tail_seqnum),
        entries=after.entries + len(table),
        damage=batch.damage,
    ).renamed(name or str(file.path))
    after, drafts = workspace.write_joined(table, "seqnum", after)
    return added(after, len(table)) if workspace.commit(before, after, drafts) else None
