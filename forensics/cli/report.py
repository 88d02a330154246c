"""`report`: report on the journal's history; new entries are ingested first."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import comparing, completion, params
from forensics.errors import IncompleteDataError
from forensics.files import PRIVATE_FILE, write_atomically
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.model.controls import Control
    from forensics.model.values import Report
    from forensics.report import RenderOptions

FORMATS = ("term", "html", "md", "json")
FINDINGS = 3

Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="term, html, md or json. Default: by the suffix of --output, else term.",
        autocompletion=completion.choices(*FORMATS),
    ),
]
Outputs = Annotated[
    list[Path] | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output; repeatable.")
]
Declared = Annotated[
    str | None, typer.Option(metavar="TIME", help="When people declared the incident: a fourth marker in the detection timeline.")
]
Figures = Annotated[bool, typer.Option("--figures/--no-figures", help="Interactive figures in HTML.")]
Strict = Annotated[bool, typer.Option(help="Exit with code 4 when data for the window is missing.")]
InventoryFile = Annotated[
    Path | None, typer.Option("--inventory", metavar="FILE", readable=False, help="Add the audit of what `audit --dump` wrote.")
]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="Exit with code 3 when there are incidents.")]
Full = Annotated[bool, typer.Option("--full", help="In text, every section instead of the report in brief.")]


@params.reads_history
def report(
    *,
    query: Query,
    declared: Declared = None,
    format_: Format = None,
    outputs: Outputs = None,
    figures: Figures = True,
    redact: params.Redact = True,
    inventory: InventoryFile = None,
    strict: Strict = False,
    exit_code: ExitCode = False,
    full: Full = False,
    compare: comparing.Compare = None,
) -> None:
    """Report what broke, when, why, what changed before, who noticed and what to do."""
    from forensics.cli import output, parse

    if format_ is not None:
        parse.require_choice("format", format_, FORMATS)
    targets = [(path, output.format_for(path, format_)) for path in outputs or []]
    for path, _ in targets:
        output.refuse_bad_target(path)
    query = replace(query, declared=parse.point(declared, query.now, parse.zone_named(query.timezone)))
    controls = _audited(inventory) if inventory is not None else ()
    with_comparison = comparing.comparison(compare, query, output.progress)
    from forensics.history_replay import make_report
    from forensics.report import RenderOptions

    made = replace(with_comparison(make_report(query, output.progress("reading the journal"), output.notice)), controls=controls)
    _write(made, targets, format_ or "term", RenderOptions(figures=figures, redact=redact, brief=not full, width=output.width()))
    _end(made, strict=strict, exit_code=exit_code)


def _audited(inventory: Path) -> tuple[Control, ...]:
    """Audit what was found elsewhere or before. Raises UsageError for a file that is no inventory."""
    from forensics.audit import Inventory, audit
    from forensics.audit.inventory import read_json

    return audit(read_json(inventory, Inventory))


def _write(made: Report, targets: list[tuple[Path, str]], stdout_format: str, options: RenderOptions) -> None:
    from forensics.cli import output
    from forensics.report import REPORTERS

    for path, format_ in targets:
        write_atomically(path, REPORTERS[format_](made, options), mode=0o666 if options.redact else PRIVATE_FILE)
        output.notice(f"wrote {path}")
    if not targets:
        color = output.wants_color()
        options = replace(options, color=color, encoding=sys.stdout.encoding or "utf-8")
        typer.echo(REPORTERS[stdout_format](made, options), nl=False, color=color)


def _end(made: Report, *, strict: bool, exit_code: bool) -> None:
    if strict and not made.completeness.complete:
        raise IncompleteDataError("The journal is incomplete for this window; the report lists what is missing.")
    if exit_code and made.incidents:
        raise typer.Exit(FINDINGS)
