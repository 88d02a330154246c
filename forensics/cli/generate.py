"""`generate`: write files for other programs to standard output or to files; nothing is installed or changed on the host."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import generating, output, params, parse
from forensics.errors import UsageError
from forensics.generate.wanted import Wanted
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.generate.basis import Basis
    from forensics.generate.limit_files import Limits
    from forensics.generate.limits import Proof
    from forensics.generate.rules import UnitRules


app = typer.Typer(help="Write rules, limits, runbooks and other files for what history shows.", rich_markup_mode=None, no_args_is_help=True)

Listen = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Serve metrics for Prometheus, such as 127.0.0.1:9847.")]
ExporterOption = Annotated[
    list[str] | None, typer.Option("--exporter", metavar="NAME", help="Whose metrics: node, systemd or watch; repeatable. Default: node.")
]
Within = Annotated[str, typer.Option(metavar="TIME", help="How soon after the start of an incident a rule must fire.")]
Interval = Annotated[str, typer.Option(metavar="TIME", help="Interval of scrapes and evaluations in your Prometheus.")]
WithLimits = Annotated[
    bool, typer.Option("--with-limits", help="Also a rule on the state that the limits of `generate limits` bring about.")
]
WithProbe = Annotated[bool, typer.Option("--with-probe", help="Also a rule on the probe of `generate blackbox`.")]
RunbookUrl = Annotated[str | None, typer.Option("--runbook-url", metavar="URL", help="Annotation runbook_url of the rules.")]
RunbooksUrl = Annotated[
    str | None,
    typer.Option("--runbook-url", metavar="URL", help="Where the files of `generate runbook` are published: classes link to them."),
]
Unproven = Annotated[bool, typer.Option("--unproven", help="Also write the nearest rule where none could be proven, marked as such.")]
RuleFile = Annotated[str, typer.Option("--rules", metavar="NAME", help="Name of the rule file, as seen from the tests' directory.")]
NixLimits = Annotated[bool, typer.Option("--limits", help="Write start limits for the units with restart loops instead.")]
ReceiverOption = Annotated[
    str, typer.Option("--receiver", metavar="KIND:WHERE", help="webhook:URL, webhook-file:/PATH, ntfy:URL or email:ADDRESS.")
]
WatchdogOption = Annotated[
    str | None,
    typer.Option("--watchdog", metavar="KIND:WHERE", help="A dead man's switch that complains when alerting is down, like --receiver."),
]
Smarthost = Annotated[str, typer.Option(metavar="HOST:PORT", help="The mail server for email receivers.")]
UrlPath = Annotated[str, typer.Option("--path", metavar="PATH", help="What to ask for.")]
Completion = Annotated[bool, typer.Option("--completion", help="Ask for one token instead: that also shows that the model answers.")]
Model = Annotated[str, typer.Option(metavar="NAME", help="The model to ask for a completion, where the server wants one named.")]
KeyFile = Annotated[str, typer.Option("--key-file", metavar="/PATH", help="File with the bearer token, on the host of blackbox_exporter.")]


@app.command()
def systemd(program: generating.Program = None, listen: Listen = None, target: params.Output = None) -> None:
    """Write a hardened unit for `watch`, with a watchdog and its own user."""
    from forensics.generate.systemd import unit_text
    from forensics.generate.systemd_sandbox import refuse_hidden
    from forensics.watch.config import host_and_port

    if listen is not None and host_and_port(listen) is None:
        raise UsageError(f"--listen: '{listen}' is not HOST:PORT.")
    command = generating.absolute_program(program)
    refuse_hidden(command)
    generating.write(unit_text(command, listen), target)


@app.command()
@params.reads_history
def nix(*, query: Query, limits: NixLimits = False, target: params.Output = None) -> None:
    """Write a NixOS module for `watch`; or, with --limits, one with the start limits of `generate limits`."""
    if not limits:
        from forensics.generate.nixos import module_text

        generating.write(module_text(), target)
        return
    output.refuse_bad_target(target)
    basis = generating.basis(query)
    from forensics.generate.limit_files import find_limits, nix_file

    output.write(nix_file(basis, _proven_limits(find_limits(basis))), target)


@app.command()
def dashboard(runbook_url: RunbooksUrl = None, target: params.Output = None) -> None:
    """Write a Grafana dashboard of the metrics of `watch`."""
    import json

    from forensics.generate.dashboard import dashboard_model
    from forensics.watch.config import url_problem

    if runbook_url and (problem := url_problem(runbook_url)):
        raise UsageError(f"--runbook-url: the URL {problem.replace('; give a token instead', '')}.")
    generating.write(json.dumps(dashboard_model(runbook_url or ""), indent=2) + "\n", target)


def wanted(
    exporter: ExporterOption = None,
    within: Within = "1m",
    interval: Interval = "15s",
    with_limits: WithLimits = False,
    with_probe: WithProbe = False,
    port: generating.Port = None,
    runbook_url: RunbookUrl = None,
    unproven: Unproven = False,
) -> Wanted:
    """Read which rules are wanted."""
    from forensics.generate.candidates import EXPORTERS
    from forensics.watch.config import url_problem

    for name in exporter or ():
        parse.require_choice("exporter", name, EXPORTERS)
    if runbook_url and (problem := url_problem(runbook_url)):
        raise UsageError(f"--runbook-url: the URL {problem.replace('; give a token instead', '')}.")
    named = tuple(dict.fromkeys(exporter or ["node"]))
    spans = parse.seconds("--within", within), parse.seconds("--interval", interval)
    return Wanted(named, *spans, runbook_url or "", with_limits=with_limits, with_probe=with_probe, port=port, unproven=unproven)


@app.command()
@params.made_of_options(Wanted, wanted)
@params.reads_history
def rules(*, query: Query, asked: Wanted, target: params.Output = None) -> None:
    """Write Prometheus rules that page the incidents found within a minute, and nothing else: each proven by replay."""
    output.refuse_bad_target(target)
    basis, found, asked = _rules(query, asked)
    from forensics.generate.rule_file import rules_file

    output.write(rules_file(basis, found, asked), target)


@app.command("tests")
@params.made_of_options(Wanted, wanted)
@params.reads_history
def unit_tests(*, query: Query, asked: Wanted, rule_file: RuleFile = "rules.yml", target: params.Output = None) -> None:
    """Write unit tests for promtool of the same rules, on the series of the incidents found; give the options of `generate rules`."""
    output.refuse_bad_target(target)
    basis, found, asked = _rules(query, asked)
    from forensics.generate.excerpts import promtool_file

    output.write(promtool_file(basis, found, asked, rule_file), target)


@app.command()
@params.reads_history
def limits(*, query: Query, target: generating.Files = None) -> None:
    """Write a drop-in with a start limit that stops the loops found and refuses nothing in quiet times."""
    generating.refuse_bad_target(target)
    basis = generating.basis(query)
    from forensics.generate.limit_files import drop_ins, find_limits

    generating.write_files(drop_ins(basis, _proven_limits(find_limits(basis))), target)


@app.command()
@params.reads_history
def alertmanager(
    *,
    query: Query,
    receiver: ReceiverOption,
    watchdog: WatchdogOption = None,
    smarthost: Smarthost = "localhost:25",
    target: params.Output = None,
) -> None:
    """Write routes and a receiver for the generated rules."""
    from forensics.generate.receivers import parse_receiver

    to = parse_receiver(receiver, smarthost)
    switch = parse_receiver(watchdog, smarthost) if watchdog else None
    output.refuse_bad_target(target)
    basis = generating.basis(query)
    from forensics.generate.alertmanager import alertmanager_text, head_lines
    from forensics.generate.basis import commented

    text = alertmanager_text(commented(head_lines(basis, to, switch)), to, switch)
    output.write(text, target, redacted=not (to.is_secret or (switch is not None and switch.is_secret)))


@app.command()
@params.reads_history
def blackbox(
    *,
    query: Query,
    port: generating.Port = None,
    path: UrlPath = "/health",
    completion: Completion = False,
    model: Model = "",
    key_file: KeyFile = "",
    target: generating.Files = None,
) -> None:
    """Write a probe of a unit's endpoint: a module of blackbox_exporter and its scrape configuration."""
    parse.absolute_path("--path", path)
    parse.absolute_path("--key-file", key_file or "/")
    generating.refuse_bad_target(target)
    basis = generating.basis(query)
    from forensics.generate.blackbox import Asked, probe_files, probes

    generating.write_files(probe_files(basis, probes(basis, Asked(port, path, completion, model, key_file))), target)


@app.command()
@params.reads_history
def runbook(*, query: Query, target: generating.Files = None, redact: params.Redact = True) -> None:
    """Write a runbook for each failure class: how to recognise, check and fix it, what held last time, when to escalate."""
    generating.refuse_bad_target(target)
    investigation = generating.investigated(query)
    from forensics.generate.basis import basis_of
    from forensics.generate.runbook import deciding_texts, runbook_files
    from forensics.wording import NOT_REDACTED

    if not redact:
        output.notice(NOT_REDACTED)
    basis = basis_of(investigation, deciding_texts(investigation), redact=redact)
    generating.write_files(runbook_files(basis, redact=redact), target, before="<!-- ", after=" -->", redacted=redact)


@app.command()
@params.reads_history
def actions(*, query: Query, target: params.Output = None) -> None:
    """Write action items; `audit --actions FILE` closes and reopens them. Items that an existing file has stay as they are."""
    output.refuse_bad_target(target)
    basis = generating.basis(query)
    from forensics.generate.actions import merged, write_actions
    from forensics.generate.basis import commented
    from forensics.generate.recommend import head_lines, recommended
    from forensics.toml_file import read_utf8

    items = [item for unit in basis.units for item in recommended(unit, basis.of(unit))]
    known = read_utf8(target) if target is not None and target.is_file() else ""
    text = merged(known, items, Path(target or "-")) if known.strip() else write_actions(items, commented(head_lines(basis)))
    output.write(text, target)


def _rules(query: Query, asked: Wanted) -> tuple[Basis, tuple[UnitRules, ...], Wanted]:
    """Find the rules; name on stderr what could not be proven. Raises UnprovenError when nothing could."""
    from dataclasses import replace

    from forensics.errors import UnprovenError

    basis = generating.basis(query)
    from forensics.generate.blackbox import Asked, probes
    from forensics.generate.rules import find_rules

    if asked.with_probe:
        asked = replace(asked, probes={probe.unit: probe.job for probe in probes(basis, Asked(asked.port))})
    found = find_rules(basis, asked)
    refused = [sentence for unit in found for sentence in unit.refused]
    if not any(unit.rules for unit in found):
        why = "; ".join(refused[: generating.MOST_SENTENCES])
        raise UnprovenError(f"No rule could be proven: {why}. --unproven writes the nearest all the same.")
    for sentence in refused[: generating.MOST_SENTENCES]:
        output.notice(f"{sentence}.")
    return basis, found, asked


def _proven_limits(found: Limits) -> Mapping[str, Proof]:
    """Name on stderr the units without a limit. Raises UnprovenError when there is none."""
    from forensics.errors import UnprovenError

    if not found.proven:
        raise UnprovenError(f"No start limit could be proven: {'; '.join(found.refused[: generating.MOST_SENTENCES])}.")
    for sentence in found.refused[: generating.MOST_SENTENCES]:
        output.notice(f"{sentence}.")
    return found.proven
