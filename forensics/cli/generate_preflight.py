"""`generate preflight`: checks before each start, from the failures that units have shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import generating, output, params
from forensics.query import Query

Nix = Annotated[bool, typer.Option("--nix", help="Write a NixOS module instead of drop-ins.")]
Python = Annotated[
    str | None, typer.Option("--program", metavar="PATH", help="The Python with this package, or its command. Default: this one.")
]


@params.reads_history
def preflight(*, query: Query, nix: Nix = False, program: Python = None, target: generating.Files = None) -> None:
    """Write checks for `preflight` from what units have died of; into a directory also the drop-in that runs them."""
    generating.refuse_bad_target(target)
    from forensics.generate.preflight import check_files, command_line, drop_ins, find_checks, nix_file

    command = program or str(Path(sys.executable))
    command_line(command)  # refuses a bad path before the journal is read
    basis = generating.basis(query)
    found = find_checks(basis)
    for checks in found:
        if not checks.entries:
            output.notice(f"{checks.unit} has shown no failure that a check could look for: its file has no checks.")
    is_directory = target is not None and target.is_dir()
    files = check_files(basis, found) if is_directory or not nix else {}
    if nix:
        files |= {"preflight.nix": nix_file(basis, found, command)}
    elif is_directory:
        files |= drop_ins(basis, found, command)
    generating.write_files(files, target)
