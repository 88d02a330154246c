"""Commit entries: parts are written aside, moved into the data set, and count once their manifest is renamed.

A killed process leaves its directory under `pending/` with a lock that nobody holds; the next ingest removes what it left there and
every part that it had moved without committing it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from forensics.errors import ForensicsError
from forensics.files import PRIVATE_FILE, make_private_directory, open_private, sync_directory, write_atomically
from forensics.store import joining
from forensics.store.layout import Layout, are_in_place, is_source, keep_private
from forensics.store.manifest import Manifest, Part, read_manifest, write_manifest
from forensics.store.parts import Piece, describe, pieces, write_piece

_OWNER = "owner"  # locked as long as the process that made the pending directory lives
_MOVES = "moves"  # the parts that it is about to add to the data set or to remove from it
_SYNCS = 8  # at once: the file system commits them together


@dataclass(frozen=True, slots=True)
class Draft:
    """A part that is written but not committed: `part.path` is still only its directory."""

    path: Path
    part: Part


@dataclass(slots=True)
class Workspace:
    """A process's own directory for drafts, created when something is first written: reading manifests needs no write access."""

    layout: Layout
    _resources: ExitStack
    _directory: Path | None = None
    _drafts: int = 0

    def manifest(self, source: str) -> Manifest | None:
        return read_manifest(self.layout, source)

    def without_stored(self, table: pa.Table, manifest: Manifest) -> pa.Table:
        """The rows of a source's table that are neither stored nor were pruned."""
        return joining.without_stored(table, manifest, self.layout)

    def write(self, table: pa.Table, number: str) -> list[Draft]:
        """Write a table by host and day; `number` is the column that numbers the source's entries."""
        return [self._write(piece, number) for piece in pieces(table)]

    def write_joined(self, table: pa.Table, number: str, manifest: Manifest) -> tuple[Manifest, list[Draft]]:
        """Write a table together with the small parts of its days; return the manifest without those parts, and the drafts."""
        drafts, replaced = [], set()
        for piece, part in joining.joined_pieces(table, manifest, self.layout):
            drafts.append(self._write(piece, number))
            if part is not None:
                replaced.add(part.path)
        return manifest.with_parts(part for part in manifest.parts if part.path not in replaced), drafts

    def commit(self, before: Manifest | None, after: Manifest, drafts: Sequence[Draft]) -> bool:
        """Replace the manifest `before` of a source by `after`, with the drafts as further parts.

        False, with nothing done, when another process has changed the source since `before` was read.
        """
        directory = self.directory()
        _in_parallel(_sync_file, [draft.path for draft in drafts])
        with locked(self.layout):
            if read_manifest(self.layout, after.source) != before:
                return False
            _replace(self.layout, directory / _MOVES, before, after, drafts)
        return True

    def directory(self) -> Path:
        if self._directory is None:
            self._directory = self._resources.enter_context(_pending_directory(self.layout))
        return self._directory

    def _write(self, piece: Piece, number: str) -> Draft:
        path = self.directory() / f"{self._drafts}.parquet"
        self._drafts += 1
        return Draft(path, describe(piece, number, write_piece(piece, path)))


@contextmanager
def open_workspace(layout: Layout) -> Iterator[Workspace]:
    """Open a workspace; if killed processes left anything, remove it first."""
    with ExitStack() as resources:
        workspace = Workspace(layout, resources)
        if any(layout.pending.iterdir()):
            workspace.directory()
        yield workspace


@contextmanager
def _pending_directory(layout: Layout) -> Iterator[Path]:
    """A locked directory under `pending/`; what killed processes left there is removed first."""
    with locked(layout):
        keep_private(layout)
        _recover(layout)
        directory = Path(tempfile.mkdtemp(dir=layout.pending))
        owner = open_private(directory / _OWNER, "wb")
        fcntl.flock(owner, fcntl.LOCK_EX)
    try:
        yield directory
    finally:
        with locked(layout):
            _discard(layout, directory)
        owner.close()


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the store's lock, which one process has while it commits; the kernel releases it when the process is killed."""
    with open_private(layout.lock, "wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _replace(layout: Layout, moves: Path, before: Manifest | None, after: Manifest, drafts: Sequence[Draft]) -> None:
    """Move the drafts into the data set, write the manifest, delete the parts that it no longer names; note the parts in `moves`."""
    new = [(draft.path, _named(draft.part, after.source)) for draft in drafts]
    after = after.with_parts([*after.parts, *(part for _, part in new)])
    old = {part.path for part in before.parts} if before else set()
    gone = sorted(old - {part.path for part in after.parts})
    if not are_in_place(layout, after.source, [*(part.path for _, part in new), *gone]):
        raise ForensicsError(f"A directory below {layout.entries} is a symbolic link. Put what it leads to in its place.")
    write_atomically(moves, json.dumps([after.source, *(part.path for _, part in new), *gone]), mode=PRIVATE_FILE)
    for path, part in new:
        target = layout.entries / part.path
        make_private_directory(target.parent)
        path.rename(target)
    _in_parallel(sync_directory, sorted({(layout.entries / part.path).parent for _, part in new}))
    write_manifest(layout, after)
    _remove_parts(layout, gone)
    moves.unlink()


def _recover(layout: Layout) -> None:
    """Discard the pending directories of killed processes."""
    for directory in sorted(layout.pending.iterdir()):
        with open_private(directory / _OWNER, "ab") as owner:
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its process lives
            _discard(layout, directory)


def _discard(layout: Layout, directory: Path) -> None:
    """Remove a pending directory and every part it had moved that its source's manifest does not name; none if that is damaged."""
    source, paths = _moves(layout, directory / _MOVES)
    if paths:
        with suppress(ForensicsError):
            manifest = read_manifest(layout, source)
            committed = {part.path for part in manifest.parts} if manifest else set()
            _remove_parts(layout, [path for path in paths if path not in committed])
    shutil.rmtree(directory)


def _moves(layout: Layout, file: Path) -> tuple[str, list[str]]:
    """Read the source and the parts that a process noted; none from a file that it cannot have written."""
    try:
        source, *paths = json.loads(file.read_bytes())
        is_sound = is_source(source) and are_in_place(layout, source, paths)
    except (FileNotFoundError, ValueError, TypeError, RecursionError):
        return "", []
    return (source, paths) if is_sound else ("", [])


def _remove_parts(layout: Layout, paths: Sequence[str]) -> None:
    """Delete parts, and the directories that they leave empty."""
    for path in paths:
        (layout.entries / path).unlink(missing_ok=True)
    for directory in sorted({(layout.entries / path).parent for path in paths}):
        for emptied in (directory, directory.parent):
            try:
                emptied.rmdir()
            except OSError:  # other parts are in it, or it is gone already
                break


def _named(part: Part, source: str) -> Part:
    return replace(part, path=f"{part.path}/{source}-{part.first_number}-{part.last_number}.parquet")


def _sync_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _in_parallel(sync: Callable[[Path], None], paths: Sequence[Path]) -> None:
    with ThreadPoolExecutor(_SYNCS) as pool:
        for _ in pool.map(sync, paths):
            pass
