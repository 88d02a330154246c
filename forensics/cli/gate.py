"""`gate`: stop the restarts of a unit that restarting does not cure, and try it again when something changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params

if TYPE_CHECKING:
    from forensics.guard.gate.by_hand import Status
    from forensics.guard.systemctl import Manager

OPEN = 3
FORMATS = ("term", "json")

app = typer.Typer(
    help="Stop restarts that cure nothing, and try again when something changed.", rich_markup_mode=None, no_args_is_help=True
)

Number = Annotated[int, typer.Argument(metavar="N", help="Number of the opening that the try belongs to.")]
Futile = Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="Failures in a row of a class that no restart cures.")]
AnyClass = Annotated[int, typer.Option("--any", metavar="N", min=1, max=1000, help="Failures in a row of any class.")]
Cooldown = Annotated[str, typer.Option(metavar="TIME", help="Time to the first try; it doubles with each that fails.")]
Most = Annotated[str, typer.Option(metavar="TIME", help="The longest time between two tries.")]
Held = Annotated[str, typer.Option(metavar="TIME", help="How long the unit must be active until the gate is closed.")]


@app.command()
def note(
    unit: params.Service,
    *,
    user: params.OfUser = False,
    futile: Futile = 3,
    any_class: AnyClass = 5,
    cooldown: Cooldown = "600",
    most: Most = "3600",
    held: Held = "600",
) -> None:
    """Count how the unit just ended; for its ExecStopPost=, as `generate gate` writes it. Prints nothing."""
    _early("note", *(["--user"] if user else []), f"--futile={futile}", f"--any={any_class}", f"--cooldown={cooldown}", f"--most={most}",
           f"--held={held}", "--", unit)  # fmt: skip


@app.command()
def probe(unit: params.Service, number: Number, *, user: params.OfUser = False) -> None:
    """Start the unit once, if its gate is open since opening N and nobody touched it; called by a timer. Prints nothing."""
    _early("probe", *(["--user"] if user else []), unit, str(number))


@app.command()
def status(unit: params.Service, *, user: params.OfUser = False, format_: params.TermOrJson = "term") -> None:
    """Show the gate of a unit: exit code 0 closed, 3 restarts are stopped, 4 cannot be found out."""
    import time

    from forensics.cli import parse
    from forensics.guard.gate import by_hand, shown

    parse.require_choice("format", format_, FORMATS)
    manager, name = _named(unit, user=user)
    found: Status = by_hand.status(manager, name)
    typer.echo(shown.as_json(found) if format_ == "json" else shown.as_text(found, manager, time.time()))
    if not found.is_closed:
        raise typer.Exit(OPEN)


@app.command()
def reset(unit: params.Service, *, user: params.OfUser = False) -> None:
    """Close the gate and start the unit."""
    from forensics.errors import ForensicsError
    from forensics.guard.gate import by_hand

    manager, name = _named(unit, user=user)
    if not by_hand.reset(manager, name):
        raise ForensicsError(f"the gate of {name} is closed, but systemd does not start the unit: see `systemctl status {name}`.")
    typer.echo(f"The gate of {name} is closed, and the unit is being started.")


@app.command()
def hold(unit: params.Service, *, user: params.OfUser = False) -> None:
    """Stop the unit and keep it down: the gate tries nothing until `gate reset`."""
    from forensics.guard.gate import by_hand

    manager, name = _named(unit, user=user)
    by_hand.hold(manager, name)
    words = f"{'--user ' if user else ''}{name}"
    typer.echo(f"{name} is being stopped; the gate starts nothing until `tabby-forensics gate reset {words}`.")


def _named(unit: str, *, user: bool) -> tuple[Manager, str]:
    import os

    from forensics.guard.systemctl import Manager, service_name

    os.umask(0o022)  # `status` reads the state as any user
    return Manager(user), service_name(unit)


def _early(*words: str) -> None:
    """Do what `__main__` does before it loads this; only options that it does not understand come here."""
    from forensics.errors import UsageError
    from forensics.guard.gate import early

    call = early.parsed([word for word in words if word != "--"])
    if call is None:
        raise UsageError("a time must be such as 600 or 10min, and not 0.")
    early.run(call)
