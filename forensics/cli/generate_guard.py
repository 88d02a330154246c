"""`generate` for what acts beside a service: the gate, preflight, post-deploy checks, model ladders and more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from forensics.cli import generating, output, params, parse
from forensics.cli.gate import AnyClass, Cooldown, Futile, Held, Most
from forensics.cli.generate import app
from forensics.cli.generate_ladder import model_ladder
from forensics.cli.generate_litellm import litellm
from forensics.cli.generate_post_deploy import post_deploy
from forensics.cli.generate_preflight import preflight
from forensics.errors import ForensicsError, UsageError
from forensics.policy.breaker import Limits
from forensics.query import Query

if TYPE_CHECKING:
    from forensics.generate.gate import Guarded, Wanted

LONGEST_S = 30 * 86_400.0
__all__ = ["app"]  # each command below is registered on `generate`'s app

app.command()(litellm)
app.command()(model_ladder)
app.command()(preflight)
app.command()(post_deploy)

Nix = Annotated[bool, typer.Option("--nix", help="Write a NixOS module instead of drop-ins.")]
Pager = Annotated[str, typer.Option("--on-failure", metavar="UNIT", help="Also set OnFailure=, such as page@%N.service.")]


def gate_limits(
    futile: Futile = 3, any_class: AnyClass = 5, cooldown: Cooldown = "10min", most: Most = "1h", held: Held = "10min"
) -> Limits:
    """Read when the gate opens, and how long it waits."""
    times = (("--cooldown", cooldown), ("--most", most), ("--held", held))
    return Limits(futile, any_class, *(parse.seconds(option, text, longest=LONGEST_S) for option, text in times))


@app.command()
@params.made_of_options(Limits, gate_limits)
@params.reads_history
def gate(
    *,
    query: Query,
    limits: Limits,
    nix: Nix = False,
    user: params.OfUser = False,
    on_failure: Pager = "",
    program: generating.Program = None,
    target: generating.Files = None,
) -> None:
    """Write the drop-in by which a unit's restarts are stopped when they cure nothing; proven by replay where there is a history."""
    from forensics.generate.gate import Wanted, drop_in, nix_module

    generating.refuse_bad_target(target)
    command = generating.absolute_program(program)
    if on_failure and (not on_failure.isprintable() or " " in on_failure):
        raise UsageError(f"--on-failure: '{on_failure}' is not the name of a unit.")
    wanted = Wanted(command, limits, on_failure, is_here=query.sources.are_the_hosts_own)
    gates = _gates(query, wanted, is_users=user)
    files = {f"{one.unit.removesuffix('.service')}-gate.conf": drop_in(one, wanted) for one in gates}
    generating.write_files({"gates.nix": nix_module(gates, wanted)} if nix else files, target)


def _gates(query: Query, wanted: Wanted, *, is_users: bool) -> list[Guarded]:
    """Find the units that get a gate; those that --unit names also without a history. Raises UnprovenError when there is none."""
    from forensics.errors import UnprovenError
    from forensics.generate.gate import guarded, is_loaded, unproven
    from forensics.guard.systemctl import UNIT_NAME
    from forensics.query import unit_pattern

    named = [name for name in map(unit_pattern, query.units) if UNIT_NAME.fullmatch(name)]
    found: list[Guarded] = []
    refused: list[str] = []
    why = "this history has no incident of the unit."
    try:
        found, refused = guarded(generating.basis(query), wanted)
    except ForensicsError as error:
        if not named or not wanted.is_here or not all(is_loaded(name, is_users=is_users) for name in named):
            raise
        why = str(error)
    judged = {one.unit for one in found}
    missing = [name for name in named if name not in judged and not any(sentence.startswith(f"{name} ") for sentence in refused)]
    found += [unproven(name, why, wanted, is_users=is_users) for name in missing]
    if not found:
        raise UnprovenError(f"No gate can be written: {'; '.join(refused[: generating.MOST_SENTENCES]) or 'no unit has an incident'}.")
    for sentence in refused[: generating.MOST_SENTENCES]:
        output.notice(f"{sentence}.")
    return found


DrilledClasses = Annotated[
    list[str] | None, typer.Option("--class", metavar="CLASS", help="Drill this class; repeatable. Default: those that the host has shown.")
]
Calendar = Annotated[str, typer.Option(metavar="TIME", help="When, as OnCalendar= has it.")]
DrillWithin = Annotated[str, typer.Option(metavar="TIME", help="How long to wait for every link of a drill.")]
DrillPages = Annotated[list[str] | None, typer.Option("--page", metavar="URL", help="As in `drill`; repeatable.")]
OnSilence = Annotated[str, typer.Option("--on-failure", metavar="UNIT", help="A unit to start when a link was silent.")]
DrillNix = Annotated[bool, typer.Option("--nix", help="Write a NixOS module instead of two units.")]


@app.command()
def drill(
    *,
    classes: DrilledClasses = None,
    calendar: Calendar = "monthly",
    within: DrillWithin = "5min",
    page: DrillPages = None,
    on_failure: OnSilence = "",
    nix: DrillNix = False,
    program: generating.Program = None,
    target: generating.Files = None,
) -> None:
    """Write a timer that proves once a month that failures still reach somebody: `drill --all`, or of the named classes."""
    from forensics.generate.drill import Monthly, drill_files, nix_module, refuse_mistakes

    generating.refuse_bad_target(target)
    wanted = Monthly(tuple(classes or ()), calendar, within, tuple(page or ()), on_failure)
    refuse_mistakes(wanted)
    generating.write_files(
        {"tabby-drill.nix": nix_module(wanted)} if nix else drill_files(generating.absolute_program(program), wanted), target
    )
