"""`fleet`: one page over the report.json files of many hosts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import completion, params
from forensics.errors import NothingRecordedError, UsageError

if TYPE_CHECKING:
    from datetime import timedelta

    from forensics.fleet.facts import Summary
    from forensics.model.fleet import FleetView

FORMATS = ("term", "html", "md", "json")
FINDINGS = 3
LONGEST_LIST = 16 << 20  # bytes of a list of hosts
SHORTEST_AGE, LONGEST_AGE = 60.0, 3650 * 86_400.0
MOST_NAMED = 3  # files in a sentence

Reports = Annotated[
    list[Path],
    typer.Argument(metavar="DIR|FILE", readable=False, help="Directories of report.json files of hosts (also .json.gz), or such files."),
]
Format = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="term, html, md or json. Default: by the suffix of --output, else term.",
        autocompletion=completion.choices(*FORMATS),
    ),
]
Expect = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", readable=False, help="The hosts that should have reported, a name or a machine id a line; missing ones are named."
    ),
]
Old = Annotated[str, typer.Option(metavar="AGE", help="From which age on a report counts as old, such as 26h.")]
ExitCode = Annotated[
    bool, typer.Option("--exit-code", help="Exit with code 3 when there are incidents, or when a host's report is missing.")
]


def fleet(
    *,
    reports: Reports,
    format_: Format = None,
    output: params.Output = None,
    expect: Expect = None,
    old: Old = "2d",
    redact: params.Redact = True,
    exit_code: ExitCode = False,
) -> None:
    """Show many hosts on one page, from the report.json that each wrote: which failure is on how many, and what they share."""
    from forensics.cli import output as outputs
    from forensics.cli import parse

    if format_ is not None:
        parse.require_choice("format", format_, FORMATS)
    written_as = "term" if output is None else outputs.format_for(output, format_)
    outputs.refuse_bad_target(output)
    expected, age, now = _expected(expect), _age(old), parse.clock()
    from forensics.fleet import view
    from forensics.sanitize import sanitized

    summary = sanitized(_read(reports), redact=redact)
    machines = {host.machine for host in summary.hosts}
    page = sanitized(view.of(summary, now, [name for name in expected if name not in machines], age), redact=redact)
    shown = _rendered(summary, page, written_as if format_ is None else format_, redact=redact, to_terminal=output is None)
    if output is None:
        typer.echo(shown, nl=False, color=outputs.wants_color())
    else:
        outputs.write(shown, output, redacted=redact)
    if exit_code and (page.failed or page.doubts.hosts_missing):
        raise typer.Exit(FINDINGS)


def _read(reports: list[Path]) -> Summary:
    """Summarise the reports. Raises NothingRecordedError where there is none."""
    from forensics.cli import output
    from forensics.fleet.keys import joined
    from forensics.fleet.read import find_files, read_summary, usable_processors

    found = find_files(reports)
    summary = joined(read_summary(found, usable_processors(), output.progress("reading reports")))
    if not summary.hosts:
        raise NothingRecordedError(_nothing(reports, summary))
    return summary


def _nothing(reports: list[Path], summary: Summary) -> str:
    where = ", ".join(f"'{path}'" for path in reports[:MOST_NAMED])
    if not summary.unread:
        return f"There is no report in {where}: hosts write one with `tabby-forensics report -o report.json`."
    files = "; ".join(f"'{each.file}' {each.why}" for each in summary.unread[:MOST_NAMED])
    more = len(summary.unread) - MOST_NAMED
    return f"No file in {where} is the report of a host: {files}{f'; and {more:,} more' if more > 0 else ''}."


def _rendered(summary: Summary, page: FleetView, format_: str, *, redact: bool, to_terminal: bool) -> str:
    from forensics.cli import output

    if format_ == "json":
        from forensics.fleet.contract import to_json

        return to_json(summary, page)
    from forensics.report import RenderOptions
    from forensics.report.fleet import RENDERERS

    options = RenderOptions(redact=redact, width=output.width())
    if to_terminal:
        options = RenderOptions(redact=redact, color=output.wants_color(), width=output.width(), encoding=sys.stdout.encoding or "utf-8")
    return RENDERERS[format_](page, options)


def _expected(file: Path | None) -> tuple[str, ...]:
    """Read the names of hosts; # begins a comment. Raises UsageError for what is no list of them."""
    from forensics.files import NotReadableError, read_bounded

    if file is None:
        return ()
    try:
        text = read_bounded(file, LONGEST_LIST).decode()
    except NotReadableError as error:
        raise UsageError(f"--expect: '{file}' {error}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"--expect: '{file}' is not text: write the name of a host on each line.") from None
    names = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(dict.fromkeys(name for name in names if name))


def _age(text: str) -> timedelta:
    from datetime import timedelta

    from forensics.cli import parse

    return timedelta(seconds=parse.seconds("--old", text, shortest=SHORTEST_AGE, longest=LONGEST_AGE))
