"""Journal files and folders of them in, their new entries in the store: each file is one source, and one commit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from glob import escape
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.errors import ForensicsError, JournalPermissionError
from forensics.store.layout import Layout
from forensics.store.manifest import Manifest, Part, State, read_manifest
from forensics.store.parts import Piece, pieces, read_part, read_seqnums
from forensics.store.reading import Batch, Header, Journal
from forensics.store.workspace import Draft, Workspace, has_left_overs, open_workspace

Progress = Callable[[int, int], None]
Record = tuple[str, int | None, str]  # of damage: file, offset, reason

SMALL_PART = 20_000  # rows; a smaller one is written anew together with what comes, so that many short runs leave few parts
TRIES = 8  # for one file that is renamed or committed by another run while it is read
JOURNAL = "*.journal*"


@dataclass(slots=True)
class Tally:
    """What a run has met so far."""

    sources: list[str] = field(default_factory=list)
    new_entries: int = 0
    files_read: int = 0
    files_unchanged: int = 0
    damage: list[Record] = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)  # files that could not be read at all

    def refuse(self, path: Path, error: ForensicsError | OSError) -> None:
        reason = str(error) if isinstance(error, ForensicsError) else f"cannot be read: {error.strerror or error}"
        self.damage.append((str(path), None, reason))
        self.refusals.append(error)

    def add(self, manifest: Manifest) -> None:
        self.sources.append(manifest.source)
        self.damage.extend((manifest.file, offset, reason) for offset, reason in manifest.damage)


@dataclass(frozen=True, slots=True)
class Found:
    """A journal file as it was met: where, with which header, and what its folder says of it."""

    path: Path
    header: Header
    size: int
    changed_ns: int

    @property
    def state(self) -> State:
        return State(self.header.tail_seqnum, self.header.n_entries, self.header.state, self.size, self.changed_ns)


@dataclass(slots=True)
class Ingest:
    """One run over journal files. A workspace is made when there is something to write: an unchanged journal costs its headers."""

    layout: Layout
    journal: Journal
    tally: Tally
    _resources: ExitStack
    _workspace: Workspace | None = None

    def files(self, wanted: Sequence[Path], progress: Progress | None) -> None:
        """Bring in `wanted`: files, or folders that are read as journalctl reads them."""
        if has_left_overs(self.layout):
            self.workspace()
        found = self._find(wanted)
        whole, done = sum(file.size for file in found), 0
        for file in found:
            self._file(file)
            done += file.size
            if progress is not None:
                progress(done, whole)
        if self.tally.refusals and not self.tally.sources:
            raise _as_one(self.tally.refusals, wanted)

    def workspace(self) -> Workspace:
        if self._workspace is None:
            self._workspace = self._resources.enter_context(open_workspace(self.layout))
        return self._workspace

    def _find(self, wanted: Sequence[Path]) -> list[Found]:
        """Every journal file once, under its newest name.

        Folders are listed until nothing new appears: a file that journald rotates between the listing and the reading of its
        header would be missing otherwise.
        """
        found: dict[str, Found] = {}
        seen: set[Path] = set()
        known = _archived(wanted)
        while new := [path for path in self._listed(wanted, known) if path not in seen]:
            for path in new:
                seen.add(path)
                try:
                    file = self._look(path)
                except FileNotFoundError as error:
                    if path in wanted:
                        self.tally.refuse(path, error)
                except (ForensicsError, OSError) as error:
                    self.tally.refuse(path, error)
                else:
                    found[file.header.file_id] = file
        return sorted(found.values(), key=lambda file: file.path)

    def _listed(self, wanted: Sequence[Path], known: set[Path]) -> list[Path]:
        """All files that are wanted now, with those that journald has made of them since `known` were the archived ones."""
        files: list[Path] = []
        for path in wanted:
            try:
                files += self.journal.journal_files(path) if path.is_dir() else [path]
            except (ForensicsError, OSError) as error:
                if str(path) not in {refused for refused, _, _ in self.tally.damage}:
                    self.tally.refuse(path, error)
        return [*files, *sorted(_archived(wanted) - known)]

    def _look(self, path: Path) -> Found:
        status = path.stat()
        return Found(path, self.journal.header(path), status.st_size, status.st_mtime_ns)

    def _file(self, file: Found) -> None:
        for _ in range(TRIES):
            before = read_manifest(self.layout, file.header.file_id)
            if before is not None and _nothing_new(before, file):
                if self._renamed(before, file):
                    return
                continue
            try:
                now = self._here(file)
                batch = self._load(before, now)
            except FileNotFoundError as error:
                if file.path.exists():
                    continue
                self.tally.refuse(file.path, error)
                return
            except (ForensicsError, OSError) as error:
                self.tally.refuse(file.path, error)
                return
            rotated = batch.header is not None and batch.header.file_id != file.header.file_id
            if not rotated and self._commit(before, now, batch):
                return
        self.tally.refuse(file.path, ForensicsError("changed its name or its content each time it was read"))

    def _renamed(self, before: Manifest, file: Found) -> bool:
        after = replace(before, file=str(file.path))
        if after != before and not self.workspace().commit(before, after, []):
            return False
        self.tally.files_unchanged += 1
        self.tally.add(after)
        return True

    def _load(self, before: Manifest | None, file: Found) -> Batch:
        """What is not stored yet. A file that was damaged and has changed is read in full: it may be a better copy."""
        if before is None or before.damage:
            return self.journal.load(file.path)
        return self.journal.load(file.path, after_seqnum=before.tail_seqnum)

    def _here(self, file: Found) -> Found:
        """The same journal file under the name that journald has given it since. Raises FileNotFoundError when it is deleted."""
        for path in [file.path, *sorted(file.path.parent.glob(JOURNAL))]:
            try:
                other = self._look(path)
            except (ForensicsError, OSError):
                continue
            if other.header.file_id == file.header.file_id:
                return other
        raise FileNotFoundError(2, "was deleted before it could be read", str(file.path))

    def _commit(self, before: Manifest | None, file: Found, batch: Batch) -> bool:
        table = batch.table
        if before is not None and before.damage:
            table = _missing(table, before, self.layout)
        header = batch.header or file.header
        after = before or Manifest(source=file.header.file_id, file="", kind="journal")
        tail = pc.max(table["seqnum"]).as_py() or 0
        after = replace(
            after,
            file=str(file.path),
            state=State(header.tail_seqnum, header.n_entries, header.state, file.size, file.changed_ns),
            tail_seqnum=max(tail, after.tail_seqnum),
            entries=after.entries + len(table),
            damage=tuple((record.offset, record.reason) for record in batch.damage),
        )
        after, drafts = self._drafts(after, table)
        if not self.workspace().commit(before, after, drafts):
            return False
        self.tally.files_read += 1
        self.tally.new_entries += len(table)
        self.tally.add(after)
        return True

    def _drafts(self, after: Manifest, table: pa.Table) -> tuple[Manifest, list[Draft]]:
        """The new parts, written aside, and the manifest without the small parts that went into them."""
        small = {part.path.rpartition("/")[0]: part for part in after.parts if part.rows < SMALL_PART}
        drafts, merged = [], set()
        for piece in pieces(table):
            part = small.get(piece.folder)
            if part is not None:
                merged.add(part.path)
            drafts.append(self.workspace().write(_merged(piece, part, self.layout), "seqnum"))
        return after.with_parts(part for part in after.parts if part.path not in merged), drafts


def _archived(files: Sequence[Path]) -> set[Path]:
    """What journald has rotated away under the names of those of `files` that it writes to: `system@….journal` for `system.journal`."""
    written = [path for path in files if path.suffix == ".journal" and "@" not in path.name]
    return {other for path in written for other in path.parent.glob(f"{escape(path.stem)}@*.journal*")}


def _nothing_new(before: Manifest, file: Found) -> bool:
    stored, now = before.state, file.state
    if stored is None or (stored.tail_seqnum, stored.n_entries) != (now.tail_seqnum, now.n_entries):
        return False
    return not before.damage or (stored.size, stored.changed_ns) == (now.size, now.changed_ns)


def _missing(table: pa.Table, before: Manifest, layout: Layout) -> pa.Table:
    """The rows that are neither stored nor were pruned."""
    stored = [read_seqnums(layout.entries / part.path) for part in before.parts]
    wanted = ~np.isin(table["seqnum"].to_numpy(), np.concatenate([np.zeros(0, np.int64), *stored]))
    if before.pruned_before is not None:
        wanted &= table["time"].cast(pa.int64()).to_numpy() >= before.pruned_before
    return table.filter(pa.array(wanted))


def _merged(piece: Piece, part: Part | None, layout: Layout) -> Piece:
    if part is None:
        return piece
    stored = read_part(layout.entries / part.path, piece.table.schema)
    return replace(piece, table=pa.concat_tables([stored, piece.table]).unify_dictionaries().combine_chunks())


def _as_one(refusals: Iterable[Exception], wanted: Sequence[Path]) -> ForensicsError:
    """The error of a run that could read nothing."""
    errors = list(refusals)
    if all(isinstance(error, PermissionError) for error in errors):
        names = ", ".join(str(path) for path in wanted[:3])
        return JournalPermissionError(
            f"{names} may not be read by this user. Run it as root, or join the group systemd-journal "
            "(sudo usermod -aG systemd-journal $USER, then log in again)."
        )
    first = next(error for error in errors if not isinstance(error, PermissionError))
    if isinstance(first, ForensicsError):
        return first
    return ForensicsError(f"{wanted[0]} cannot be read: {getattr(first, 'strerror', None) or first}.")
