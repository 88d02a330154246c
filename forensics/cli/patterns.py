"""`patterns list|check`: what the catalogue knows, and whether every pattern keeps its promises."""

from __future__ import annotations

from typing import Annotated

import typer

from forensics.cli import options
from forensics.errors import UsageError

app = typer.Typer(help="The catalogue of known failures.", no_args_is_help=True, rich_markup_mode=None)

Format = Annotated[str, typer.Option("--format", help="term or json.")]


@app.command("list")
def list_(patterns: options.Patterns = None, format_: Format = "term") -> None:
    """List the patterns: id, severity, whether a restart helps, title."""
    import json

    from forensics.cli import meaning
    from forensics.signatures import catalogue

    known = sorted(catalogue.load(meaning.pattern_folders(patterns)).patterns, key=lambda pattern: pattern.id)
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
def check(patterns: options.Patterns = None) -> None:
    """Check every pattern: its examples match it and no other, its counterexamples do not match."""
    from forensics.cli import meaning
    from forensics.signatures import catalogue

    loaded = catalogue.load(meaning.pattern_folders(patterns))
    if mistakes := [*loaded.refused, *catalogue.check(loaded)]:
        raise UsageError(f"{len(mistakes)} mistakes in the catalogue:\n" + "\n".join(f"  {mistake}" for mistake in mistakes))
    typer.echo(f"{len(loaded.patterns)} patterns keep their promises")
