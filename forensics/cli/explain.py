"""`explain`: explain what failed in a pasted log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import params

Log = Annotated[
    Path,
    typer.Argument(
        metavar="FILE|-",
        help="The log, also compressed: text of journalctl, systemctl, docker or kubectl, a traceback, JSON lines; '-' is standard input.",
    ),
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with code 3 when something failed.")]

Verbose = Annotated[bool, typer.Option("--verbose", help="Also show the other events that may explain the failure, with their points.")]


def explain(
    text: Log,
    patterns: params.Patterns = None,
    format_: params.TermOrJson = "term",
    redact: params.Redact = True,
    exit_code: ExitCode = False,
    verbose: Verbose = False,
) -> None:
    """Explain what failed in a pasted log: the cause, the evidence, whether a restart helps, and the remedy."""
    from forensics.cli.explaining import explain_log

    raise typer.Exit(explain_log(text, patterns, format_, redact=redact, exit_code=exit_code, verbose=verbose))
