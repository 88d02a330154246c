"""`patterns`: list the catalogue, check every pattern, draft a new one from the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.errors import UsageError
from forensics.files import write_atomically

if TYPE_CHECKING:
    from forensics.signatures.catalogue import Catalogue

FORMATS = ("term", "json")

app = typer.Typer(help="The catalogue of known failures.", no_args_is_help=True, rich_markup_mode=None)

Against = Annotated[
    Path | None, typer.Option(metavar="STORE", help="Also show which labels of the attempts in this store change with --patterns.")
]
MinedId = Annotated[str, typer.Argument(metavar="MINED", help="The id of the unknown class, as in `classes` and `report`.")]
NewId = Annotated[str, typer.Option("--as", metavar="AREA.PROBLEM", help="The id of the pattern, e.g. torch.abi-mismatch.")]
Directory = Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Default: ~/.config/tabby-forensics/patterns.")]


@app.command("list")
def list_(patterns: params.Patterns = None, format_: params.TermOrJson = "term") -> None:
    """List the patterns: id, severity, whether a restart helps, title."""
    import json

    from forensics.cli import parse
    from forensics.signatures import catalogue

    parse.require_choice("format", format_, FORMATS)
    loaded = sorted(catalogue.load(parse.pattern_folders(patterns)).patterns, key=lambda pattern: pattern.id)
    if format_ == "json":
        rows = [
            {
                "id": p.id, "title": p.title, "severity": p.severity, "restart_helps": p.restart_helps,
                "restart_helps_when": p.signature.restart_helps_when, "file": str(p.file),
            }
            for p in loaded
        ]  # fmt: skip
        typer.echo(json.dumps(rows, indent=2))
        return
    width = max((len(pattern.id) for pattern in loaded), default=0)
    for pattern in loaded:
        when = pattern.signature.restart_helps_when
        helps = f"a restart helps {when}".rstrip() if pattern.restart_helps else "a restart does not help"
        typer.echo(f"{pattern.id:<{width}}  {pattern.severity:<8}  {pattern.title} ({helps})")
    typer.echo(f"{len(loaded)} patterns", err=True)


@app.command()
def check(patterns: params.Patterns = None, against: Against = None) -> None:
    """Check that every pattern matches its examples, and that no other pattern and no counterexample matches."""
    from forensics.classes import new_pattern
    from forensics.cli import parse
    from forensics.signatures import catalogue
    from forensics.toml_file import format_mistakes

    loaded = catalogue.load(parse.pattern_folders(patterns), distrust=True)
    mistakes = [*loaded.refused, *new_pattern.unfilled(loaded), *catalogue.check(loaded)]
    if against is not None:
        typer.echo(_label_moves(against, loaded), nl=False)
    if mistakes:
        raise UsageError(format_mistakes(mistakes, "the catalogue"))
    typer.echo(f"{len(loaded.patterns)} patterns OK")


@app.command()
def new(id_: MinedId, as_: NewId = "new.problem", store: params.Store = None, folder: Directory = None) -> None:
    """Draft a pattern file from an unknown class in the store."""
    import re

    from forensics.classes import new_pattern
    from forensics.classes.overrides import Overrides
    from forensics.classes.summary import summarise_classes
    from forensics.cli.history import read_whole_store
    from forensics.paths import users_patterns

    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)+", as_):
        raise UsageError(f"--as: '{as_}' is not a pattern id; use lower-case words with hyphens, such as torch.abi-mismatch.")
    target = new_pattern.draft_path(as_, folder or users_patterns())
    if target.exists():
        raise UsageError(f"'{target}' already exists; choose another id with --as.")
    history, catalogue = read_whole_store(store)
    rows = summarise_classes(history.assembly, history.labelled, catalogue, Overrides())
    row = next((row for row in rows if row.signature.id == id_ and row.is_unknown), None)
    if row is None:
        raise UsageError(f"There is no unknown class '{id_}' in the store; `classes` lists them.")
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, new_pattern.pattern_draft(as_, row))
    typer.echo(f"wrote {target}; replace every '{new_pattern.FILL}', then run `patterns check`")


def _label_moves(store: Path, changed: Catalogue) -> str:
    """List the labels of the store's attempts that the changed catalogue moves away from the shipped and the user's own one."""
    from forensics.classes import new_pattern
    from forensics.cli.history import read_whole_store

    history, _ = read_whole_store(store)
    moves = new_pattern.label_moves(history.assembly.attempts, history.assembly.events, history.labelled.labels, changed)
    return new_pattern.moves_as_text(moves)
