"""`ladder`: the profile of a model that a start gets; `choose` is called by the unit's ExecStartPre=."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import output, params

if TYPE_CHECKING:
    from forensics.guard.systemctl import Manager

NOT_LARGEST = 3  # exit code of `status`

app = typer.Typer(
    help="Start a service with the largest model profile that fits into GPU memory.", rich_markup_mode=None, no_args_is_help=True
)

Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="The profiles. Default: /etc/tabby-forensics/ladder/UNIT.toml, with --user below $XDG_CONFIG_HOME."),
]


@app.command()
def choose(unit: params.Service, config: Config = None, user: params.OfUser = False) -> None:
    """Choose the profile for the start under way, and write its variables; without an answer those of last time stay."""
    from forensics.errors import ForensicsError

    try:
        typer.echo(_logged(_chosen(unit, config, user=user)))
    except (ForensicsError, OSError) as error:
        typer.echo(_logged(f"no profile is chosen, the variables of last time stay: {' '.join(str(error).split())}"), err=True)
        raise typer.Exit(error.exit_code if isinstance(error, ForensicsError) else 1) from None


def _chosen(unit: str, config: Path | None, *, user: bool) -> str:
    import os

    from forensics.guard.alarm import ended_after
    from forensics.guard.ladder.choosing import WITHIN_S, choose_profile, time_left

    with ended_after(WITHIN_S):
        manager, name, file = _place(unit, config, user=user)
        within_s = time_left(manager, name)
    with ended_after(within_s):
        return f"{choose_profile(manager, name, file, os.environ, within_s).sentence}."


def _logged(sentence: str) -> str:
    """Write a line of the unit's own log that nobody takes for the reason of a failure."""
    return output.shown(f"INFO: tabby-forensics ladder: {sentence}")


@app.command()
def status(unit: params.Service, config: Config = None, user: params.OfUser = False) -> None:
    """Show the profile of the last start; exit with 0 for the largest, 3 for a smaller one."""
    from forensics.guard.ladder.profiles import read_ladder
    from forensics.guard.ladder.record import read_memory, record_file
    from forensics.guard.ladder.shown import shown

    manager, name, file = _place(unit, config, user=user)
    ladder, memory = read_ladder(file), read_memory(record_file(manager, name))
    typer.echo(output.shown(shown(ladder, memory)), nl=False)
    if ladder.rung(memory.profile):
        raise typer.Exit(NOT_LARGEST)


@app.command()
def up(unit: params.Service, config: Config = None, user: params.OfUser = False) -> None:
    """Try the next larger profile at the next start, if it fits into the free memory then."""
    from forensics.guard.ladder.choosing import step_up

    manager, name, file = _place(unit, config, user=user)
    chosen = step_up(manager, name, file)
    typer.echo(f"{name} gets {chosen} at its next start, if it fits." if chosen else f"{name} has no larger profile.")


@app.command()
def reset(unit: params.Service, user: params.OfUser = False) -> None:
    """Forget what failed and what held: the next start gets the largest profile that fits."""
    from forensics.guard.ladder.record import record_file

    manager, name, _ = _place(unit, None, user=user)
    record_file(manager, name).unlink(missing_ok=True)
    typer.echo(f"{name} gets the largest profile that fits at its next start.")


def _place(unit: str, config: Path | None, *, user: bool) -> tuple[Manager, str, Path]:
    from forensics.guard.ladder.profiles import ladder_file
    from forensics.guard.systemctl import Manager, service_name

    manager, name = Manager(is_users=user), service_name(unit)
    return manager, name, config or ladder_file(manager, name)
