"""Open a store, commit entries to it, read the entries of a window, prune old days."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from forensics.store.layout import Layout, open_layout
from forensics.store.manifest import read_manifests
from forensics.store.os_errors import as_sentences
from forensics.store.retention import prune
from forensics.store.workspace import Workspace, open_workspace

if TYPE_CHECKING:
    import polars as pl


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
        from forensics.store.query import read_entries  # noqa: PLC0415 - imports polars, which `ingest` does not need

        with as_sentences(self.layout.root):
            return read_entries(self.layout, since, until, sources)

    def sources_of(self, directory: Path) -> list[str]:
        """List the journals that were last read in `directory` or below, those that have been deleted since included."""
        with as_sentences(self.layout.root):
            manifests = read_manifests(self.layout)
        return [manifest.source for manifest in manifests if manifest.kind == "journal" and Path(manifest.file).is_relative_to(directory)]

    def prune(self, older_than: datetime) -> int:
        """Delete the days that ended before `older_than`, for good; return the number of entries deleted."""
        with as_sentences(self.layout.root):
            return prune(self.layout, older_than)
