"""`verify`: check a service after a change; history is read only for --since-change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import output, params, parse
from forensics.errors import UsageError

if TYPE_CHECKING:
    from forensics.guard.verify import Asked, Check

FORMATS = ("term", "json")
TOKEN = "TABBY_FORENSICS_VERIFY_TOKEN"  # noqa: S105 - the name of a variable
LONGEST_KEY = 4096
LONGEST_S = 24 * 3600.0

Port = Annotated[
    int | None,
    typer.Option(metavar="PORT", min=1, max=65535, help="Port that callers ask. Default: the only one that the unit listens on."),
]
Model = Annotated[str, typer.Option(metavar="NAME", help="Ask this model for one token. Default: the one that the server has loaded.")]
Url = Annotated[str, typer.Option(metavar="URL", help="Address that callers use, such as a proxy's. Default: http://127.0.0.1:PORT.")]
UrlPath = Annotated[str, typer.Option("--path", metavar="PATH", help="Get this path instead of asking for a token.")]
Expect = Annotated[str, typer.Option(metavar="TEXT", help="A text that the answer to --path must have.")]
Ask = Annotated[bool, typer.Option("--ask/--no-ask", help="Ask the endpoint at all.")]
KeyFile = Annotated[Path | None, typer.Option(metavar="FILE", readable=False, help=f"File with the endpoint's key. Default: ${TOKEN}.")]
Settle = Annotated[str, typer.Option(metavar="TIME", help="How long the same process must stay, such as 180 or 3m.")]
Timeout = Annotated[str, typer.Option(metavar="TIME", help="How long it may take to become active, listen and answer.")]
SinceChange = Annotated[
    bool, typer.Option("--since-change", help="Also: no failure class is new since the last system switch, package or reload of units.")
]


def verify(
    unit: params.Service,
    port: Port = None,
    model: Model = "",
    url: Url = "",
    path: UrlPath = "",
    expect: Expect = "",
    key_file: KeyFile = None,
    settle: Settle = "180",
    timeout: Timeout = "300",
    format_: params.TermOrJson = "term",
    journal_dir: params.JournalDirs = None,
    store: params.Store = None,
    *,
    ask: Ask = True,
    since_change: SinceChange = False,
    user: params.OfUser = False,
) -> None:
    """Verify a service after a change: it holds, its port is its own, and it answers. Exits with 0, 3 (failed) or 4 (could not tell)."""
    from forensics.guard.systemctl import Manager, service_name
    from forensics.guard.verify import Asked, render
    from forensics.guard.verify import verify as verified
    from forensics.guard.verify.asked import Question

    if format_ not in FORMATS:
        raise UsageError(f"There is no format '{format_}'; choose from {', '.join(FORMATS)}.")
    question = Question(_url(url), model, path and parse.absolute_path("--path", path), expect, _key(key_file), is_asked=ask)
    lengths = parse.seconds("--settle", settle, shortest=0, longest=LONGEST_S), parse.seconds("--timeout", timeout, longest=LONGEST_S)
    asked = Asked(service_name(unit), Manager(user), port, *lengths, question)

    def classes() -> Check:
        return _classes(asked, journal_dir, store)

    verdict = verified(asked, output.progress("settling"), classes if since_change else None)
    typer.echo(render.as_json(verdict) if format_ == "json" else render.as_text(verdict), nl=False)
    raise typer.Exit(verdict.exit_code)


def _classes(asked: Asked, journal_dirs: list[Path] | None, store: Path | None) -> Check:
    from forensics.guard.verify.since_change import classes_check
    from forensics.query import Query

    sources, folders = parse.sources_named(journal_dirs, None), parse.pattern_folders(None)
    query = Query(sources, parse.store_named(store), parse.clock(), units=(asked.unit,), pattern_folders=folders)
    return classes_check(query, asked.manager.name, output.notice)


def _url(url: str) -> str:
    """Check a URL without showing it: it may hold a password."""
    if url:
        from forensics.web import Server

        Server(url)  # raises
    return url.rstrip("/")


def _key(file: Path | None) -> str:
    """Read the endpoint's key. Raises UsageError for a file that has none."""
    from forensics.files import NotReadableError, read_bounded

    try:
        key = os.environ.get(TOKEN, "") if file is None else read_bounded(file, LONGEST_KEY).decode("utf-8", "replace")
    except NotReadableError as error:
        raise UsageError(f"'{file}' {error}.") from None
    key = key.strip()
    if not (key.isascii() and key.isprintable()) or (file is not None and not key):
        raise UsageError(f"{TOKEN if file is None else file} must hold a key: one line of ASCII characters.")
    return key
