"""`audit`: which controls exist and work, and which Prometheus rules can never fire."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import params

FORMATS = ("term", "json")

app = typer.Typer(help="Find controls and rules that cannot work.", rich_markup_mode=None, no_args_is_help=True)

RuleFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILES…",
        help="Rule files, directories of them, or patterns such as 'rules/**/*.yml'; '-' is standard input.",
        readable=False,
    ),
]


@app.callback()
def audit() -> None:
    """Find controls and rules that cannot work."""


@app.command()
def rules(files: RuleFiles, format_: params.TermOrJson = "term") -> None:
    """Name the rules of Prometheus rule files that can never fire, and why; needs neither a journal nor a network."""
    from forensics.cli import output, parse
    from forensics.rules import read_rules

    parse.require_choice("format", format_, FORMATS)
    read = read_rules(files)
    for mistake in read.mistakes:
        typer.echo(output.shown(str(mistake)))
    typer.echo(f"{len(read.rules)} rules in {len(read.files)} files", err=True)
