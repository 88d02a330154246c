"""Sources → store: journal files, directories and exported streams become Parquet; what is there already costs next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forensics.errors import JournalPermissionError
from forensics.journal import directory
from forensics.journal import sources as journal
from forensics.journal.damage import Damage
from forensics.journal.directory import host_folders, journal_files
from forensics.query import STREAM, Sources
from forensics.store import Store

JOURNAL_MAGIC = b"LPKSHHRH"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Ingestion:
    """What a run brought in; `sources` are the store's names of all that was asked for, new or not."""

    sources: tuple[str, ...]
    new_entries: int
    files_read: int
    files_unchanged: int
    damage: tuple[Damage, ...]


def ingest_sources(wanted: Sources, store_folder: Path, progress: Progress | None = None, keep_from: datetime | None = None) -> Ingestion:
    """Bring `wanted` into the store at `store_folder`; entries before `keep_from` are deleted from it.

    Raises NothingRecordedError without any journal, JournalPermissionError when none may be read, ForensicsError when the store
    cannot be written.
    """
    store = Store.open(store_folder, journal)
    streams = [path for path in wanted.files if path == STREAM or not _is_journal(path)]
    journals = [path for path in wanted.files if path not in streams]
    folders = host_folders() if wanted.are_the_hosts_own else wanted.journal_dirs
    for folder in folders:
        journal_files(folder)  # says when there is none, or none that may be read
    done = [store.ingest([*journals, *folders], progress)] if journals or folders else []
    for path in streams:
        if path == STREAM:
            done.append(store.ingest_stream(sys.stdin.buffer, "stdin"))
        else:
            with path.open("rb") as stream:
                done.append(store.ingest_stream(stream, str(path)))
    if keep_from is not None:
        store.prune(keep_from)
    return Ingestion(
        sources=tuple(dict.fromkeys([*(source for part in done for source in part.sources), *_deleted_by_journald(store, folders)])),
        new_entries=sum(part.new_entries for part in done),
        files_read=sum(part.files_read for part in done),
        files_unchanged=sum(part.files_unchanged for part in done),
        damage=tuple(Damage(*record) for part in done for record in part.records),
    )


def _deleted_by_journald(store: Store, folders: Sequence[Path]) -> list[str]:
    """What the store still has of the host's own journal: journald deletes its oldest files, and the history goes on without them."""
    own = [folder for folder in folders if any(folder.is_relative_to(host) for host in directory.HOST_FOLDERS)]
    return [source for folder in own for source in store.sources_of(folder)]


def _is_journal(path: Path) -> bool:
    """Whether the file claims to be a binary journal; a damaged claim in a file named so counts, and is reported by the reader."""
    if path.name.endswith((".journal", ".journal~")):
        return True
    try:
        with path.open("rb") as file:
            return file.read(8) == JOURNAL_MAGIC
    except PermissionError:
        raise JournalPermissionError(f"'{path}' may not be read by this user.") from None
