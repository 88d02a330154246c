"""`audit`: which controls exist and work, and which Prometheus rules can never fire."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import controls, params

FORMATS = ("term", "json")
FOUND = 3  # exit code: there is what --fail-on names

app = typer.Typer(help="Find controls and rules that cannot work.", rich_markup_mode=None)

RuleFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILES…",
        help="Rule files, directories of them, or patterns such as 'rules/**/*.yml'; '-' is standard input.",
        readable=False,
    ),
]


FailOn = Annotated[
    str,
    typer.Option(
        metavar="KINDS",
        help="Exit with 3 for findings of these kinds, separated by commas: dead, always-fires, partly-dead, no-target, mistake, "
        "doubtful, unknown-metric, flag; or none.",
    ),
]
PrometheusConfig = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", readable=False, help="The prometheus.yml that scrapes for these rules: which jobs there are. No server is asked."
    ),
]


app.callback(invoke_without_command=True)(controls.audit)


@app.command()
def rules(
    files: RuleFiles,
    format_: params.TermOrJson = "term",
    fail_on: FailOn = "dead,always-fires,mistake",
    prometheus_config: PrometheusConfig = None,
    redact: params.Redact = True,
) -> None:
    """Name the rules of Prometheus rule files that can never fire, and why; needs neither a journal nor a network."""
    from forensics.cli import parse
    from forensics.rules import findings, read_rules, render
    from forensics.rules.judgement import judge_rules
    from forensics.rules.scrape_jobs import jobs_of
    from forensics.rules.verdicts import HostFacts

    parse.require_choice("format", format_, FORMATS)
    failing = _kinds(fail_on)
    hosts = HostFacts(jobs=jobs_of(prometheus_config), jobs_from=str(prometheus_config)) if prometheus_config else HostFacts()
    read = read_rules(files)
    found = findings.audit(read, judge_rules(read.rules, hosts))
    shown = render.as_json(found, redact=redact) if format_ == "json" else render.as_text(found, failing, redact=redact)
    typer.echo(shown, nl=False)
    if any(finding.kind in failing for finding in found.findings):
        raise typer.Exit(FOUND)


def _kinds(names: str) -> frozenset[str]:
    """Parse --fail-on. Raises UsageError for a kind that there is not."""
    from forensics.cli import parse
    from forensics.rules.findings import KINDS

    kinds = frozenset(name.strip() for name in names.split(",") if name.strip()) - {"none"}
    for kind in sorted(kinds):
        parse.require_choice("kind of finding", kind, (*KINDS, "none"))
    return kinds
