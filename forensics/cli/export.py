"""`export`: write history for other programs; one command per format, to standard output or, whole or not at all, to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import output, params
from forensics.errors import ForensicsError, UsageError
from forensics.files import write_atomically
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.export.loki import PushState
    from forensics.pipeline import Investigation

TABLES = ("attempts", "restarts", "classes", "incidents", "phases", "events", "entries")
FORMATS = {"csv": "CSV for spreadsheets", "jsonl": "JSON Lines, one object per row", "parquet": "Parquet for notebooks"}

app = typer.Typer(help="Write history for other programs: files, Prometheus, Loki.", rich_markup_mode=None, no_args_is_help=True)

Table = Annotated[str, typer.Option(metavar="TABLE", help=f"{', '.join(TABLES)}.")]
Step = Annotated[str, typer.Option(metavar="TIME", help="Time between two samples.")]
Url = Annotated[str, typer.Option("--url", metavar="URL", help="URL of Loki, such as http://127.0.0.1:3100.", envvar="TABBY_LOKI_URL")]
Tenant = Annotated[str, typer.Option(metavar="NAME", help="X-Scope-OrgID, for a Loki with several tenants.")]
TokenFile = Annotated[Path | None, typer.Option("--token-file", metavar="FILE", help="File with a bearer token. Or set TABBY_LOKI_TOKEN.")]
Entries = Annotated[bool, typer.Option("--entries", help="Push the log lines of units instead of attempts, failures and incidents.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the last push to this URL, which did not finish.")]


def _table_command(format_: str) -> Callable[..., None]:
    @params.reads_history
    def command(
        *,
        table: Table = "attempts",
        query: Query,
        target: params.Output = None,
        redact: params.Redact = True,
    ) -> None:
        from forensics.cli import parse

        parse.require_choice("table", table, TABLES)
        output.refuse_bad_target(target)
        investigation = _investigate(query)
        from forensics.export import files, tables

        output.write(files.WRITERS[format_](tables.table(investigation, table, redact=redact)), target)

    return command


for _name, _format in FORMATS.items():
    app.command(_name, help=f"Write a table of history as {_format}.")(_table_command(_name))


@app.command()
@params.reads_history
def openmetrics(*, query: Query, target: params.Output = None, step: Step = "1m") -> None:
    """Write history for `promtool tsdb create-blocks-from openmetrics`."""
    from forensics.timespec import span_seconds

    seconds = span_seconds(step) or 0.0
    if seconds < 1 or seconds % 1:
        raise UsageError(f"--step {step}: must be one or more whole seconds.")
    output.refuse_bad_target(target)
    investigation = _investigate(query)
    from forensics.export.openmetrics import openmetrics_text

    output.write("".join(openmetrics_text(investigation, int(seconds))).encode(), target)


@app.command()
@params.reads_history
def textfile(*, query: Query, target: params.Output = None) -> None:
    """Write current totals for node_exporter's textfile collector; name the file .prom."""
    if target is not None and target.suffix != ".prom":
        raise UsageError(f"'{target}': node_exporter reads only files that end in .prom.")
    output.refuse_bad_target(target)
    investigation = _investigate(query)
    from forensics.export.textfile import prometheus_text

    output.write(prometheus_text(investigation), target)


@app.command()
@params.reads_history
def loki(
    *,
    url: Url,
    query: Query,
    entries: Entries = False,
    tenant: Tenant = "",
    token_file: TokenFile = None,
    resume: Resume = False,
    redact: params.Redact = True,
) -> None:
    """Push history to Loki; report how many lines it accepted and refused."""
    from forensics.watch.config import is_http_url

    if not is_http_url(url) or "@" in url:
        raise UsageError("--url must start with http:// or https:// and hold no password; give a token with --token-file.")
    token = _token(token_file)
    investigation = _investigate(query)
    from forensics.export.loki import LokiClient, PushState
    from forensics.export.loki_streams import streams

    state_file = query.store / f"pushed-{_digest(url, tenant, str(entries))}.json"
    pushed = PushState(done=_read_position(state_file) if resume else None)
    try:
        LokiClient(url, tenant, token).push(
            streams(investigation, entries=entries, redact=redact), pushed, lambda now: _save_position(state_file, now)
        )
    except ForensicsError as error:
        raise ForensicsError(f"{_counts(pushed)}; then failed: {error}. Continue with --resume.") from None
    state_file.unlink(missing_ok=True)
    typer.echo(_counts(pushed))
    if pushed.refused:
        raise ForensicsError(f"Loki refused {pushed.refused} lines; {_reasons(pushed)}.")


def _investigate(query: Query) -> Investigation:
    from forensics.pipeline import investigate

    return investigate(query, progress=output.progress("reading the journal"))


def _token(file: Path | None) -> str:
    import os

    from forensics.toml_file import read_utf8

    return read_utf8(file).strip() if file else os.environ.get("TABBY_LOKI_TOKEN", "")


def _counts(pushed: PushState) -> str:
    return f"Loki accepted {pushed.accepted} lines and refused {pushed.refused}"


def _reasons(pushed: PushState) -> str:
    return "; ".join(f"{count} lines: {reason}" for reason, count in pushed.reasons.most_common(3))


def _digest(*texts: str) -> str:
    import hashlib

    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _save_position(file: Path, pushed: PushState) -> None:
    import json

    write_atomically(file, json.dumps(pushed.done))


def _read_position(file: Path) -> tuple[str, int] | None:
    import json

    try:
        stream, time = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UsageError(f"'{file}' cannot be read: {error}; push without --resume.") from None
    return str(stream), int(time)
