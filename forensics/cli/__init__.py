"""The command line: one thin module per command. Commands import what they need when they run, so that --help starts at once."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated

import typer

from forensics import __version__
from forensics.cli import (
    advise,
    audit,
    classes,
    doctor,
    drill,
    explain,
    export,
    gate,
    generate_guard,
    ingest,
    ladder,
    output,
    patterns,
    preflight,
    remedy,
    replay,
    report,
    verify,
    watch,
)
from forensics.errors import ForensicsError

INTERRUPTED = 130
INTERRUPTION = "interrupted; nothing was lost. Run the command again to continue."
OBJECTS_BETWEEN_COLLECTIONS = 50_000  # an analysis makes hundreds of thousands that all stay: a tenth of its CPU time at Python's 700
COMMANDS: dict[str, Callable[..., None]] = {
    "report": report.report,
    "replay": replay.replay,
    "ingest": ingest.ingest,
    "explain": explain.explain,
    "watch": watch.watch,
    "verify": verify.verify,
    "drill": drill.drill,
    "doctor": doctor.doctor,
    "preflight": preflight.preflight,
}
GROUPS = {
    "advise": advise.app,
    "audit": audit.app,
    "classes": classes.app,
    "export": export.app,
    "gate": gate.app,
    "generate": generate_guard.app,
    "ladder": ladder.app,
    "patterns": patterns.app,
    "remedy": remedy.app,
}

app = typer.Typer(
    name="tabby-forensics",
    help="Find out why systemd services crash and restart: what broke, when, what changed before, who noticed, what to do.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich costs as much start-up time as all the rest together
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _command in COMMANDS.items():
    app.command(_name)(_command)
for _name, _group in GROUPS.items():
    app.add_typer(_group, name=_name)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tabby-forensics {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", callback=_show_version, is_eager=True)] = False,
) -> None:
    pass


def main() -> None:
    """Run the program; a failure prints one sentence on stderr and exits with its code in errors.py."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # print every character also where the terminal is not UTF-8
    try:
        app(prog_name="tabby-forensics")
    except ForensicsError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # so that the interpreter does not retry the failed write at exit
        _fail(_operating_system(error), 1)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer turns Ctrl-C into this, without a message
            _fail(INTERRUPTION, INTERRUPTED)
        raise
    except KeyboardInterrupt:
        _fail(INTERRUPTION, INTERRUPTED)
    except Exception as error:
        if _comes_from_interruption(error):
            _fail(INTERRUPTION, INTERRUPTED)
        if os.environ.get("TABBY_FORENSICS_DEBUG"):
            raise
        _fail(f"internal error: {type(error).__name__}: {error}. Run again with TABBY_FORENSICS_DEBUG=1 for a traceback.", 1)


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
    print(f"tabby-forensics: {output.shown(sentence)}", file=sys.stderr)  # noqa: T201
    sys.exit(exit_code)
