"""`patterns`: list the catalogue, show a pattern, check every one, draft a new one from the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import completion, params
from forensics.errors import UsageError
from forensics.files import write_atomically

if TYPE_CHECKING:
    from forensics.signatures.catalogue import Catalogue
    from forensics.signatures.pattern import Pattern

FORMATS = ("term", "json")
LIST_FORMATS = (*FORMATS, "csv")
MOST_COLUMNS = 120  # longer lines are hard to read

app = typer.Typer(help="The catalogue of known failures.", no_args_is_help=True, rich_markup_mode=None)

Against = Annotated[
    Path | None, typer.Option(metavar="STORE", help="Also show which labels of the attempts in this store change with --patterns.")
]
MinedId = Annotated[
    str,
    typer.Argument(
        metavar="MINED", help="The id of the unknown class, as in `classes` and `report`.", autocompletion=completion.unknown_classes
    ),
]
NewId = Annotated[str, typer.Option("--as", metavar="AREA.PROBLEM", help="The id of the pattern, e.g. torch.abi-mismatch.")]
PatternId = Annotated[
    str, typer.Argument(metavar="ID", help="The id of a pattern, such as torch.abi-mismatch.", autocompletion=completion.patterns)
]
Area = Annotated[
    str | None,
    typer.Option(metavar="AREA", help="Only this area, the first part of the ids: torch, gpu, port …", autocompletion=completion.areas),
]
Directory = Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Default: ~/.config/tabby-forensics/patterns.")]


@app.command("list")
def list_(patterns: params.Patterns = None, area: Area = None, format_: params.TermJsonOrCsv = "term") -> None:
    """List the patterns: id, severity, whether a restart helps, title."""
    from forensics.cli import output, parse, pattern_page

    parse.require_choice("format", format_, LIST_FORMATS)
    loaded = _loaded(patterns)
    if area is not None:
        parse.require_choice("area", area, dict.fromkeys(pattern.id.partition(".")[0] for pattern in loaded))
        loaded = [pattern for pattern in loaded if pattern.id.startswith(f"{area}.")]
    render = {"term": pattern_page.list_as_text, "json": pattern_page.list_as_json, "csv": pattern_page.list_as_csv}[format_]
    typer.echo(render(loaded), nl=False)
    if format_ == "term":
        output.notice(f"{len(loaded)} patterns")


@app.command()
def show(id_: PatternId, patterns: params.Patterns = None, format_: params.TermOrJson = "term") -> None:
    """Show a pattern: what it means, whether a restart helps, what to do, and lines that it matches."""
    import shutil

    from forensics.cli import parse, pattern_page

    parse.require_choice("format", format_, FORMATS)
    loaded = {pattern.id: pattern for pattern in _loaded(patterns)}
    if id_ not in loaded:
        raise UsageError(f"There is no pattern '{id_}'. {_nearest(id_, list(loaded))}")
    width = min(shutil.get_terminal_size((100, 24)).columns, MOST_COLUMNS)
    typer.echo(pattern_page.as_json(loaded[id_]) if format_ == "json" else pattern_page.as_text(loaded[id_], width), nl=False)


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


def _loaded(patterns: list[Path] | None) -> list[Pattern]:
    from forensics.cli import parse
    from forensics.cli.history import load_catalogue

    return sorted(load_catalogue(parse.pattern_folders(patterns)).patterns, key=lambda pattern: pattern.id)


def _nearest(id_: str, ids: list[str]) -> str:
    """Suggest what was meant: ids that read alike, else those of which a part does."""
    import difflib

    near = difflib.get_close_matches(id_, ids, n=3, cutoff=0.6)
    words = set(id_.replace(".", "-").split("-"))
    near = near or [known for known in ids if words & set(known.replace(".", "-").split("-"))][:3]
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return "An unknown class has no pattern; `patterns list` lists them." if id_.startswith("mined:") else "`patterns list` lists them."


def _label_moves(store: Path, changed: Catalogue) -> str:
    """List the labels of the store's attempts that the changed catalogue moves away from the shipped and the user's own one."""
    from forensics.classes import new_pattern
    from forensics.cli.history import read_whole_store

    history, _ = read_whole_store(store)
    moves = new_pattern.label_moves(history.assembly.attempts, history.assembly.events, history.labelled.labels, changed)
    return new_pattern.moves_as_text(moves)
