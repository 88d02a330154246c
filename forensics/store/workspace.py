"""How a run commits: parts are written aside, moved in place, and count from the moment their manifest is renamed.

A killed run leaves its folder under `pending/`, whose lock nobody holds any more; the next ingest removes what it left there and
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
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from forensics.store.layout import Layout, sync_folder, write_atomically
from forensics.store.manifest import Manifest, Part, read_manifest, write_manifest
from forensics.store.parts import Piece, described, write_piece

_OWNER = "owner"  # locked as long as the run that made the pending folder lives
_MOVES = "moves"  # the parts that it is about to add to or to take from the data set
_SYNCS = 8  # at once: the file system commits them together


@dataclass(frozen=True, slots=True)
class Draft:
    """A part that is written but not committed: `part.path` is still only its folder."""

    path: Path
    part: Part


@dataclass(slots=True)
class Workspace:
    """A run's own folder for drafts; `open_workspace` makes one."""

    layout: Layout
    folder: Path
    _drafts: int = field(default=0)

    def write(self, piece: Piece, number: str) -> Draft:
        path = self.folder / f"{self._drafts}.parquet"
        self._drafts += 1
        return Draft(path, described(piece, number, write_piece(piece, path)))

    def commit(self, before: Manifest | None, after: Manifest, drafts: Sequence[Draft]) -> bool:
        """Make `after`, with the drafts as further parts, what the store has of its source.

        False, with nothing done, when another run has changed the source since `before` was read.
        """
        _in_parallel(_sync_file, [draft.path for draft in drafts])
        with locked(self.layout):
            if read_manifest(self.layout, after.source) != before:
                return False
            self._replace(before, after, drafts)
        return True

    def _replace(self, before: Manifest | None, after: Manifest, drafts: Sequence[Draft]) -> None:
        new = [(draft.path, _named(draft.part, after.source)) for draft in drafts]
        after = after.with_parts([*after.parts, *(part for _, part in new)])
        old = {part.path for part in before.parts} if before else set()
        gone = sorted(old - {part.path for part in after.parts})
        moves = self.folder / _MOVES
        write_atomically(moves, json.dumps([after.source, *(part.path for _, part in new), *gone]).encode())
        for path, part in new:
            target = self.layout.entries / part.path
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
        _in_parallel(sync_folder, sorted({(self.layout.entries / part.path).parent for _, part in new}))
        write_manifest(self.layout, after)
        _remove_parts(self.layout, gone)
        moves.unlink()


@contextmanager
def open_workspace(layout: Layout) -> Iterator[Workspace]:
    """A workspace for this run; what killed runs left behind is removed first."""
    with locked(layout):
        _recover(layout)
        folder = Path(tempfile.mkdtemp(dir=layout.pending))
        owner = (folder / _OWNER).open("wb")
        fcntl.flock(owner, fcntl.LOCK_EX)
    try:
        yield Workspace(layout, folder)
    finally:
        with locked(layout):
            _discard(layout, folder)
        owner.close()


def has_left_overs(layout: Layout) -> bool:
    """Whether there is any pending folder, of a living run or a killed one."""
    return next(layout.pending.iterdir(), None) is not None


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Held by one run at a time, and only while it commits; the kernel lets go of it when the run is killed."""
    with layout.lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _recover(layout: Layout) -> None:
    for folder in sorted(layout.pending.iterdir()):
        with (folder / _OWNER).open("ab") as owner:
            try:
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue  # its run lives
            _discard(layout, folder)


def _discard(layout: Layout, folder: Path) -> None:
    """Remove a pending folder and every part it had moved that its source's manifest does not name."""
    moves = folder / _MOVES
    if moves.exists():
        source, *paths = json.loads(moves.read_bytes())
        manifest = read_manifest(layout, source)
        committed = {part.path for part in manifest.parts} if manifest else set()
        _remove_parts(layout, [path for path in paths if path not in committed])
    shutil.rmtree(folder)


def _remove_parts(layout: Layout, paths: Sequence[str]) -> None:
    """Delete parts, and the folders that they leave empty."""
    for path in paths:
        (layout.entries / path).unlink(missing_ok=True)
    for folder in sorted({(layout.entries / path).parent for path in paths}):
        for emptied in (folder, folder.parent):
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
