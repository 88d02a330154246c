"""Open a store, commit entries to it, read the entries of a window, prune old days."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.model.values import Damage
from forensics.store.layout import Layout, open_layout
from forensics.store.manifest import Manifest, sound_manifests
from forensics.store.os_errors import as_sentences
from forensics.store.retention import prune
from forensics.store.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    import polars as pl

    from forensics.store.query import Stored


@dataclass(frozen=True, slots=True)
class Store:
    """A data set of entries in a directory."""

    layout: Layout

    @classmethod
    def open(cls, path: Path) -> Store:
        """Open the store at `path`, or create it.

        Raises ForensicsError when it was written by a newer version, and when it cannot be created or read.
        """
        return cls(open_layout(path))

    @contextmanager
    def workspace(self) -> Iterator[Workspace]:
        """A workspace to write and commit entries with. Raises ForensicsError when the operating system refuses anything."""
        with as_sentences(self.layout.root), open_workspace(self.layout) as workspace:
            yield workspace

    def entries(
        self, *, since: datetime | None = None, until: datetime | None = None, sources: Collection[str] | None = None
    ) -> pl.DataFrame:
        """`model.ENTRIES` with since ≤ time < until: by host and machine, boot, and in a boot as recorded; each entry once."""
        return self.read(since=since, until=until, sources=sources).entries

    def read(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        sources: Collection[str] | None = None,
        present: Collection[str] = (),
    ) -> Stored:
        """Read `entries`, and describe the damaged parts that are left out. present: sources that could be ingested again."""
        from forensics.store.query import read_entries  # noqa: PLC0415 - imports polars, which `ingest` does not need

        with as_sentences(self.layout.root):
            return read_entries(self.layout, since, until, sources, present)

    def numbers_outside(
        self, since: datetime | None = None, until: datetime | None = None, sources: Collection[str] | None = None
    ) -> pl.DataFrame:
        """Return seqnum_id and seqnum of the entries outside of a window: what a gap in the window may be about."""
        from forensics.store.query import numbers_outside  # noqa: PLC0415 - as above

        with as_sentences(self.layout.root):
            return numbers_outside(self.layout, since, until, sources)

    def boot_starts(self, sources: Collection[str] | None = None) -> list[datetime]:
        """Return when each boot began, newest first."""
        from forensics.store.query import boot_starts  # noqa: PLC0415 - as above

        with as_sentences(self.layout.root):
            return boot_starts(self.layout, sources)

    def time_span(self, sources: Collection[str] | None = None) -> tuple[datetime, datetime] | None:
        """Return the times of the first and the last entry; null without entries."""
        from forensics.store.query import time_span  # noqa: PLC0415 - as above

        with as_sentences(self.layout.root):
            return time_span(self.layout, sources)

    def manifests(self) -> tuple[list[Manifest], list[Damage]]:
        """Read the manifests of all sources, and describe the damaged ones."""
        with as_sentences(self.layout.root):
            return sound_manifests(self.layout)

    def prune(self, older_than: datetime) -> int:
        """Delete the days that ended before `older_than`, for good; return the number of entries deleted."""
        with as_sentences(self.layout.root):
            return prune(self.layout, older_than)
