"""Ingest all sources of a command: journal files, journal directories and exported streams."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from forensics.errors import JournalPermissionError, NothingRecordedError
from forensics.ingest.counted import opened
from forensics.ingest.files import Progress, ingest_files
from forensics.ingest.leads import journals_near, named
from forensics.ingest.packed import ingest_packed
from forensics.ingest.result import Ingested, total
from forensics.journal import directory
from forensics.journal.directory import files_below, host_directories, journal_files
from forensics.journal.format import SIGNATURE
from forensics.query import STREAM, Sources
from forensics.store import Store


def ingest_sources(wanted: Sources, store_folder: Path, progress: Progress | None = None, keep_from: datetime | None = None) -> Ingested:
    """Bring `wanted` into the store at `store_folder`; delete entries before `keep_from` from it.

    Raises NothingRecordedError without any journal, JournalPermissionError when none may be read, ForensicsError when the store
    cannot be written.
    """
    store = Store.open(store_folder)
    streams = [path for path in wanted.files if path == STREAM or not _is_journal(path)]
    journals = [path for path in wanted.files if path not in streams]
    directories, packed = (host_directories(), []) if wanted.are_the_hosts_own else _listed(wanted.journal_dirs)
    results = [ingest_files(store, [*journals, *directories], progress)] if journals or directories else []
    results += [_ingest_stream(store, path, progress) for path in [*streams, *packed]]
    if keep_from is not None:
        store.prune(keep_from)
    return total([*results, _deleted_by_journald(store, directories)])


def ingest_or_use_store(
    wanted: Sources, store_folder: Path, progress: Progress | None = None, notice: Callable[[str], object] = lambda _: None
) -> Ingested:
    """Ingest as `ingest_sources` does; where this host has no journal, use all that the store holds, with a notice."""
    try:
        return ingest_sources(wanted, store_folder, progress)
    except NothingRecordedError as error:
        manifests, damaged = Store.open(store_folder).manifests()
        if not wanted.are_the_hosts_own or not any(manifest.parts for manifest in manifests):
            raise
        notice(f"{error} Using what the store {store_folder} holds.")
        damage = (*(record for manifest in manifests for record in manifest.damage), *damaged)
        return Ingested(tuple(manifest.source for manifest in manifests), damage=damage)


def _listed(wanted: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """List the directories that hold journals, those of journal-remote included, and the compressed journals in them.

    Raises NothingRecordedError where there is none, JournalPermissionError where none may be read.
    """
    directories: list[Path] = []
    packed: list[Path] = []
    for path in wanted:
        remote = path / directory.REMOTE
        more = [remote] if files_below(remote) else []
        compressed = [file for place in (path, remote) for file in files_below(place, directory.PACKED_ENDINGS) if file.is_file()]
        if files_below(path) or not (more or compressed):
            _refuse_none(path)
            directories.append(path)
        directories += more
        packed += compressed
    return directories, sorted(packed)


def _refuse_none(path: Path) -> None:
    """Raises NothingRecordedError for a directory without a journal, with the one that was meant; JournalPermissionError."""
    try:
        journal_files(path)
    except NothingRecordedError as error:
        raise NothingRecordedError(f"{error}{named(journals_near(path))}") from None


def _ingest_stream(store: Store, path: Path, progress: Progress | None) -> Ingested:
    if path == STREAM:
        return ingest_packed(store, sys.stdin.buffer, "stdin", progress)
    with opened(path, progress) as stream:
        return ingest_packed(store, stream, str(path), progress)


def _deleted_by_journald(store: Store, directories: Sequence[Path]) -> Ingested:
    """List the sources of the host's own journal, deleted files included: its history goes on without them."""
    own = [path for path in directories if any(path.is_relative_to(host) for host in directory.HOST_DIRECTORIES)]
    if not own:
        return Ingested()
    manifests, damage = store.manifests()
    journals = [manifest for manifest in manifests if manifest.kind == "journal"]
    return Ingested(
        tuple(journal.source for path in own for journal in journals if Path(journal.file).is_relative_to(path)), damage=tuple(damage)
    )


def _is_journal(path: Path) -> bool:
    """Whether a file is a binary journal by its name or its first bytes; the reader reports a damaged one."""
    if path.name.endswith(directory.ENDINGS):
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except PermissionError:
        raise JournalPermissionError(f"'{path}': permission denied.") from None
