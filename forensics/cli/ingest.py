"""`ingest`: copy new journal entries into the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from forensics.cli import params
from forensics.errors import UsageError

Retention = Annotated[str | None, typer.Option(metavar="SPAN", help="Delete entries older than this, e.g. 180d.")]


def ingest(
    journal_dir: params.JournalDirs = None,
    file: params.Files = None,
    store: params.Store = None,
    retention: Retention = None,
) -> None:
    """Copy new journal entries into the store (report does this itself)."""
    from forensics.cli import output, parse
    from forensics.ingest.sources import ingest_sources
    from forensics.wording import plural

    done = ingest_sources(
        parse.sources_named(journal_dir, file),
        parse.store_named(store),
        progress=output.progress("reading the journal"),
        keep_from=_oldest_kept(retention),
    )
    damage = f"; {plural(len(done.damage), 'damage record')}" if done.damage else ""
    entries, files = plural(done.new_entries, "new entry", "new entries"), plural(done.files_read, "file")
    typer.echo(f"{entries} from {files}; {plural(done.files_unchanged, 'file')} unchanged{damage}")


def _oldest_kept(retention: str | None) -> datetime | None:
    """When the entries to keep begin. Raises UsageError for a time in the future, which would delete every day that has ended."""
    from forensics.cli import parse

    now = parse.clock()
    oldest = parse.point(retention, now, UTC)
    if oldest is not None and oldest > now:
        raise UsageError(
            f"--retention {retention}: is in the future ({oldest:%F %T} UTC), so nothing would be kept. Give an age, such as 180d."
        )
    return oldest
