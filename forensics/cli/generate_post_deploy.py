"""`generate post-deploy`: write what verifies a service after each change, with the way back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import generating, output, params, parse
from forensics.errors import ForensicsError, UsageError
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.generate.post_deploy import Verified
    from forensics.pipeline import Investigation

MOST_SENTENCES, EXECUTABLE = 5, 0o777
_MODEL = re.compile(r"[\w./:@+-]+")

Directory = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write all files into this directory instead of standard output.")
]
Model = Annotated[str, typer.Option(metavar="NAME", help="The model to ask for a token, where the server has several.")]
KeyFile = Annotated[str, typer.Option(metavar="/PATH", help="File with the endpoint's key, on the host that verifies.")]
Settle = Annotated[str, typer.Option(metavar="TIME", help="How long the same process must stay after a change.")]
Timeout = Annotated[str, typer.Option(metavar="TIME", help="How long it may take to become active, listen and answer.")]

SinceChange = Annotated[bool, typer.Option("--since-change", help="On NixOS also go back when a failure class is new since the switch.")]


@params.reads_history
def post_deploy(
    *,
    query: Query,
    port: generating.Port = None,
    model: Model = "",
    key_file: KeyFile = "",
    settle: Settle = "180s",
    timeout: Timeout = "300s",
    since_change: SinceChange = False,
    program: generating.Program = None,
    target: Directory = None,
) -> None:
    """Write scripts and units that verify a service after each change and lead back, for NixOS and apt, and the runbook."""
    from forensics.generate.post_deploy import Plan
    from forensics.generate.post_deploy_files import post_deploy_files

    if target is not None and not target.is_dir():
        raise UsageError(f"'{target}' is not a directory; there are several files.")
    if key_file:
        parse.absolute_path("--key-file", key_file)
    if model and not _MODEL.fullmatch(model):
        raise UsageError("--model: only letters, digits and ./:@+-_ can be written into scripts and units.")
    command = program or generating.this_program()
    if not re.fullmatch(r"/[\w./+-]+", command):
        raise UsageError(f"'{command}': units need the full path of the program, without spaces; set --program.")
    investigation, why = _investigated(query)
    units = tuple(_units(query, investigation, why, port, model, key_file))
    lengths = round(parse.seconds("--settle", settle)), round(parse.seconds("--timeout", timeout))
    plan = Plan(command, units, query.now, *lengths, _after_changes(investigation, units), since_change)
    _write(post_deploy_files(plan), target)


def _investigated(query: Query) -> tuple[Investigation | None, str]:
    """Read history for ports and for what past changes led to; without one, say why."""
    from forensics.pipeline import investigate

    try:
        return investigate(query, output.progress("reading the journal"), output.notice), ""
    except ForensicsError as error:
        if not query.units or (isinstance(error, UsageError) and not _named(query)):
            raise
        return None, str(error)


def _named(query: Query) -> list[str]:
    """Return the units that --unit names, patterns aside."""
    from forensics.guard.systemctl import UNIT_NAME
    from forensics.query import unit_pattern

    return [name for name in map(unit_pattern, query.units) if UNIT_NAME.fullmatch(name)]


def _units(query: Query, investigation: Investigation | None, why: str, port: int | None, model: str, key_file: str) -> Iterator[Verified]:
    """Find the units to verify, each with its port: as given, or as the lines of its stable attempts name it."""
    from forensics.generate.basis import basis_of
    from forensics.generate.endpoints import endpoint_of
    from forensics.generate.post_deploy import Verified
    from forensics.wording import plural

    names = _named(query) or (list(basis_of(investigation).units) if investigation is not None else [])
    if not names:
        raise UsageError("Name the units to verify with --unit.")
    if port is not None and len(names) > 1:
        raise UsageError(f"--port is the port of one unit; choose it with --unit: {', '.join(names[:10])}.")
    if why and port is None:
        output.notice(f"{why} Ports are not known from history.")
    for unit in names:
        endpoint = None if port is not None or investigation is None else endpoint_of(investigation, unit)
        if endpoint is not None:
            found = f"{unit}: port {endpoint.port}, which {plural(endpoint.lines, 'line')} of its stable attempts name."
            yield Verified(unit, endpoint.port, model, key_file, found)
        elif port is not None:
            yield Verified(unit, port, model, key_file, f"{unit}: port {port}, as given with --port.")
        else:
            output.notice(f"{unit}: no port is known; verify takes the only one that the unit listens on. Give it with --port.")
            yield Verified(unit, None, model, key_file, f"{unit}: no port is known; verify takes the only one that it listens on.")


def _after_changes(investigation: Investigation | None, units: tuple[Verified, ...]) -> tuple[str, ...]:
    """Name the incidents that followed a change: the reason for all this."""
    if investigation is None:
        return ()
    from forensics.generate.basis import described
    from forensics.sanitize import sanitized

    wanted = {one.unit for one in units}
    report = sanitized(investigation.report, redact=True)
    followed = [incident for incident in report.incidents if incident.unit in wanted and incident.trigger is not None]
    return tuple(f"{described(incident)}; it followed {incident.trigger_text}." for incident in followed[:MOST_SENTENCES])


def _write(files: dict[str, str], target: Path | None) -> None:
    from forensics.files import write_atomically
    from forensics.generate.post_deploy import SCRIPTS

    if target is None:
        output.write("\n".join(f"# file: {name}\n{text}" for name, text in files.items()), None)
        return
    for name, text in files.items():
        write_atomically(target / name, text, mode=EXECUTABLE if name in SCRIPTS else 0o666)
        output.notice(f"wrote {target / name}")
