"""Journal files and folders of them in, their new entries in the store: each file is one source, and one commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forensics.errors import ForensicsError
from forensics.ingest.finding import Found, find, find_again
from forensics.ingest.tally import Tally, as_one_error
from forensics.store.layout import Layout
from forensics.store.manifest import Manifest, Part, State, read_manifest
from forensics.store.parts import Piece, pieces, read_part, read_seqnums
from forensics.store.reading import Batch, Journal
from forensics.store.workspace import Draft, Workspace, has_left_overs, open_workspace

Progress = Callable[[int, int], None]

SMALL_PART = 20_000  # rows; a smaller one is written anew together with what comes, so that many short runs leave few parts
TRIES = 8  # for one file that is renamed or committed by another run while it is read


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
        found = find(self.journal, wanted, self.tally)
        whole, done = sum(file.size for file in found), 0
        for file in found:
            self._file(file)
            done += file.size
            if progress is not None:
                progress(done, whole)
        if self.tally.refusals and not self.tally.sources:
            raise as_one_error(self.tally.refusals, wanted)

    def workspace(self) -> Workspace:
        if self._workspace is None:
            self._workspace = self._resources.enter_context(open_workspace(self.layout))
        return self._workspace

    def _file(self, file: Found) -> None:
        for _ in range(TRIES):
            before = read_manifest(self.layout, file.header.file_id)
            if before is not None and _nothing_new(before, file):
                if self._renamed(before, file):
                    return
                continue
            try:
                now = find_again(self.journal, file)
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
