"""`show`: one piece of evidence or one incident of the report, by its name."""

from __future__ import annotations

from typing import Annotated

import typer

from forensics.cli import completion, params
from forensics.query import Query

FORMATS = ("term", "md", "json")

Id = Annotated[
    str,
    typer.Argument(
        metavar="ID",
        help="Evidence, such as E3, 2.E3 or I1, or an incident: its number, its id, or its unit. Give the options that the report had.",
        autocompletion=completion.units,
    ),
]
Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="term, md or json.", autocompletion=completion.choices(*FORMATS))]


@params.reads_history
def show(*, id_: Id, query: Query, format_: Format = "term", redact: params.Redact = True) -> None:
    """Show evidence with the lines around it, or one incident."""
    import sys

    from forensics.cli import output, parse

    parse.require_choice("format", format_, FORMATS)
    from forensics.history_replay import make_report
    from forensics.report import RenderOptions, excerpts

    made = make_report(query, output.progress("reading the journal"), output.notice)
    color = output.wants_color()
    options = RenderOptions(redact=redact, color=color, width=output.width(), encoding=sys.stdout.encoding or "utf-8")
    typer.echo(excerpts.show(made, id_, format_, options), nl=False, color=color)
