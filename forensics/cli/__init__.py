"""Start the program's commands and end them: a failure is one sentence and an exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
from io import TextIOWrapper

from forensics.cli import plain
from forensics.errors import ForensicsError, NotPermittedError

INTERRUPTED = 130
INTERRUPTION = "interrupted; nothing was lost. Run the command again to continue."
OBJECTS_BETWEEN_COLLECTIONS = 50_000  # an analysis makes hundreds of thousands that all stay: a tenth of its CPU time at Python's 700


def main() -> None:
    """Run the program; a failure prints one sentence on stderr and exits with its code in errors.py."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # print every character also where the terminal is not UTF-8
    try:
        _run()
    except ForensicsError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the interpreter does not retry the failed write at exit
        if isinstance(error, BrokenPipeError):  # whoever reads the output has seen enough
            sys.exit(1)
        _fail(_operating_system(error), NotPermittedError.exit_code if isinstance(error, PermissionError) else 1)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer turns Ctrl-C into this, without a message
            _fail(INTERRUPTION, INTERRUPTED)
        raise
    except KeyboardInterrupt:
        _fail(INTERRUPTION, INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - shown as one sentence
        _fail_unexpectedly(error)


def _fail_unexpectedly(error: Exception) -> None:
    if _comes_from_interruption(error):
        _fail(INTERRUPTION, INTERRUPTED)
    if os.environ.get("TABBY_FORENSICS_DEBUG"):
        raise error
    _fail(f"internal error: {type(error).__name__}: {error}. Run again with TABBY_FORENSICS_DEBUG=1 for a traceback.", 1)


def _run() -> None:
    """Run the command; typer, which takes as long to load as polars, only reads what is not plain."""
    if (arguments := plain.explain_arguments(sys.argv[1:])) is not None:
        from forensics.cli.explaining import explain_log

        gc.disable()  # the text is explained once
        sys.exit(explain_log(**arguments))
    from forensics.cli import completion
    from forensics.cli.app import app

    completion.rejoin_words(os.environ)
    app(prog_name="tabby-forensics")


def _comes_from_interruption(error: BaseException | None) -> bool:
    """Whether Ctrl-C is what led to an error, as in the middle of an import."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _operating_system(error: OSError) -> str:
    prefix = f"'{error.filename}': " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{prefix}the disk is full; nothing was lost. Free some space or choose another --store."
    return f"{prefix}{error.strerror or error}."


def _fail(sentence: str, exit_code: int) -> None:
    from forensics.cli import output

    output.clear_progress()
    print(f"tabby-forensics: {output.shown(sentence)}", file=sys.stderr)  # noqa: T201
    sys.exit(exit_code)
