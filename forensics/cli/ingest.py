"""`ingest`: bring what is new in the journal into the store, and say how much that was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from forensics.cli import options, output
from forensics.settings import store_folder
from forensics.timespec import BootStart

Retention = Annotated[str | None, typer.Option(help="Delete what is older than this, e.g. 180d.")]


def ingest(
    journal_dir: options.JournalDir = None,
    file: options.File = None,
    store: options.StoreFolder = None,
    retention: Retention = None,
) -> None:
    """Read new journal entries into the store (report does this by itself)."""
    now = datetime.now(UTC)
    keep_from = options.moment(retention, now, UTC)
    if isinstance(keep_from, BootStart):
        keep_from = None
    from forensics.ingestion import ingest_sources

    done = ingest_sources(
        options.sources_named(journal_dir, file),
        store or store_folder(),
        progress=output.progress("reading the journal"),
        keep_from=keep_from,
    )
    typer.echo(
        f"{done.new_entries:,} new entries from {done.files_read} files; {done.files_unchanged} files unchanged"
        + (f"; {len(done.damage)} damage records" if done.damage else "")
    )
