"""`audit` itself: audit the controls of a unit, from prevention to recovery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import params
from forensics.errors import NothingRecordedError, UsageError
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.audit import Inventory
    from forensics.audit.inventory import Asked
    from forensics.generate.actions import ActionItem
    from forensics.model.controls import Control

FORMATS = ("term", "json", "csv")
FINDINGS = 3

Prometheus = Annotated[
    list[str] | None,
    typer.Option("--prometheus", metavar="FILE|URL", help="prometheus.yml, or the address of the running server; both may be given."),
]
Alertmanager = Annotated[
    str | None, typer.Option("--alertmanager", metavar="FILE|URL", help="alertmanager.yml, or the address of the running server.")
]
Units = Annotated[
    Path | None,
    typer.Option(
        "--units", metavar="DIR", readable=False, help="Directory of unit files, such as a copy of /etc. Default: the running systemd."
    ),
]
LiteLlm = Annotated[
    list[str] | None,
    typer.Option("--litellm", metavar="FILE|URL", help="LiteLLM's config.yaml, or the proxy's address; both may be given."),
]
Kuma = Annotated[str | None, typer.Option("--kuma", metavar="FILE|URL", help="Uptime Kuma's exported backup, or its address.")]
Dump = Annotated[Path | None, typer.Option("--dump", metavar="FILE", help="Write what was found as JSON, redacted.")]
InventoryFile = Annotated[
    Path | None, typer.Option("--inventory", metavar="FILE", readable=False, help="Audit what --dump wrote, instead of looking again.")
]
SendTest = Annotated[bool, typer.Option("--send-test-alert", help="Send one test alert to Alertmanager, and resolve it.")]
Actions = Annotated[
    Path | None,
    typer.Option(
        "--actions",
        metavar="FILE",
        readable=False,
        help="Set the status of the items of `generate actions` in this file: done, or reopened.",
    ),
]
FailOn = Annotated[
    str | None,
    typer.Option("--fail-on", metavar="STATUS,…", help="Exit with code 3 when a control is missing, unwired, unreachable, unknown."),
]


@params.reads_history
def audit(
    *,
    context: typer.Context,
    query: Query,
    prometheus: Prometheus = None,
    alertmanager: Alertmanager = None,
    units: Units = None,
    litellm: LiteLlm = None,
    kuma: Kuma = None,
    dump: Dump = None,
    inventory: InventoryFile = None,
    send_test_alert: SendTest = False,
    actions: Actions = None,
    fail_on: FailOn = None,
    format_: params.TermJsonOrCsv = "term",
) -> None:
    """Audit which controls of a unit are effective; `audit rules` names rules that can never fire.

    Nothing is changed on the host or in a server, and only the files of --dump and --actions are written. Servers that want a login
    get the one in TABBY_FORENSICS_PROMETHEUS_TOKEN, TABBY_FORENSICS_ALERTMANAGER_TOKEN, TABBY_FORENSICS_LITELLM_TOKEN or
    TABBY_FORENSICS_KUMA_TOKEN: a token, or user:password.
    """
    if context.invoked_subcommand is not None:
        return
    from forensics.audit import audit as judge
    from forensics.audit.inventory import Asked
    from forensics.audit.inventory.gather import refuse_missing
    from forensics.cli import output, parse
    from forensics.web import is_url

    parse.require_choice("format", format_, FORMATS)
    statuses = _statuses(fail_on)
    output.refuse_bad_target(dump)
    items = _action_items(actions)
    asked = Asked(tuple(prometheus or ()), alertmanager or "", tuple(litellm or ()), kuma or "", units)
    refuse_missing(asked)
    if send_test_alert and not is_url(asked.alertmanager):
        raise UsageError("--send-test-alert needs the running Alertmanager: --alertmanager URL.")
    found = _found(query, asked, inventory)
    if send_test_alert:
        found = _tested(found, asked)
    if dump is not None:
        _write(found, dump)
    controls = judge(found)
    _show(found, controls, format_)
    if actions is not None:
        _update_actions(actions, items, controls, found.subject.unit)
    if statuses & {control.status for control in controls}:
        raise typer.Exit(FINDINGS)


def _action_items(file: Path | None) -> tuple[ActionItem, ...]:
    """Read a file of action items before anything else is done. Raises UsageError."""
    from forensics.cli import output
    from forensics.generate.actions import read_actions
    from forensics.toml_file import read_utf8

    if file is None:
        return ()
    output.refuse_bad_target(file)
    return read_actions(read_utf8(file), file)


def _update_actions(file: Path, items: Sequence[ActionItem], controls: Sequence[Control], unit: str) -> None:
    """Write what the audit changes of a file of action items, and name it."""
    from forensics.cli import output
    from forensics.files import write_atomically
    from forensics.generate.actions import rewritten, updated
    from forensics.toml_file import read_utf8

    now = updated(items, controls, unit)
    changed = [f"{item.id}: {item.status}" for item, before in zip(now, items, strict=True) if item.status != before.status]
    if changed:
        write_atomically(file, rewritten(read_utf8(file), now, file), mode=file.stat().st_mode & 0o777)
    output.notice(f"{file}: {', '.join(changed) or 'no status changed'}")


def _statuses(fail_on: str | None) -> set[str]:
    """Parse the statuses of --fail-on. Raises UsageError."""
    from forensics.cli import parse
    from forensics.model.controls import MISSING, UNKNOWN, UNREACHABLE, UNWIRED

    named = {part.strip() for part in (fail_on or "").split(",") if part.strip()}
    for name in sorted(named):
        parse.require_choice("status", name, (MISSING, UNWIRED, UNREACHABLE, UNKNOWN))
    return named


def _found(query: Query, asked: Asked, file: Path | None) -> Inventory:
    """Read an inventory that was dumped, or gather one."""
    from forensics.audit import Inventory
    from forensics.audit.inventory import Asked, read_json
    from forensics.web import is_url

    if file is not None:
        if asked != Asked(alertmanager=asked.alertmanager if is_url(asked.alertmanager) else ""):
            raise UsageError("--inventory has all that was found; give it alone, or leave it out to look again.")
        return read_json(file, Inventory)
    return _gathered(query, asked)


def _gathered(query: Query, asked: Asked) -> Inventory:
    from forensics.audit.inventory.gather import gather
    from forensics.audit.inventory.history import choose_subject, named_subject, read_signs
    from forensics.audit.inventory.subject import Journal
    from forensics.audit.replayed import with_replay
    from forensics.cli import output
    from forensics.history_replay import for_replay
    from forensics.pipeline import investigate

    try:
        investigation = investigate(query, output.progress("reading the journal"), output.notice)
    except NothingRecordedError as error:
        if not query.units:
            raise
        output.notice(str(error))
        return gather(_about(asked, query, ""), named_subject(query.units), Journal(problem=str(error)))
    subject = choose_subject(investigation.report, query.units)
    signs = read_signs(investigation.history, subject)
    return with_replay(gather(_about(asked, query, subject.machine), subject, signs), for_replay(investigation))


def _about(asked: Asked, query: Query, machine: str) -> Asked:
    """Ask the running systemd only where the journal is this host's own, or shows its machine id."""
    own = Path("/etc/machine-id")
    is_own = query.sources.are_the_hosts_own or (own.is_file() and machine == own.read_text(encoding="ascii", errors="replace").strip())
    return replace(asked, is_this_host=is_own)


def _tested(found: Inventory, asked: Asked) -> Inventory:
    """Send the test alert, and keep what became of it."""
    from forensics.audit.alert_test import send_test_alert
    from forensics.audit.inventory.alertmanager_server import ask_alertmanager
    from forensics.audit.inventory.gather import token_of
    from forensics.cli import output
    from forensics.web import Server

    token = token_of("alertmanager")
    there = found.alertmanager or ask_alertmanager(Server(asked.alertmanager, token))
    outcome = send_test_alert(replace(found, alertmanager=there), asked.alertmanager, token, output.notice)
    return replace(found, alertmanager=replace(there, test=outcome))


def _write(found: Inventory, target: Path) -> None:
    from forensics.audit.inventory import as_json
    from forensics.cli import output

    output.write(as_json(found), target)


def _show(found: Inventory, controls: tuple[Control, ...], format_: str) -> None:
    import shutil

    from forensics.cli import output
    from forensics.cli.audit_page import as_csv, as_json, as_text
    from forensics.sanitize import sanitized

    subject, shown = sanitized((found.subject, controls), redact=True)
    if format_ == "csv":
        typer.echo(as_csv(shown), nl=False)
        return
    if format_ == "json":
        typer.echo(as_json(subject, shown), nl=False)
        return
    color = output.wants_color()
    typer.echo(as_text(subject, shown, shutil.get_terminal_size((100, 24)).columns, color=color), nl=False, color=color)
