"""`classes`: list the failure classes in the store; merge, split, pin and rename them."""

from __future__ import annotations

from typing import Annotated

import typer

from forensics.cli import params
from forensics.errors import UsageError
from forensics.query import Query

FORMATS = ("term", "json")

app = typer.Typer(help="List the failure classes in the store; merge, split, pin and rename them.", rich_markup_mode=None)

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of a class, as in `classes` and `report`.")]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="The classes to show as the first one.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name to give it.")]
Title = Annotated[str, typer.Argument(metavar="TITLE", help="The title that reports show.")]


@app.callback(invoke_without_command=True)
@params.reads_history
def classes(
    *,
    context: typer.Context,
    query: Query,
    format_: params.TermOrJson = "term",
    redact: params.Redact = True,
) -> None:
    """List the failure classes in the store: counts, first and last time, and what unknown ones resemble."""
    if context.invoked_subcommand is not None:
        return
    from forensics.classes import render
    from forensics.classes.overrides import read_overrides
    from forensics.classes.summary import summarise_classes
    from forensics.cli import output, parse
    from forensics.cli.history import load_catalogue
    from forensics.paths import overrides_file
    from forensics.pipeline import read_history

    parse.require_choice("format", format_, FORMATS)
    catalogue, overrides = load_catalogue(query.pattern_folders), read_overrides(overrides_file())
    history = read_history(query, catalogue, overrides, output.progress("reading the journal"))
    rows = summarise_classes(history.assembly.attempts, history.assembly.events, history.labelled, catalogue, overrides)
    if format_ == "json":
        typer.echo(render.as_json(rows, redact=redact), nl=False)
    else:
        typer.echo(render.as_text(rows, parse.zone_named(query.timezone), redact=redact), nl=False)


@app.command()
def merge(into: Id, ids: Ids) -> None:
    """Show several classes as one, the first."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    overrides.merge(overrides_file(), into, tuple(ids))
    typer.echo(f"{', '.join(ids)}: shown as {into} from now on; undo with `classes split {into}`")


@app.command()
def split(id_: Id) -> None:
    """Undo a merge: show each of its classes separately again."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    if not overrides.split(overrides_file(), id_):
        raise UsageError(f"'{id_}' is not part of a merge.")
    typer.echo(f"{id_}: shown separately again")


@app.command()
def pin(id_: Id, name: Name, store: params.Store = None) -> None:
    """Give an unknown class a name that it keeps when a later version computes another id for it."""
    from forensics.classes import overrides
    from forensics.classes.summary import pin_example, summarise_classes
    from forensics.cli.history import read_whole_store
    from forensics.paths import overrides_file

    current = overrides.read_overrides(overrides_file())
    history, catalogue = read_whole_store(store)
    rows = summarise_classes(history.assembly.attempts, history.assembly.events, history.labelled, catalogue, current)
    row = next((row for row in rows if row.signature.id == id_), None)
    if row is None:
        raise UsageError(f"There is no class '{id_}' in the store; `classes` lists them.")
    if not row.is_unknown:
        raise UsageError(f"'{id_}' always keeps its id; only a mined class can be pinned. Use `classes rename`.")
    overrides.pin(overrides_file(), id_, name, pin_example(row))
    typer.echo(f"{id_}: pinned as '{name}'")


@app.command()
def rename(id_: Id, title: Title) -> None:
    """Change the title of a class."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    overrides.rename(overrides_file(), id_, title)
    typer.echo(f"{id_}: titled '{title}' from now on")
