"""`replay`: what controls would have done in the recorded incidents."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.replay import Asked
    from forensics.replay.reel import Prometheus

FORMATS = ("term", "json")

Rules = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", readable=False, help="Prometheus rules: a file, a directory or a pattern; repeatable. Default: shipped ones."
    ),
]
Alertmanager = Annotated[
    Path | None, typer.Option(metavar="FILE", readable=False, help="alertmanager.yml: when, and whether, an alert is delivered.")
]
Limits = Annotated[list[str] | None, typer.Option("--limit", metavar="STARTS/INTERVAL", help="A start limit such as 5/300; repeatable.")]
UnitFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--unit-file",
        metavar="PATH",
        readable=False,
        help="A unit file with its drop-ins, a drop-in, or a directory of units: its limits, restarts and OnFailure=; repeatable.",
    ),
]
Probes = Annotated[
    list[str] | None,
    typer.Option("--probe", metavar="SPEC", help="A probe such as 15s,for=1m,ready=45s: how often, how long it must fail, time to ready."),
]
Polls = Annotated[list[str] | None, typer.Option("--kuma", metavar="SPEC", help="A poll of the unit's state such as 60s,retries=2.")]
Routers = Annotated[
    list[str] | None,
    typer.Option("--litellm", metavar="SPEC", help="LiteLLM's allowed_fails/cooldown_time such as 4/60s,requests=10s,retries=0."),
]
Scrape = Annotated[str, typer.Option(metavar="SPAN", help="Prometheus' scrape_interval.")]
Evaluation = Annotated[str, typer.Option(metavar="SPAN", help="Prometheus' evaluation_interval, where a group of rules has none.")]
Version = Annotated[int, typer.Option("--prometheus-version", metavar="VERSION", help="2 or 3: their windows differ by one scrape.")]


@params.reads_history
def replay(
    *,
    query: Query,
    rules: Rules = None,
    alertmanager: Alertmanager = None,
    limit: Limits = None,
    unit_file: UnitFiles = None,
    probe: Probes = None,
    kuma: Polls = None,
    litellm: Routers = None,
    scrape: Scrape = "15s",
    evaluation: Evaluation = "15s",
    prometheus_version: Version = 3,
    format_: params.TermOrJson = "term",
    target: params.Output = None,
    redact: params.Redact = True,
) -> None:
    """Replay alert rules, limits, probes and polls on the incidents: what would have fired, when, and how often for nothing."""
    import shutil

    from forensics.cli import output, parse
    from forensics.history_replay import make_report
    from forensics.replay.notation import interval_s
    from forensics.replay.reel import Prometheus
    from forensics.report.options import RenderOptions
    from forensics.report.replays import RENDERERS

    parse.require_choice("format", format_, FORMATS)
    parse.require_choice("version of Prometheus", str(prometheus_version), ("2", "3"))
    output.refuse_bad_target(target)
    prometheus = Prometheus(interval_s(scrape), interval_s(evaluation), prometheus_version)
    asked = _asked(prometheus, rules or [], alertmanager, limit or [], unit_file or [], probe or [], kuma or [], litellm or [])
    made = make_report(query, output.progress("reading the journal"), output.notice, asked)
    width = shutil.get_terminal_size((100, 24)).columns
    options = RenderOptions(redact=redact, color=target is None and output.wants_color(), width=width)
    output.write(RENDERERS[format_](made, options), target, redacted=redact)


def _asked(
    prometheus: Prometheus,
    rules: list[Path],
    alertmanager: Path | None,
    limits: list[str],
    unit_files: list[Path],
    probes: list[str],
    polls: list[str],
    routers: list[str],
) -> Asked:
    """Put what is given in place of what is shipped; mistakes in rules are named, and the good ones replayed."""
    from forensics.cli import output
    from forensics.replay import Asked, notation, shipped
    from forensics.replay.alertmanager import read_routing
    from forensics.replay.asked import with_own
    from forensics.rules import read_rules

    read = read_rules(rules) if rules else None
    for mistake in read.mistakes if read is not None else ():
        output.notice(f"{mistake}.")
    given = {"limit": "--limit", "probe": "--probe", "poll": "--kuma", "litellm": "--litellm"}
    own = Asked(
        rules=None if read is None else read.rules,
        limits=tuple(map(notation.start_limit, limits)),
        unit_files=tuple(unit for path in unit_files for unit in notation.unit_files(path)),
        probes=tuple(map(notation.probe, probes)),
        polls=tuple(map(notation.poll, polls)),
        routers=tuple(map(notation.router, routers)),
        prometheus=prometheus,
        routing=None if alertmanager is None else read_routing(alertmanager),
        sources={
            kind: option for kind, option in given.items() if {"limit": limits, "probe": probes, "poll": polls, "litellm": routers}[kind]
        },
    )
    return with_own(shipped(), own)
