"""`classes`: the failure classes that the store has; `classes merge|split|pin|rename`: what the user decides about them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.errors import UsageError

if TYPE_CHECKING:
    from forensics.pipeline import History
    from forensics.signatures.catalogue import Catalogue

FORMATS = ("term", "json")

app = typer.Typer(help="The failure classes that the store has, and what you decided about them.", rich_markup_mode=None)

Format = Annotated[str, typer.Option("--format", metavar="FORMAT", help="term or json.")]
Redact = Annotated[bool, typer.Option("--redact/--no-redact", help="Replace secrets in log lines by stable pseudonyms.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="A class, as `classes` and `report` name it.")]


@app.callback(invoke_without_command=True)
def classes(
    context: typer.Context,
    since: params.Since = None,
    until: params.Until = None,
    tz: params.Zone = None,
    unit: params.Unit = None,
    journal_dir: params.JournalDir = None,
    file: params.File = None,
    store: params.StoreFolder = None,
    patterns: params.Patterns = None,
    format_: Format = "term",
    redact: Redact = True,
) -> None:
    """List the failure classes of the store: how many, since when, what unknown ones are like."""
    if context.invoked_subcommand is not None:
        return
    if format_ not in FORMATS:
        raise UsageError(f"There is no format '{format_}'. There are {', '.join(FORMATS)}.")
    from forensics.classes import render
    from forensics.classes.overrides import read_overrides
    from forensics.classes.summary import summarise_classes
    from forensics.cli import output, parse
    from forensics.paths import overrides_file
    from forensics.pipeline import read_history
    from forensics.signatures import catalogue

    sources = parse.sources_named(journal_dir, file)
    settings = parse.settings(since, until, tz, unit, None, sources, store, parse.pattern_folders(patterns))
    known = catalogue.load(settings.pattern_folders)
    if known.refused:
        typer.echo(f"tabby-forensics: left out, {catalogue.format_mistakes(known.refused)}", err=True)
    overrides = read_overrides(overrides_file())
    history = read_history(settings, known, overrides, output.progress("reading the journal"))
    rows = summarise_classes(history.assembly.attempts, history.assembly.events, history.labelled, known, overrides)
    if format_ == "json":
        typer.echo(render.as_json(rows, redact=redact), nl=False)
    else:
        typer.echo(render.as_text(rows, parse.zone_named(tz), redact=redact), nl=False)


@app.command()
def merge(into: Id, ids: Annotated[list[str], typer.Argument(metavar="ID…", help="The classes to show as the first one.")]) -> None:
    """Show several classes as one: the first."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    overrides.merge(overrides_file(), into, tuple(ids))
    typer.echo(f"{', '.join(ids)}: shown as {into} from now on; `classes split {into}` undoes it")


@app.command()
def split(id_: Id) -> None:
    """Undo a merge: the classes are shown each by itself again."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    if not overrides.split(overrides_file(), id_):
        raise UsageError(f"'{id_}' is in no merge.")
    typer.echo(f"{id_}: shown by itself again")


@app.command()
def pin(
    id_: Id,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it.")],
    store: params.StoreFolder = None,
) -> None:
    """Keep a class of the store known under a name, also when a later version would give it another id."""
    from forensics.classes import overrides
    from forensics.classes.summary import pin_example, summarise_classes
    from forensics.paths import overrides_file

    decided = overrides.read_overrides(overrides_file())
    history, known = everything(store)
    rows = summarise_classes(history.assembly.attempts, history.assembly.events, history.labelled, known, decided)
    row = next((row for row in rows if row.signature.id == id_), None)
    if row is None:
        raise UsageError(f"The store has no class '{id_}'; `classes` lists them.")
    if not row.is_unknown:
        raise UsageError(f"'{id_}' keeps its id by itself; only a mined class needs a pin. Use `classes rename`.")
    overrides.pin(overrides_file(), id_, name, pin_example(row))
    typer.echo(f"{id_}: kept as '{name}'")


@app.command()
def rename(id_: Id, title: Annotated[str, typer.Argument(metavar="TITLE", help="The words that reports show.")]) -> None:
    """Give a class a title of your own."""
    from forensics.classes import overrides
    from forensics.paths import overrides_file

    overrides.rename(overrides_file(), id_, title)
    typer.echo(f"{id_}: called '{title}' from now on")


def everything(store: Path | None) -> tuple[History, Catalogue]:
    """All that the store has, labelled with the shipped catalogue and the user's own."""
    from forensics.classes.overrides import Overrides
    from forensics.cli import parse
    from forensics.pipeline import read_history
    from forensics.query import Sources
    from forensics.signatures import catalogue

    settings = parse.settings(None, None, None, None, None, Sources(), store, parse.pattern_folders(None))
    known = catalogue.load(settings.pattern_folders)
    return read_history(settings, known, Overrides()), known
