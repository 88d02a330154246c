"""`doctor`: check whether this installation can notice anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import params

FORMATS = ("term", "json")
PROBLEMS = 3

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", readable=False, help="watch.toml. Default: that of the `watch` that runs.")
]
Prometheus = Annotated[str | None, typer.Option("--prometheus", metavar="URL", help="The Prometheus that should scrape `watch`.")]
SendTest = Annotated[bool, typer.Option("--send-test-alert", help="Send one test alert through each sink, instead of only connecting.")]
User = Annotated[bool, typer.Option("--user", help="Ask this user's own service manager about units and gates.")]
Root = Annotated[
    Path, typer.Option("--root", metavar="DIR", readable=False, help="Examine a copy of a host's files instead; no server is asked.")
]


def doctor(
    config: Config = None,
    prometheus: Prometheus = None,
    send_test_alert: SendTest = False,
    user: User = False,
    root: Root = Path("/"),
    store: params.Store = None,
    format_: params.TermOrJson = "term",
) -> None:
    """Check whether failures are noticed here: permissions, retention, rate limits, clock, `watch`, its sinks and Prometheus."""
    import os

    from forensics import doctor as checks
    from forensics.cli import parse
    from forensics.errors import UsageError
    from forensics.guard.drill.watchers import running_watchers
    from forensics.guard.systemctl import Manager
    from forensics.web import Server

    parse.require_choice("format", format_, FORMATS)
    if prometheus:
        Server(prometheus)
    if not root.is_dir():
        raise UsageError(f"--root: there is no directory '{root}'.")
    host = checks.Host(
        now=parse.clock().timestamp(),
        root=root.resolve(),
        manager=Manager(is_users=user),
        watchers=running_watchers() if root.resolve() == Path("/") else (),
        config=config,
        store=parse.store_named(store),
        prometheus=prometheus or "",
        token=os.environ.get("TABBY_FORENSICS_PROMETHEUS_TOKEN", ""),
        sends_test=send_test_alert,
    )
    results = checks.examined(host)
    typer.echo(checks.as_json(results) if format_ == "json" else checks.as_text(results), nl=False)
    if any(result.finding.status == "problem" for result in results):
        raise typer.Exit(PROBLEMS)
