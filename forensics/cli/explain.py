"""`explain`: paste a log, read what failed in it, why the tool says so and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import params
from forensics.errors import JournalPermissionError, NothingRecordedError, UsageError

FORMATS = ("term", "json")
FINDINGS = 3

Text = Annotated[
    Path,
    typer.Argument(
        metavar="FILE|-", help="The log: text of journalctl, docker, kubectl, syslog, a traceback, JSON lines; '-' is standard input."
    ),
]
Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="term or json.")]
Redact = Annotated[bool, typer.Option("--redact/--no-redact", help="Replace secrets in log lines by stable pseudonyms.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="End with exit code 3 when something failed.")]


def explain(
    text: Text,
    patterns: params.Patterns = None,
    format_: Format = "term",
    redact: Redact = True,
    exit_code: ExitCode = False,
) -> None:
    """Say what failed in a pasted log, why the tool says so, whether a restart helps, and the remedy."""
    if format_ not in FORMATS:
        raise UsageError(f"There is no format '{format_}'. There are {', '.join(FORMATS)}.")
    content = _content(text)
    from forensics.classes.overrides import read_overrides
    from forensics.cli import parse
    from forensics.explain import explain as explained
    from forensics.explain import render
    from forensics.paths import overrides_file
    from forensics.signatures import catalogue, likeness

    known = catalogue.load(parse.pattern_folders(patterns))
    if known.refused:
        typer.echo(f"tabby-forensics: left out, {catalogue.format_mistakes(known.refused)}", err=True)
    found = explained(content, known, read_overrides(overrides_file()))
    unknown = found.key_text if found.signature is not None and found.pattern is None else ""
    like = likeness.most_like([unknown], likeness.examples_of(known))[0] if unknown else ()
    as_format = render.as_json if format_ == "json" else render.as_text
    typer.echo(as_format(found, like, redact=redact), nl=False)
    if exit_code and found.signature is not None:
        raise typer.Exit(FINDINGS)


def _content(path: Path) -> bytes:
    """What the user pasted. Raises UsageError for a file that is not there, NothingRecordedError for an empty text."""
    if str(path) == "-":
        import sys

        content = sys.stdin.buffer.read()
    else:
        try:
            content = path.read_bytes()
        except PermissionError:
            raise JournalPermissionError(f"'{path}' may not be read by this user.") from None
        except IsADirectoryError:
            raise UsageError(f"'{path}' is a directory; name a file.") from None
        except FileNotFoundError:
            raise UsageError(f"There is no '{path}'.") from None
    if content.startswith(b"LPKSHHRH"):
        raise UsageError(f"'{path}' is a binary journal file: use `report --file`.")
    if not content.strip():
        raise NothingRecordedError("There is no text to explain.")
    return content
