"""`ingest`: bring what is new in the journal into the store, and say how much that was."""

from __future__ import annotations

from typing import Annotated

import typer

from forensics.cli import params

Retention = Annotated[str | None, typer.Option(metavar="SPAN", help="Delete what is older than this, e.g. 180d.")]


def ingest(
    journal_dir: params.JournalDir = None,
    file: params.File = None,
    store: params.StoreFolder = None,
    retention: Retention = None,
) -> None:
    """Read new journal entries into the store (report does this by itself)."""
    from forensics.cli import output, parse
    from forensics.ingest.sources import ingest_sources
    from forensics.paths import store_folder
    from forensics.wording import plural

    done = ingest_sources(
        parse.sources_named(journal_dir, file),
        store or store_folder(),
        progress=output.progress("reading the journal"),
        keep_from=parse.keep_from(retention),
    )
    damage = f"; {plural(len(done.damage), 'damage record')}" if done.damage else ""
    entries, files = plural(done.new_entries, "new entry", "new entries"), plural(done.files_read, "file")
    typer.echo(f"{entries} from {files}; {plural(done.files_unchanged, 'file')} unchanged{damage}")
