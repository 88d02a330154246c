"""`generate`: write files for systemd, NixOS and Grafana to standard output or to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import output, params
from forensics.errors import UsageError

app = typer.Typer(help="Write files for systemd, NixOS and Grafana.", rich_markup_mode=None, no_args_is_help=True)

Program = Annotated[str | None, typer.Option(metavar="COMMAND", help="Command that starts the program. Default: this program.")]
Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve metrics for Prometheus, such as 127.0.0.1:9847.")]


@app.command()
def systemd(program: Program = None, listen: Listen = None, target: params.Output = None) -> None:
    """Write a hardened unit for `watch`, with a watchdog and its own user."""
    from forensics.generate.systemd import unit_text
    from forensics.watch.config import host_and_port

    if listen is not None and host_and_port(listen) is None:
        raise UsageError(f"--listen: '{listen}' is not HOST:PORT.")
    command = program or _this_program()
    if not command.startswith("/") or not command.isprintable():
        raise UsageError(f"'{command}': systemd needs the full path of the program; set --program.")
    _write(unit_text(command, listen), target)


@app.command()
def nix(target: params.Output = None) -> None:
    """Write a NixOS module for `watch`, with options for units, sinks and exporter."""
    from forensics.generate.nixos import module_text

    _write(module_text(), target)


@app.command()
def dashboard(target: params.Output = None) -> None:
    """Write a Grafana dashboard of the metrics of `watch`."""
    import json

    from forensics.generate.dashboard import dashboard_model

    _write(json.dumps(dashboard_model(), indent=2) + "\n", target)


def _this_program() -> str:
    import sys

    script = Path(sys.executable).with_name("tabby-forensics")
    return str(script) if script.exists() else f"{sys.executable} -m forensics"


def _write(text: str, target: Path | None) -> None:
    output.refuse_bad_target(target)
    output.write(text, target)
