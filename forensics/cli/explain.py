"""`explain`: explain what failed in a pasted log."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import params
from forensics.errors import JournalPermissionError, NothingRecordedError, UsageError

FORMATS = ("term", "json")
FINDINGS = 3

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
    from forensics.cli import parse

    parse.require_choice("format", format_, FORMATS)
    content = _read_log(text)
    from forensics.classes.overrides import read_overrides
    from forensics.cli.history import load_catalogue
    from forensics.explain import explain as explained
    from forensics.explain import render
    from forensics.paths import overrides_file
    from forensics.signatures import likeness

    catalogue = load_catalogue(parse.pattern_folders(patterns))
    explanation = explained(content, catalogue, read_overrides(overrides_file()))
    is_unknown = explanation.signature is not None and explanation.pattern is None
    like = likeness.most_like([explanation.key_text], likeness.examples_of(catalogue))[0] if is_unknown and explanation.key_text else ()
    if format_ == "json":
        typer.echo(render.as_json(explanation, like, redact=redact), nl=False)
    else:
        typer.echo(render.as_text(explanation, like, redact=redact, verbose=verbose), nl=False)
    if exit_code and explanation.signature is not None:
        raise typer.Exit(FINDINGS)


def _read_log(path: Path) -> bytes:
    """Read the pasted log, unpacked. Raises UsageError for what is no log, NothingRecordedError for an empty text."""
    from forensics.explain.unpack import unpacked

    if str(path) == "-":
        import sys

        content = sys.stdin.buffer.read()
    else:
        try:
            content = path.read_bytes()
        except PermissionError:
            raise JournalPermissionError(f"'{path}' cannot be read by this user.") from None
        except IsADirectoryError:
            raise UsageError(f"'{path}' is a directory; name a file.") from None
        except FileNotFoundError:
            raise UsageError(f"'{path}' does not exist.") from None
    if content.startswith(b"LPKSHHRH"):
        raise UsageError(f"'{path}' is a binary journal file: use `report --file`.")
    if not content.strip():
        raise NothingRecordedError("There is no text to explain.")
    log = unpacked(content, "standard input" if str(path) == "-" else str(path))
    if not log.strip():
        raise NothingRecordedError("There is no text to explain.")
    return log
