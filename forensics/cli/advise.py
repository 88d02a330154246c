"""`advise`: what the history says about a decision; `advise vram`: which model configuration fits into GPU memory."""

from __future__ import annotations

import typer

from forensics.cli import output, params
from forensics.query import Query

FORMATS = ("term", "json")

app = typer.Typer(help="Decide by what the history shows.", rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def _advise() -> None:
    pass


@app.command()
@params.reads_history
def vram(*, query: Query, format_: params.TermOrJson = "term", redact: params.Redact = True, target: params.Output = None) -> None:
    """Quote what was asked of GPU memory, what was free, who held it and which configuration ever held; name what to lower."""
    from forensics.cli import parse
    from forensics.cli.history import notice_damage
    from forensics.guard.vram.history import find_vram
    from forensics.guard.vram.shown import as_json, as_text
    from forensics.pipeline import investigate
    from forensics.sanitize import sanitized
    from forensics.wording import NOT_REDACTED

    parse.require_choice("format", format_, FORMATS)
    output.refuse_bad_target(target)
    if not redact:
        output.notice(NOT_REDACTED)
    investigation = investigate(query, output.progress("reading the journal"), output.notice)
    notice_damage(investigation.history)
    found = sanitized(find_vram(investigation.history), redact=redact)
    if not found:
        output.notice("No shortage of GPU memory is logged in this history.")
    output.write(as_json(found) if format_ == "json" else as_text(found), target, redacted=redact)
