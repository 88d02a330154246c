"""`classes`: list the failure classes in the store; merge, split, pin and rename them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import completion, params
from forensics.errors import UsageError
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.pipeline import History
    from forensics.signatures.catalogue import Catalogue

FORMATS = ("term", "json", "csv")

app = typer.Typer(help="List the failure classes in the store; merge, split, pin and rename them.", rich_markup_mode=None)

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a class, as in `classes` and `report`.", autocompletion=completion.classes)
]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="The classes to show as the first one.", autocompletion=completion.classes)]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name to give it.")]
Title = Annotated[str, typer.Argument(metavar="TITLE", help="The title that reports show.")]


@app.callback(invoke_without_command=True)
@params.reads_history
def classes(
    *,
    context: typer.Context,
    query: Query,
    format_: params.TermJsonOrCsv = "term",
    redact: params.Redact = True,
) -> None:
    """List the failure classes in the store: failures, restarts, first and last time, and what unknown ones resemble."""
    context.obj = query.store
    if context.invoked_subcommand is not None:
        return
    from forensics.classes import render
    from forensics.classes.overrides import read_overrides
    from forensics.classes.summary import summarise_classes
    from forensics.cli import output, parse
    from forensics.cli.csv_table import as_csv
    from forensics.cli.history import load_catalogue, notice_damage
    from forensics.paths import overrides_file
    from forensics.pipeline import read_history

    parse.require_choice("format", format_, FORMATS)
    catalogue, overrides = load_catalogue(query.pattern_folders), read_overrides(overrides_file())
    history = read_history(query, catalogue, overrides, output.progress("reading the journal"))
    rows = summarise_classes(history.assembly, history.labelled, catalogue, overrides)
    completion.keep_classes(query.store, (row.signature.id for row in rows))
    notice_damage(history)
    if format_ == "json":
        typer.echo(render.as_json(rows, redact=redact), nl=False)
    elif format_ == "csv":
        typer.echo(as_csv(render.COLUMNS, render.as_rows(rows, redact=redact)), nl=False)
    else:
        typer.echo(render.as_text(rows, parse.zone_named(query.timezone), redact=redact), nl=False)


@app.command()
def merge(context: typer.Context, into: Id, ids: Ids, store: params.Store = None) -> None:
    """Show several classes as one, the first."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    _history_with(_chosen_store(context, store), into, *ids)
    overrides.merge(overrides_file(), into, tuple(ids))
    typer.echo(f"{', '.join(ids)}: shown as {into} from now on; undo with `classes split {into}`")


@app.command()
def split(context: typer.Context, id_: Id, store: params.Store = None) -> None:
    """Undo a merge: show each of its classes separately again."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    _chosen_store(context, store)  # accepted as by the other commands; a merge is undone without a look at it
    if not overrides.split(overrides_file(), id_):
        raise UsageError(f"'{id_}' is not part of a merge.")
    typer.echo(f"{id_}: shown separately again")


@app.command()
def pin(context: typer.Context, id_: Id, name: Name, store: params.Store = None) -> None:
    """Give an unknown class a name that it keeps when a later version computes another id for it."""
    from forensics.classes import overrides
    from forensics.classes.summary import pin_example, summarise_classes
    from forensics.paths import overrides_file

    current = overrides.read_overrides(overrides_file())
    history, catalogue = _history_with(_chosen_store(context, store), id_)
    rows = summarise_classes(history.assembly, history.labelled, catalogue, current)
    row = next((row for row in rows if row.signature.id == id_ and row.is_unknown), None)
    if row is None:
        raise UsageError(f"'{id_}' always keeps its id; only a mined class that explains failures can be pinned. Use `classes rename`.")
    overrides.pin(overrides_file(), id_, name, pin_example(row))
    typer.echo(f"{id_}: pinned as '{name}'")


@app.command()
def rename(context: typer.Context, id_: Id, title: Title, store: params.Store = None) -> None:
    """Change the title of a class."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    _history_with(_chosen_store(context, store), id_)
    overrides.rename(overrides_file(), id_, title)
    typer.echo(f"{id_}: titled '{title}' from now on")


def _chosen_store(context: typer.Context, store: Path | None) -> Path:
    """The --store of the command, or the one given before it: `classes --store DIR rename …`."""
    return store or context.obj


def _history_with(store: Path, *ids: str) -> tuple[History, Catalogue]:
    """Read the history that has classes of these ids. Raises UsageError for an id that neither it nor classes.toml has."""
    import difflib

    from forensics.classes.overrides import read_overrides
    from forensics.cli.history import read_whole_store
    from forensics.model.values import LOST
    from forensics.paths import overrides_file

    history, catalogue = read_whole_store(store)
    recorded = {LOST.id, *history.labelled.signatures, *history.labelled.labels["signature"].drop_nulls()}
    recorded |= read_overrides(overrides_file()).ids
    for id_ in ids:
        if id_ not in recorded:
            near = difflib.get_close_matches(id_, sorted(recorded), n=3, cutoff=0.5)
            hint = f"Did you mean {' or '.join(near)}?" if near else "`classes` lists them."
            raise UsageError(f"There is no class '{id_}' in the store {store}. {hint}")
    return history, catalogue
