"""`incidents`: list the incidents of the history: unit, kind, start, length, cause, alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import completion, params
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.model.values import Report
    from forensics.report import RenderOptions

FORMATS = ("term", "md", "json", "csv")
FINDINGS = 3

Format = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help="term, md, json or csv.", autocompletion=completion.choices(*FORMATS))
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with code 3 when there are incidents.")]


@params.reads_history
def incidents(*, query: Query, format_: Format = "term", redact: params.Redact = True, exit_code: ExitCode = False) -> None:
    """List the incidents, those that are ongoing first; `show` shows one of them."""
    import sys

    from forensics.cli import output, parse

    parse.require_choice("format", format_, FORMATS)
    from forensics.pipeline import investigate
    from forensics.report import RenderOptions, incident_list

    report = investigate(query, output.progress("reading the journal"), output.notice).report
    color = output.wants_color()
    options = RenderOptions(redact=redact, color=color, width=output.width(), encoding=sys.stdout.encoding or "utf-8")
    text = _as_csv(report, options) if format_ == "csv" else incident_list.list_incidents(report, format_, options)
    typer.echo(text, nl=False, color=color)
    if exit_code and report.incidents:
        raise typer.Exit(FINDINGS)


def _as_csv(report: Report, options: RenderOptions) -> str:
    import polars as pl

    from forensics.cli.csv_table import as_csv
    from forensics.model.frames import UTC_TIME
    from forensics.report import incident_list

    kinds = dict.fromkeys(incident_list.COLUMNS, pl.String) | {
        "number": pl.Int64,
        "ongoing": pl.Boolean,
        "start": UTC_TIME,
        "end": UTC_TIME,
        "length_s": pl.Float64,
        "downtime_s": pl.Float64,
        "failures": pl.Int64,
        "restarts": pl.Int64,
        "alert": UTC_TIME,
        "noticed_s": pl.Float64,
    }
    return as_csv(kinds, incident_list.rows_of(report, options))
