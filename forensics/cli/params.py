"""The options that several commands share, and the Query that those which read history make of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from forensics.cli import completion
from forensics.query import Query

_TIMES = "30d, 1h30m, yesterday, '2025-12-07 21:30', @epoch, RFC 3339, boot, boot-1"

Since = Annotated[str | None, typer.Option(metavar="TIME", help=f"Start of the window: {_TIMES}. Default: the start of the journal.")]
Until = Annotated[
    str | None, typer.Option(metavar="TIME", help="End of the window, written like --since. Default: the end of the journal.")
]
Zone = Annotated[
    str | None,
    typer.Option(
        "--tz",
        metavar="ZONE",
        help="Time zone of the output, and of times given without one. Default: the host's.",
        autocompletion=completion.zones,
    ),
]
Unit = Annotated[
    list[str] | None,
    typer.Option(metavar="UNIT", help="Only this unit; repeatable, shell patterns allowed.", autocompletion=completion.units),
]
JournalDirs = Annotated[
    list[Path] | None, typer.Option("--journal-dir", metavar="DIR", readable=False, help="Read a copied journal directory; repeatable.")
]
Files = Annotated[
    list[Path] | None,
    typer.Option(
        "--file",
        metavar="FILE",
        readable=False,
        help="Read a .journal file, output of journalctl -o export or -o json ('-' is standard input), or a tar archive of these, "
        "also compressed; repeatable.",
    ),
]
Store = Annotated[
    Path | None,
    typer.Option("--store", metavar="DIR", help="Directory of the Parquet data set. Default: $XDG_STATE_HOME/tabby-forensics."),
]
Patterns = Annotated[list[Path] | None, typer.Option(metavar="DIR", help="A directory of additional patterns; repeatable.")]
Redact = Annotated[bool, typer.Option("--redact/--no-redact", help="Replace secrets in log lines with stable pseudonyms.")]
TermOrJson = Annotated[
    str, typer.Option("--format", metavar="FORMAT", help="term or json.", autocompletion=completion.choices("term", "json"))
]
TermJsonOrCsv = Annotated[
    str,
    typer.Option("--format", metavar="FORMAT", help="term, json or csv.", autocompletion=completion.choices("term", "json", "csv")),
]
Service = Annotated[str, typer.Argument(metavar="UNIT", help="The service, such as tabbyapi.service.", autocompletion=completion.units)]
OfUser = Annotated[bool, typer.Option("--user", help="The unit is one of your own service manager's, not of the system's.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output.")]


def query(
    since: Since = None,
    until: Until = None,
    tz: Zone = None,
    unit: Unit = None,
    journal_dir: JournalDirs = None,
    file: Files = None,
    store: Store = None,
    patterns: Patterns = None,
) -> Query:
    """Make the Query of a command line. These parameters are the options of every command that reads history."""
    from forensics.cli import parse

    now, zone = parse.clock(), parse.zone_named(tz)
    return Query(
        sources=parse.sources_named(journal_dir, file),
        store=parse.store_named(store),
        now=now,
        timezone=str(zone),
        since=parse.moment(since, now, zone),
        until=parse.moment(until, now, zone),
        units=tuple(unit or ()),
        pattern_folders=parse.pattern_folders(patterns),
    )


def made_of_options(kind: type, make: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace the parameter of this kind of a command with the options of `make`; typer builds the command from the signature."""
    options = inspect.signature(make, eval_str=True).parameters

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command, eval_str=True)
        (made,) = (parameter.name for parameter in signature.parameters.values() if parameter.annotation is kind)
        parameters: list[inspect.Parameter] = []
        for parameter in signature.parameters.values():
            parameters += options.values() if parameter.name == made else [parameter]

        @wraps(command)
        def with_made(**values: Any) -> None:
            command(**{made: make(**{name: values.pop(name) for name in options})}, **values)

        keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
        with_made.__signature__ = signature.replace(parameters=keyword_only)  # type: ignore[attr-defined]
        with_made.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return with_made

    return decorate


reads_history = made_of_options(Query, query)  # of every command that reads history
