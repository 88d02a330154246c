"""`export`: history for other programs. One command a format; text goes to standard output or, whole or not at all, to a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.errors import ForensicsError, UsageError
from forensics.files import write_atomically

if TYPE_CHECKING:
    from forensics.export.loki import PushState
    from forensics.pipeline import Investigation

TABLES = ("attempts", "restarts", "classes", "incidents", "phases", "events", "entries")
FORMATS = {"csv": "CSV for spreadsheets", "jsonl": "JSON Lines, one object a row", "parquet": "Parquet for notebooks"}

app = typer.Typer(help="Write history for other programs: files, Prometheus, Loki.", rich_markup_mode=None, no_args_is_help=True)

Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output.")]
Table = Annotated[str, typer.Option(metavar="TABLE", help=f"{', '.join(TABLES)}.")]
Redact = Annotated[bool, typer.Option("--redact/--no-redact", help="Replace secrets in log lines by stable pseudonyms.")]
Step = Annotated[str, typer.Option(metavar="TIME", help="Distance between two samples.")]
Url = Annotated[str, typer.Option("--url", metavar="URL", help="Where Loki is, such as http://127.0.0.1:3100.", envvar="TABBY_LOKI_URL")]
Tenant = Annotated[str, typer.Option(metavar="NAME", help="X-Scope-OrgID, where Loki has several tenants.")]
TokenFile = Annotated[Path | None, typer.Option("--token-file", metavar="FILE", help="Holds a bearer token. Or set TABBY_LOKI_TOKEN.")]
Entries = Annotated[bool, typer.Option("--entries", help="Push the log lines about units instead of attempts, failures and incidents.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on where the last push to this address ended before its time.")]


def _table_command(format_: str) -> Callable[..., None]:
    def command(
        table: Table = "attempts",
        since: params.Since = None,
        until: params.Until = None,
        tz: params.Zone = None,
        unit: params.Unit = None,
        journal_dir: params.JournalDir = None,
        file: params.File = None,
        store: params.StoreFolder = None,
        patterns: params.Patterns = None,
        target: Output = None,
        redact: Redact = True,
    ) -> None:
        if table not in TABLES:
            raise UsageError(f"There is no table '{table}'. There are {', '.join(TABLES)}.")
        _refuse_bad(target)
        found = _found(since, until, tz, unit, journal_dir, file, store, patterns)
        from forensics.export import files, tables

        _write(files.WRITERS[format_](tables.table(found, table, redact=redact)), target)

    return command


for _name, _words in FORMATS.items():
    app.command(_name, help=f"Write a table of history as {_words}.")(_table_command(_name))


@app.command()
def openmetrics(
    since: params.Since = None,
    until: params.Until = None,
    tz: params.Zone = None,
    unit: params.Unit = None,
    journal_dir: params.JournalDir = None,
    file: params.File = None,
    store: params.StoreFolder = None,
    patterns: params.Patterns = None,
    target: Output = None,
    step: Step = "1m",
) -> None:
    """Write history for `promtool tsdb create-blocks-from openmetrics`."""
    from forensics.timespec import span_seconds

    seconds = span_seconds(step) or 0.0
    if seconds < 1 or seconds % 1:
        raise UsageError(f"--step {step}: whole seconds, one or more.")
    _refuse_bad(target)
    found = _found(since, until, tz, unit, journal_dir, file, store, patterns)
    from forensics.export.openmetrics import openmetrics_text

    _write("".join(openmetrics_text(found, int(seconds))).encode(), target)


@app.command()
def textfile(
    since: params.Since = None,
    until: params.Until = None,
    tz: params.Zone = None,
    unit: params.Unit = None,
    journal_dir: params.JournalDir = None,
    file: params.File = None,
    store: params.StoreFolder = None,
    patterns: params.Patterns = None,
    target: Output = None,
) -> None:
    """Write what history says now for node_exporter's textfile collector; name the file .prom."""
    if target is not None and target.suffix != ".prom":
        raise UsageError(f"'{target}': node_exporter reads only files that end in .prom.")
    _refuse_bad(target)
    found = _found(since, until, tz, unit, journal_dir, file, store, patterns)
    from forensics.export.textfile import prometheus_text

    _write(prometheus_text(found), target)


@app.command()
def loki(
    url: Url,
    since: params.Since = None,
    until: params.Until = None,
    tz: params.Zone = None,
    unit: params.Unit = None,
    journal_dir: params.JournalDir = None,
    file: params.File = None,
    store: params.StoreFolder = None,
    patterns: params.Patterns = None,
    entries: Entries = False,
    tenant: Tenant = "",
    token_file: TokenFile = None,
    resume: Resume = False,
    redact: Redact = True,
) -> None:
    """Push history to Loki and say what it took and what not."""
    import os

    from forensics.paths import store_folder
    from forensics.watch.config import is_http_url

    if not is_http_url(url) or "@" in url:
        raise UsageError("--url must start with http:// or https:// and hold no password; give a token with --token-file.")
    try:
        token = token_file.read_text(encoding="utf-8").strip() if token_file else os.environ.get("TABBY_LOKI_TOKEN", "")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"'{token_file}' cannot be read: {error}.") from None
    found = _found(since, until, tz, unit, journal_dir, file, store, patterns)
    from forensics.export.loki import LokiClient, PushState
    from forensics.export.loki_streams import streams

    kept = (store or store_folder()) / f"pushed-{_short(url, tenant, str(entries))}.json"
    pushed = PushState(done=_kept(kept) if resume else None)
    try:
        LokiClient(url, tenant, token).push(streams(found, entries=entries, redact=redact), pushed, lambda now: _keep(kept, now))
    except ForensicsError as error:
        raise ForensicsError(f"{_told(pushed)}; then it ended: {error}. Go on with --resume.") from None
    kept.unlink(missing_ok=True)
    typer.echo(_told(pushed))
    if pushed.refused:
        raise ForensicsError(f"Loki refused {pushed.refused} lines; {_reasons(pushed)}.")


def _found(
    since: str | None,
    until: str | None,
    tz: str | None,
    unit: list[str] | None,
    journal_dir: list[Path] | None,
    file: list[Path] | None,
    store: Path | None,
    patterns: list[Path] | None,
) -> Investigation:
    from forensics.cli import output, parse

    settings = parse.settings(since, until, tz, unit, None, parse.sources_named(journal_dir, file), store, parse.pattern_folders(patterns))
    from forensics.pipeline import investigate

    return investigate(settings, progress=output.progress("reading the journal"))


def _refuse_bad(target: Path | None) -> None:
    from forensics.cli import output

    if target is not None:
        output.refuse_bad_target(target)


def _write(content: bytes, target: Path | None) -> None:
    if target is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_atomically(target, content)
        typer.echo(f"tabby-forensics: wrote {target}", err=True)


def _told(pushed: PushState) -> str:
    return f"Loki accepted {pushed.accepted} lines and refused {pushed.refused}"


def _reasons(pushed: PushState) -> str:
    return "; ".join(f"{count} lines: {reason}" for reason, count in pushed.reasons.most_common(3))


def _short(*texts: str) -> str:
    import hashlib

    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _keep(file: Path, pushed: PushState) -> None:
    import json

    write_atomically(file, json.dumps(pushed.done))


def _kept(file: Path) -> tuple[str, int] | None:
    import json

    try:
        stream, time = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"'{file}' cannot be read: {error}; push without --resume.") from None
    return str(stream), int(time)
