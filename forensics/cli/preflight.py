"""`preflight`: check before a service starts what it died of before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import params, parse

Unit = Annotated[str, typer.Argument(metavar="UNIT", help="The service to check.")]
Checks = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Checks in TOML. Default: /etc/tabby-forensics/preflight/UNIT.toml, where it exists."),
]
Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="term or json.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="As ExecStartPre: check only what can refuse the start, show only what does.")]


def preflight(unit: Unit, checks: Checks = None, format_: Format = "term", quiet: Quiet = False, user: params.OfUser = False) -> None:
    """Check libraries, ports, paths, disk and video memory before a start: exit 0 ok, 78 a check failed, 4 could not tell."""
    from forensics.guard.preflight import run

    parse.require_choice("format", format_, ("term", "json"))
    raise typer.Exit(run.preflight(run.Asked(unit, checks, format_ == "json", quiet, user)))
