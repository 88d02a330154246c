"""`report`: the main job. Journal history in, an incident report out; what is not in the store yet is ingested first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.errors import IncompleteDataError, UsageError
from forensics.files import write_atomically

if TYPE_CHECKING:
    from forensics.model.values import Report

FORMATS = ("term", "html", "md", "json")
FINDINGS = 3

Format = Annotated[
    str | None, typer.Option("--format", metavar="FORMAT", help="term, html, md or json. Default: term, or what the name of --output says.")
]
Output = Annotated[
    list[Path] | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file instead of standard output; repeatable.")
]
Declared = Annotated[
    str | None, typer.Option(metavar="TIME", help="When people say the incident was noticed: a fourth marker in the detection bracket.")
]
Figures = Annotated[bool, typer.Option("--figures/--no-figures", help="Interactive figures in HTML.")]
Redact = Annotated[bool, typer.Option("--redact/--no-redact", help="Replace secrets in log lines by stable pseudonyms.")]
Strict = Annotated[bool, typer.Option(help="Fail with exit code 4 when data for the window is missing.")]
ExitCode = Annotated[bool, typer.Option("--exit-code", help="End with exit code 3 when there are incidents.")]


def report(
    since: params.Since = None,
    until: params.Until = None,
    tz: params.Zone = None,
    unit: params.Unit = None,
    journal_dir: params.JournalDir = None,
    file: params.File = None,
    store: params.StoreFolder = None,
    patterns: params.Patterns = None,
    declared: Declared = None,
    format_: Format = None,
    outputs: Output = None,
    figures: Figures = True,
    redact: Redact = True,
    strict: Strict = False,
    exit_code: ExitCode = False,
) -> None:
    """Say what broke, when, why, what changed before, who noticed and what to do."""
    from forensics.cli import output, parse

    if format_ is not None and format_ not in FORMATS:
        raise UsageError(f"There is no format '{format_}'. There are {', '.join(FORMATS)}.")
    targets = [(path, output.format_for(path, format_)) for path in outputs or []]
    for path, _ in targets:
        output.refuse_bad_target(path)
    settings = parse.settings(
        since, until, tz, unit, declared, parse.sources_named(journal_dir, file), store, parse.pattern_folders(patterns)
    )
    from forensics.pipeline import make_report

    made = make_report(settings, progress=output.progress("reading the journal"))
    _write(made, targets, format_ or "term", figures=figures, redact=redact)
    _end(made, strict=strict, exit_code=exit_code)


def _write(made: Report, targets: list[tuple[Path, str]], stdout_format: str, *, figures: bool, redact: bool) -> None:
    import shutil

    from forensics.cli import output
    from forensics.report import REPORTERS, RenderOptions

    width = shutil.get_terminal_size((100, 24)).columns
    for path, format_ in targets:
        write_atomically(path, REPORTERS[format_](made, RenderOptions(figures=figures, redact=redact, color=False, width=width)))
        typer.echo(f"tabby-forensics: wrote {path}", err=True)
    if not targets:
        color = output.wants_color()
        typer.echo(REPORTERS[stdout_format](made, RenderOptions(figures=figures, redact=redact, color=color, width=width)), nl=False, color=color)


def _end(made: Report, *, strict: bool, exit_code: bool) -> None:
    if strict and not made.completeness.complete:
        raise IncompleteDataError("The journal is not complete for this window; the report says what is missing.")
    if exit_code and made.incidents:
        raise typer.Exit(FINDINGS)
