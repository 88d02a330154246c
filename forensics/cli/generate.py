"""`generate`: files for other programs, written to standard output or to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.errors import UsageError
from forensics.files import write_atomically

app = typer.Typer(help="Write files for systemd, NixOS and Grafana.", rich_markup_mode=None, no_args_is_help=True)

Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output.")]
Program = Annotated[str | None, typer.Option(metavar="COMMAND", help="How the program is started. Default: as it was now.")]
Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve metrics for Prometheus, such as 127.0.0.1:9847.")]


@app.command()
def systemd(program: Program = None, listen: Listen = None, target: Output = None) -> None:
    """Write a hardened unit for `watch`, with watchdog and a user of its own."""
    from forensics.generate.systemd import unit_text
    from forensics.watch.config import host_and_port

    if listen is not None and host_and_port(listen) is None:
        raise UsageError(f"'{listen}' is not HOST:PORT.")
    started = program or _started()
    if not started.startswith("/") or not started.isprintable():
        raise UsageError(f"'{started}': systemd wants the whole path of the program; give --program.")
    _write(unit_text(started, listen), target)


@app.command()
def nix(target: Output = None) -> None:
    """Write a NixOS module for `watch`, with options for units, sinks and exporter."""
    from forensics.generate.nixos import module_text

    _write(module_text(), target)


@app.command()
def dashboard(target: Output = None) -> None:
    """Write a Grafana dashboard of the metrics of `watch`."""
    import json

    from forensics.generate.dashboard import dashboard_model

    _write(json.dumps(dashboard_model(), indent=2) + "\n", target)


def _started() -> str:
    import sys

    beside = Path(sys.executable).with_name("tabby-forensics")
    return str(beside) if beside.exists() else f"{sys.executable} -m forensics"


def _write(text: str, target: Path | None) -> None:
    from forensics.cli import output

    if target is None:
        typer.echo(text, nl=False)
        return
    output.refuse_bad_target(target)
    write_atomically(target, text)
    typer.echo(f"tabby-forensics: wrote {target}", err=True)
