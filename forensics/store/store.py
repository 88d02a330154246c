"""The store as its users see it: open, ingest, read the entries of a window, prune."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from forensics.ingest.files import Ingest, Progress
from forensics.ingest.streams import ingest_stream
from forensics.ingest.tally import Record, Tally
from forensics.store.layout import Layout, open_layout
from forensics.store.manifest import read_manifests
from forensics.store.os_errors import as_sentences
from forensics.store.reading import Journal
from forensics.store.retention import prune

if TYPE_CHECKING:  # both import polars, which `ingest` does not need
    import polars as pl

    from forensics.model.values import Damage


@dataclass(frozen=True, slots=True)
class Ingested:
    """What one ingest brought in; `sources` name all that was asked for, new or not."""

    sources: tuple[str, ...]
    new_entries: int
    files_read: int
    files_unchanged: int
    records: tuple[Record, ...]  # of damage: (file, offset, reason)

    @property
    def damage(self) -> tuple[Damage, ...]:
        """All that could not be read of any of the sources, unchanged ones included."""
        from forensics.model.values import Damage  # noqa: PLC0415 - imports polars

        return tuple(Damage(*record) for record in self.records)


@dataclass(frozen=True, slots=True)
class Store:
    """A data set of entries in a folder. `journal` is the module `forensics.journal.sources`; only ingesting needs it."""

    layout: Layout
    journal: Journal | None = None

    @classmethod
    def open(cls, path: Path, journal: Journal | None = None) -> Store:
        """The store at `path`, made when it is not there.

        Raises ForensicsError when it was written by a newer version, and when it cannot be made or read.
        """
        return cls(open_layout(path), journal)

    def ingest(self, files: Sequence[Path], progress: Progress | None = None) -> Ingested:
        """Bring in what is new in journal files, or in folders read as journalctl reads them; progress(done, all) counts bytes.

        Raises ForensicsError when the store cannot be written or not one of the files can be read.
        """
        tally = Tally()
        with as_sentences(self.layout.root), ExitStack() as resources:
            Ingest(self.layout, self._reader(), tally, resources).files(files, progress)
        return _ingested(tally)

    def ingest_stream(self, stream: BinaryIO, name: str, progress: Progress | None = None) -> Ingested:
        """Bring in a stream of `journalctl -o export` or `-o json`. A stream whose content is known adds nothing."""
        tally = Tally()
        with as_sentences(self.layout.root):
            ingest_stream(self.layout, self._reader(), stream, name, tally, progress)
        return _ingested(tally)

    def entries(
        self, *, since: datetime | None = None, until: datetime | None = None, sources: Collection[str] | None = None
    ) -> pl.DataFrame:
        """`model.ENTRIES` with since ≤ time < until: by host and machine, boot, and in a boot as recorded; each entry once."""
        from forensics.store.query import read_entries  # noqa: PLC0415 - imports polars

        with as_sentences(self.layout.root):
            return read_entries(self.layout, since, until, sources)

    def sources_of(self, folder: Path) -> list[str]:
        """The journals that were last seen in `folder` or below, also those that are deleted there by now."""
        with as_sentences(self.layout.root):
            known = read_manifests(self.layout)
        return [each.source for each in known if each.kind == "journal" and Path(each.file).is_relative_to(folder)]

    def prune(self, older_than: datetime) -> int:
        """Delete the days that end before `older_than`, and what is left of them for good; how many entries that were."""
        with as_sentences(self.layout.root):
            return prune(self.layout, older_than)

    def _reader(self) -> Journal:
        if self.journal is None:
            raise TypeError("this store was opened for reading: Store.open(path, forensics.journal.sources) can ingest")
        return self.journal


def _ingested(tally: Tally) -> Ingested:
    return Ingested(tuple(tally.sources), tally.new_entries, tally.files_read, tally.files_unchanged, tuple(tally.damage))
