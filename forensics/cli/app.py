"""The command line as typer reads it: one thin module per command. Commands import what they need when they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from forensics import __version__
from forensics.cli import (
    advise,
    audit,
    classes,
    common_options,
    comparing,
    doctor,
    drill,
    explain,
    export,
    fleet,
    gate,
    generate_guard,
    incidents,
    ingest,
    ladder,
    patterns,
    preflight,
    remedy,
    replay,
    report,
    show,
    verify,
    watch,
)

COMMANDS: dict[str, Callable[..., None]] = {
    "report": report.report,
    "incidents": incidents.incidents,
    "show": show.show,
    "replay": replay.replay,
    "ingest": ingest.ingest,
    "explain": explain.explain,
    "watch": watch.watch,
    "fleet": fleet.fleet,
    "verify": verify.verify,
    "drill": drill.drill,
    "doctor": doctor.doctor,
    "preflight": preflight.preflight,
}
CLASSES = {"report": comparing.WithCompare}
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
    app.command(_name, cls=CLASSES.get(_name))(common_options.with_common_options(_command))
for _name, _group in GROUPS.items():
    common_options.add_common_options(_group)
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
