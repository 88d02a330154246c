"""`export`: write history for other programs; one command per format, to standard output or, whole or not at all, to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import completion, output, params
from forensics.errors import ForensicsError, UsageError
from forensics.query import Query
from forensics.wording import NOT_REDACTED, plural

if TYPE_CHECKING:
    from forensics.export.loki import Pushed
    from forensics.pipeline import Investigation

TABLES = ("attempts", "restarts", "classes", "incidents", "phases", "events", "entries")
FORMATS = {"csv": "CSV for spreadsheets", "jsonl": "JSON Lines, one object per row", "parquet": "Parquet for notebooks"}

NOT_OF_THE_SELECTION = {"resume", "store", "token_file"}  # of a push: they change none of its lines
INTERRUPTED = 130

app = typer.Typer(help="Write history for other programs: files, Prometheus, Loki.", rich_markup_mode=None, no_args_is_help=True)

Table = Annotated[str, typer.Option(metavar="TABLE", help=f"{', '.join(TABLES)}.", autocompletion=completion.choices(*TABLES))]
Step = Annotated[str, typer.Option(metavar="TIME", help="Time between two samples.")]
Url = Annotated[str, typer.Option("--url", metavar="URL", help="URL of Loki, such as http://127.0.0.1:3100.", envvar="TABBY_LOKI_URL")]
Tenant = Annotated[str, typer.Option(metavar="NAME", help="X-Scope-OrgID, for a Loki with several tenants.")]
TokenFile = Annotated[Path | None, typer.Option("--token-file", metavar="FILE", help="File with a bearer token. Or set TABBY_LOKI_TOKEN.")]
Entries = Annotated[bool, typer.Option("--entries", help="Push the log lines of units instead of attempts, failures and incidents.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue the last push of this selection to this URL, which did not finish.")]


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

        _warn_of_secrets(redact=redact)
        output.write(files.WRITERS[format_](tables.table(investigation, table, redact=redact)), target, redacted=redact)

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
    context: typer.Context,
    url: Url,
    query: Query,
    entries: Entries = False,
    tenant: Tenant = "",
    token_file: TokenFile = None,
    resume: Resume = False,
    redact: params.Redact = True,
) -> None:
    """Push history to Loki; report how many lines it accepted, had already and refused."""
    _refuse_bad_url(url)
    client_settings = url, _checked_header("--tenant", tenant), _checked_header("The token", _token(token_file))
    investigation = _investigate(query, whole=not entries)
    from forensics.export.loki import LokiPush
    from forensics.export.loki_accepted import open_accepted
    from forensics.export.loki_client import LokiClient
    from forensics.export.loki_streams import streams

    lines = streams(investigation, entries=entries, redact=redact, window=investigation.window)
    _warn_of_secrets(redact=redact)
    record = open_accepted(query.store, (url, tenant), _selection(context), resume=resume)
    if resume and not record.continues_a_push:
        output.notice("there is no unfinished push of this selection to this URL; all its lines are pushed.")
    push = LokiPush(LokiClient(*client_settings), record, notice=output.notice)
    try:
        push.push(lines)
    except ForensicsError as error:
        raise _interrupted(push.pushed, f"{error}.", error.exit_code) from None
    except KeyboardInterrupt:
        raise _interrupted(push.pushed, "Interrupted.", INTERRUPTED) from None
    typer.echo(_counts(push.pushed))
    if push.pushed.refused:
        raise ForensicsError(f"Loki refused {plural(push.pushed.refused, 'line')}: {_reasons(push.pushed)}.")


def _investigate(query: Query, *, whole: bool = False) -> Investigation:
    """Analyse the window, or the whole history, of which a caller wants only the window."""
    from forensics.cli.history import notice_damage
    from forensics.pipeline import investigate

    investigation = investigate(query, output.progress("reading the journal"), output.notice, whole=whole)
    notice_damage(investigation.history)
    return investigation


def _warn_of_secrets(*, redact: bool) -> None:
    if not redact:
        output.notice(NOT_REDACTED)


def _token(file: Path | None) -> str:
    import os

    from forensics.toml_file import read_utf8

    return read_utf8(file).strip() if file else os.environ.get("TABBY_LOKI_TOKEN", "")


def _refuse_bad_url(url: str) -> None:
    from forensics.watch.config import url_problem

    if problem := url_problem(url):
        raise UsageError(f"--url {problem.replace('give a token instead', 'give a token with --token-file')}.")


def _checked_header(name: str, value: str) -> str:
    """Refuse what cannot be sent in a header of HTTP."""
    if not (value.isascii() and value.isprintable()):
        raise UsageError(f"{name} must be printable ASCII.")
    return value


def _selection(context: typer.Context) -> tuple[str, ...]:
    """Return what identifies the lines of a push: the options as they were given, so that `--since 7d` is the same a minute later."""
    options = context.params
    return tuple(f"{name}={options[name]}" for name in sorted(options) if name not in NOT_OF_THE_SELECTION)


def _interrupted(pushed: Pushed, why: str, exit_code: int) -> ForensicsError:
    """Make the error of a push that did not come to its end; nothing needs to be continued if nothing was delivered."""
    delivered = pushed.accepted or pushed.present
    error = ForensicsError(f"{why} {_counts(pushed)}; continue with --resume." if delivered else f"{why} Nothing was pushed.")
    error.exit_code = exit_code
    return error


def _counts(pushed: Pushed) -> str:
    had = f", had {pushed.present} already" if pushed.present else ""
    return f"Loki accepted {pushed.accepted} lines{had} and refused {pushed.refused}"


def _reasons(pushed: Pushed) -> str:
    return " | ".join(f"{plural(count, 'line')}: {reason}" for reason, count in pushed.reasons.most_common())
