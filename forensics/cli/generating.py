"""What the commands of `generate` share: the history that files are made of, and where they are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import output
from forensics.errors import UsageError
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.generate.basis import Basis
    from forensics.pipeline import Investigation

MOST_SENTENCES = 10  # about what could not be proven

Program = Annotated[str | None, typer.Option(metavar="COMMAND", help="Command that starts the program. Default: this program.")]
Files = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="Write to this file, or into this directory, instead of standard output."),
]
Port = Annotated[
    int | None,
    typer.Option(metavar="PORT", min=1, max=65535, help="Port of the endpoint. Default: the one that the unit's lines show."),
]


def investigated(query: Query) -> Investigation:
    """Investigate the history, with progress and notices on stderr."""
    from forensics.cli.history import notice_damage
    from forensics.pipeline import investigate

    investigation = investigate(query, output.progress("reading the journal"), output.notice)
    notice_damage(investigation.history)
    return investigation


def basis(query: Query) -> Basis:
    """Investigate the history. Raises NothingRecordedError without an incident of a service."""
    from forensics.generate.basis import basis_of

    return basis_of(investigated(query))


def this_program() -> str:
    """Return the command that starts the program that runs."""
    import sys

    script = Path(sys.executable).with_name("tabby-forensics")
    return str(script) if script.exists() else f"{sys.executable} -m forensics"


def absolute_program(named: str | None) -> str:
    """Return the command for a unit: the named one, or the program that runs. Raises UsageError."""
    command = named or this_program()
    if not command.startswith("/") or not command.isprintable():
        raise UsageError(f"'{command}': systemd needs the full path of the program; set --program.")
    return command


def write_files(files: Mapping[str, str], target: Path | None, before: str = "# ", after: str = "", *, redacted: bool = True) -> None:
    """Write one file, several into a directory, or all to standard output, each after a line with its name."""
    if target is None and len(files) > 1:
        output.write("\n".join(f"{before}file: {name}{after}\n{text}" for name, text in files.items()), None, redacted=redacted)
    elif target is not None and target.is_dir():
        for name, text in files.items():
            output.write(text, target / name, redacted=redacted)
    elif len(files) == 1:
        output.write(next(iter(files.values())), target, redacted=redacted)
    else:
        raise UsageError(f"'{target}' is a file, and {len(files)} files are to be written: name a directory.")


def write(text: str, target: Path | None) -> None:
    """Write one file."""
    output.refuse_bad_target(target)
    output.write(text, target)


def refuse_bad_target(target: Path | None) -> None:
    """Refuse a place that cannot be written to, before anything takes time. Raises UsageError."""
    output.refuse_bad_target(target / "file" if target is not None and target.is_dir() else target)
