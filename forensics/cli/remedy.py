"""`remedy`: the user's own repairs, each once for a cause: check what is declared, list what was started, allow one again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import output, params
from forensics.errors import UsageError

PROBLEMS, COULD_NOT_TELL = 3, 4  # exit codes

app = typer.Typer(help="Start your own repair units, once for each cause.", rich_markup_mode=None, no_args_is_help=True)

Class = Annotated[str, typer.Argument(metavar="CLASS", help="The failure class, such as torch.abi-mismatch.")]
Config = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="What is declared. Default: /etc/tabby-forensics/remedies.toml, with --user below $XDG_CONFIG_HOME."),
]


@app.command()
def check(config: Config = None, user: params.OfUser = False) -> None:
    """Check the declared remedies: units that are missing or not oneshots, and remedies that lead back to the failing unit."""
    from forensics.guard.remedy.declared import read_remedies, remedies_file
    from forensics.guard.remedy.soundness import problems
    from forensics.guard.systemctl import Manager

    manager = Manager(is_users=user)
    remedies = read_remedies(config or remedies_file(manager))
    found = [f"{remedy.classes} of {remedy.unit}: {text}" for remedy in remedies for text in problems(manager, remedy)]
    for sentence in found:
        typer.echo(output.shown(f"{sentence}."))
    if found:
        raise typer.Exit(PROBLEMS)
    typer.echo(f"{len(remedies)} {'remedy' if len(remedies) == 1 else 'remedies'} OK.")


@app.command("list")
def list_(config: Config = None, user: params.OfUser = False) -> None:
    """List the declared remedies, and what was started when, for which cause, and how it ended."""
    from forensics.guard.remedy.declared import read_remedies, remedies_file
    from forensics.guard.remedy.ledger import ledger_directory, read_causes
    from forensics.guard.remedy.listing import listing
    from forensics.guard.systemctl import Manager

    manager = Manager(is_users=user)
    file = config or remedies_file(manager)
    causes, damaged = read_causes(ledger_directory(manager))
    typer.echo(output.shown(listing(read_remedies(file) if config or file.exists() else (), causes)), nl=False)
    for sentence in damaged:
        output.notice(sentence)
    if damaged:
        raise typer.Exit(COULD_NOT_TELL)


@app.command()
def run(unit: params.Service, signature: Class, config: Config = None, user: params.OfUser = False) -> None:
    """Start the declared remedy of a unit's failure class, unless it ran already for this cause. The gate calls this when it opens."""
    from forensics.guard.environment import fingerprint
    from forensics.guard.remedy.declared import read_remedies, remedies_file, remedy_for
    from forensics.guard.remedy.execution import Case, follow, run_once
    from forensics.guard.remedy.ledger import DONE
    from forensics.guard.systemctl import Manager, service_name

    manager, name = Manager(is_users=user), service_name(unit)
    file = config or remedies_file(manager)
    remedy = remedy_for(read_remedies(file), name, signature)
    if remedy is None:
        raise UsageError(f"No remedy is declared in '{file}' for {signature} of {name}.")
    case = Case(manager, name, signature, remedy, lambda: fingerprint(manager, name))
    ended = run_once(case)
    output.notice(ended.text)
    if ended.outcome != DONE:
        raise typer.Exit(PROBLEMS)
    output.notice(f"{name} {'has held' if follow(case) else 'did not hold'}.")


@app.command()
def forget(unit: params.Service, signature: Class, user: params.OfUser = False) -> None:
    """Forget that a remedy ran for a unit's failure class, so that it may run once more."""
    from forensics.guard.remedy.ledger import forget_cause, ledger_directory
    from forensics.guard.systemctl import Manager, service_name

    manager, name = Manager(is_users=user), service_name(unit)
    was_known = forget_cause(ledger_directory(manager), name, signature)
    typer.echo(
        output.shown(f"The remedy for {signature} of {name} may run again." if was_known else "Nothing is recorded about this cause.")
    )
