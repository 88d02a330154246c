"""`patterns list|check|new`: what the catalogue knows, and whether every pattern keeps its promises; a new one from the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.errors import UsageError
from forensics.files import write_atomically

if TYPE_CHECKING:
    from forensics.signatures.catalogue import Catalogue

app = typer.Typer(help="The catalogue of known failures.", no_args_is_help=True, rich_markup_mode=None)

Against = Annotated[
    Path | None,
    typer.Option(metavar="STORE", help="Also show which labels of the attempts in this store --patterns moves."),
]
Format = Annotated[str, typer.Option("--format", help="term or json.")]


@app.command("list")
def list_(patterns: params.Patterns = None, format_: Format = "term") -> None:
    """List the patterns: id, severity, whether a restart helps, title."""
    import json

    from forensics.cli import parse
    from forensics.signatures import catalogue

    known = sorted(catalogue.load(parse.pattern_folders(patterns)).patterns, key=lambda pattern: pattern.id)
    if format_ == "json":
        rows = [
            {"id": p.id, "title": p.title, "severity": p.severity, "restart_helps": p.restart_helps, "file": str(p.file)} for p in known
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    width = max((len(pattern.id) for pattern in known), default=0)
    for pattern in known:
        helps = "a restart helps" if pattern.restart_helps else "a restart does not help"
        typer.echo(f"{pattern.id:<{width}}  {pattern.severity:<8}  {helps:<23}  {pattern.title}")
    typer.echo(f"{len(known)} patterns", err=True)


@app.command()
def check(patterns: params.Patterns = None, against: Against = None) -> None:
    """Check every pattern: its examples match it and no other, its counterexamples do not match."""
    from forensics.classes import new_pattern
    from forensics.cli import parse
    from forensics.signatures import catalogue

    loaded = catalogue.load(parse.pattern_folders(patterns))
    mistakes = [*loaded.refused, *new_pattern.unfilled(loaded), *catalogue.check(loaded)]
    if against is not None:
        typer.echo(_moves(against, loaded), nl=False)
    if mistakes:
        raise UsageError(f"{len(mistakes)} mistakes in the catalogue:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
    typer.echo(f"{len(loaded.patterns)} patterns keep their promises")


@app.command()
def new(
    id_: Annotated[str, typer.Argument(metavar="MINED", help="The unknown class, as `classes` and `report` name it.")],
    as_: Annotated[
        str, typer.Option("--as", metavar="AREA.PROBLEM", help="The id of the pattern, e.g. torch.abi-mismatch.")
    ] = "new.problem",
    store: params.StoreFolder = None,
    folder: Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Default: ~/.config/tabby-forensics/patterns.")] = None,
) -> None:
    """Write a pattern file from an unknown class of the store, filled as far as it can be."""
    import re

    from forensics.classes import new_pattern
    from forensics.classes.overrides import Overrides
    from forensics.classes.summary import summarise_classes
    from forensics.cli.classes import everything
    from forensics.paths import users_patterns

    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+", as_):
        raise UsageError(f"'{as_}' is no id: lower-case words with hyphens, an area and a problem, like torch.abi-mismatch.")
    target = new_pattern.draft_path(as_, folder or users_patterns())
    if target.exists():
        raise UsageError(f"'{target}' is there already; name another id with --as.")
    history, known = everything(store)
    rows = summarise_classes(history.assembly.attempts, history.assembly.events, history.labelled, known, Overrides())
    row = next((row for row in rows if row.signature.id == id_ and row.is_unknown), None)
    if row is None:
        raise UsageError(f"The store has no unknown class '{id_}'; `classes` lists them.")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, new_pattern.pattern_draft(as_, row))
    typer.echo(f"wrote {target}; fill in what is marked '{new_pattern.FILL}', then run `patterns check`")


def _moves(store: Path, changed: Catalogue) -> str:
    """Which labels of the store's attempts the changed catalogue moves, from what the shipped one and the user's own say."""
    from forensics.classes import new_pattern
    from forensics.cli.classes import everything

    history, _ = everything(store)
    moves = new_pattern.label_moves(history.assembly.attempts, history.assembly.events, history.labelled.labels, changed)
    return new_pattern.moves_as_text(moves)
