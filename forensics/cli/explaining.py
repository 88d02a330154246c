"""Do what `explain` does, once its arguments are read."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from forensics.errors import JournalPermissionError, NothingRecordedError, UsageError

FORMATS = ("term", "json")
FINDINGS = 3


def explain_log(
    log: Path,
    patterns: Sequence[Path] | None = None,
    format_: str = "term",
    *,
    redact: bool = True,
    exit_code: bool = False,
    verbose: bool = False,
) -> int:
    """Print the explanation of a log; return the exit code."""
    from forensics.cli import output, parse

    parse.require_choice("format", format_, FORMATS)
    content = _read_log(log)
    from forensics.classes.overrides import read_overrides
    from forensics.cli.history import load_catalogue
    from forensics.explain import explain as explained
    from forensics.explain import render
    from forensics.paths import overrides_file
    from forensics.signatures import likeness
    from forensics.wrapping import encodable

    catalogue = load_catalogue(parse.pattern_folders(patterns))
    explanation = explained(content, catalogue, read_overrides(overrides_file()))
    is_unknown = explanation.signature is not None and explanation.pattern is None
    like = likeness.most_like([explanation.key_text], likeness.examples_of(catalogue))[0] if is_unknown and explanation.key_text else ()
    if format_ == "json":
        sys.stdout.write(render.as_json(explanation, like, redact=redact))
    else:
        width = output.width() if sys.stdout.isatty() or "COLUMNS" in os.environ else 0  # what other programs read is not wrapped
        text = render.as_text(explanation, like, redact=redact, verbose=verbose, width=width)
        sys.stdout.write(encodable(text, sys.stdout.encoding or "utf-8"))
    sys.stdout.flush()
    return FINDINGS if exit_code and explanation.signature is not None else 0


def _read_log(path: Path) -> bytes:
    """Read the pasted log, unpacked. Raises UsageError for what is no log, NothingRecordedError for an empty text."""
    from forensics.explain.unpack import MOST, unpacked

    if str(path) == "-":
        content = sys.stdin.buffer.read(MOST + 1)
    else:
        try:
            with path.open("rb") as file:
                content = file.read(MOST + 1)
        except PermissionError:
            raise JournalPermissionError(f"'{path}' cannot be read by this user.") from None
        except IsADirectoryError:
            raise UsageError(f"'{path}' is a directory; name a file.") from None
        except FileNotFoundError:
            raise UsageError(f"'{path}' does not exist.") from None
    if content.startswith(b"LPKSHHRH"):
        raise UsageError(f"'{path}' is a binary journal file: use `report --file`.")
    name = "standard input" if str(path) == "-" else str(path)
    if len(content) > MOST:
        raise UsageError(f"'{name}' is longer than {MOST >> 20} MiB: explain a part of it, such as its last 200,000 lines.")
    if not content.strip():
        raise NothingRecordedError("There is no text to explain.")
    log = unpacked(content, name)
    if not log.strip():
        raise NothingRecordedError("There is no text to explain.")
    return log
