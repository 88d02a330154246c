"""`generate model-ladder`: profiles of a model, and the drop-in that chooses among them at each start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from forensics.cli import generating, params

Unit = Annotated[str, typer.Option(metavar="UNIT", help="The service, such as tabbyapi.service.")]
Profiles = Annotated[
    list[str],
    typer.Option(
        "--profile",
        metavar="NAME:GIB[:KEY=VALUE,…]",
        help="A profile: its name, the GiB it needs (20+20: of each of two GPUs), and the variables of the service; repeatable.",
    ),
]
Gpus = Annotated[list[int] | None, typer.Option("--gpu", metavar="N", min=0, max=1023, help="A GPU of the service; repeatable.")]
Nix = Annotated[bool, typer.Option("--nix", help="Write a NixOS module instead.")]


def model_ladder(
    unit: Unit,
    profile: Profiles,
    gpu: Gpus = None,
    user: params.OfUser = False,
    nix: Nix = False,
    program: generating.Program = None,
    target: generating.Files = None,
) -> None:
    """Write model profiles, and a drop-in by which each start gets the largest that fits into the free memory of the GPUs."""
    from forensics.generate.model_ladder import Wanted, ladder_files, largest_first, nix_module, parse_profile
    from forensics.guard.ladder.profiles import ladder_of
    from forensics.guard.systemctl import service_name
    from forensics.toml_file import parse_toml

    generating.refuse_bad_target(target)
    command = generating.absolute_program(program)
    rungs = largest_first([parse_profile(text) for text in profile])
    wanted = Wanted(service_name(unit), command, rungs, tuple(dict.fromkeys(gpu or ())), is_of_a_user=user)
    files = ladder_files(wanted)
    name = f"{wanted.unit}.toml"
    ladder_of(parse_toml(Path(name), files[name]))  # as `ladder choose` will read it
    generating.write_files({f"{wanted.unit.removesuffix('.service')}-ladder.nix": nix_module(wanted)} if nix else files, target)
