"""`ingest`: copy new journal entries into the store."""

from __future__ import annotations

from typing import Annotated

import typer

from forensics.cli import params

Retention = Annotated[str | None, typer.Option(metavar="SPAN", help="Delete entries older than this, e.g. 180d.")]


def ingest(
    journal_dir: params.JournalDirs = None,
    file: params.Files = None,
    store: params.Store = None,
    retention: Retention = None,
) -> None:
    """Copy new journal entries into the store (report does this itself)."""
    from datetime import UTC, datetime

    from forensics.cli import output, parse
    from forensics.ingest.sources import ingest_sources
    from forensics.paths import store_folder
    from forensics.wording import plural

    done = ingest_sources(
        parse.sources_named(journal_dir, file),
        store or store_folder(),
        progress=output.progress("reading the journal"),
        keep_from=parse.point(retention, datetime.now(UTC), UTC),
    )
    damage = f"; {plural(len(done.damage), 'damage record')}" if done.damage else ""
    entries, files = plural(done.new_entries, "new entry", "new entries"), plural(done.files_read, "file")
    typer.echo(f"{entries} from {files}; {plural(done.files_unchanged, 'file')} unchanged{damage}")
