"""Write a unit's model profiles, and the drop-in by which each start chooses the largest that fits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from forensics import __version__
from forensics.errors import UsageError
from forensics.generate import nix_syntax
from forensics.generate.basis import commented
from forensics.generate.gate import PATH as SYSTEM_PATH

WITHIN_S = 45  # the program ends itself after 40 s
# What a unit sets for its own Python and libraries would keep this program from starting; CUDA_VISIBLE_DEVICES it must see.
UNSET = ("LD_AUDIT", "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONWARNINGS")
CLEAN = " ".join(f"-u {name}" for name in UNSET)
PATH = f"{SYSTEM_PATH}:/run/current-system/sw/bin"  # NixOS has nvidia-smi there
_PROFILE = re.compile(r"(?P<name>[^:]+):(?P<gib>[0-9.]+(?:\+[0-9.]+)*)(?::(?P<variables>.*))?", re.DOTALL)
_BETWEEN = re.compile(r",(?=[A-Za-z_]\w*=)")  # a comma within a value is its own
_KEY = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Rung:
    """A profile as it is written. gib: over all GPUs, or one number for each."""

    name: str
    gib: tuple[float, ...]
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written. program: the command that starts this one."""

    unit: str
    program: str
    rungs: tuple[Rung, ...]
    gpus: tuple[int, ...] = ()
    is_of_a_user: bool = False


def parse_profile(text: str) -> Rung:
    """Parse NAME:GIB[:KEY=VALUE,…]; GIB is 40 over all GPUs, or 20+20 for each of two. Raises UsageError."""
    found = _PROFILE.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--profile '{text}': expected NAME:GIB or NAME:GIB:KEY=VALUE,KEY=VALUE, such as 14b:10.5:TABBY_MODEL_MODEL_NAME=qwen-14b."
        )
    try:
        gib = tuple(float(number) for number in found["gib"].split("+"))
    except ValueError:
        raise UsageError(f"--profile '{text}': '{found['gib']}' is not a number of GiB.") from None
    return Rung(found["name"].strip(), gib, _variables(text, found["variables"] or ""))


def largest_first(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """Sort profiles by what they need."""
    return tuple(sorted(rungs, key=lambda rung: -sum(rung.gib)))


def ladder_files(wanted: Wanted) -> dict[str, str]:
    """Write both files: file name → text."""
    return {f"{wanted.unit}.toml": profiles_text(wanted), f"{wanted.unit.removesuffix('.service')}-ladder.conf": drop_in(wanted)}


def profiles_text(wanted: Wanted) -> str:
    """Write the profiles."""
    gpus = (
        f"gpus = {list(wanted.gpus)}\n" if wanted.gpus else "# gpus = [0, 1]   # default: all that CUDA_VISIBLE_DEVICES shows the service\n"
    )
    options = '# held = "10min"  # a profile has held after so long, and one larger may be tried at the next start\n'
    options += '# wait = "20s"    # for memory that a process which has just ended still holds\n'
    return commented(_head(wanted, "Model profiles", _about_profiles(wanted))) + gpus + options + "".join(map(_profile, wanted.rungs))


def drop_in(wanted: Wanted) -> str:
    """Write the drop-in."""
    command = f"/usr/bin/env {CLEAN} PATH={PATH} /usr/bin/timeout --kill-after=2 {WITHIN_S} {wanted.program.replace('%', '%%')}"
    lines = commented(_head(wanted, "Model ladder", _about_drop_in(wanted)))
    return f"{lines}[Service]\nExecStartPre={_sign(wanted)}{command} {_words(wanted)}\nEnvironmentFile={_file(wanted)}\n"


def nix_module(wanted: Wanted) -> str:
    """Write a NixOS module with the profiles and what a drop-in has; it takes the program from services.tabby-forensics.package."""
    profiles = "".join(f"    {line}".rstrip() + "\n" for line in nix_syntax.indented(profiles_text(wanted)).splitlines())
    config = f"/etc/tabby-forensics/ladder/{wanted.unit}.toml"
    lines = commented(_head(wanted, "Model ladder as a NixOS module, for imports", _about_drop_in(wanted, nix=True)))
    return f"""{lines}{{ config, lib, pkgs, ... }}:
let
  program = "${{config.services.tabby-forensics.package}}/bin/tabby-forensics";
  path = "${{lib.makeBinPath [ config.systemd.package pkgs.coreutils ]}}:/run/current-system/sw/bin";
  clean = "${{pkgs.coreutils}}/bin/env {CLEAN} PATH=${{path}}";
  within = "${{pkgs.coreutils}}/bin/timeout --kill-after=2 {WITHIN_S}";
in
{{
  environment.etc.{nix_syntax.string(config.removeprefix("/etc/"))}.text = ''
{profiles}  '';
  {nix_syntax.service(wanted.unit, is_users=wanted.is_of_a_user)}.serviceConfig = {{
    ExecStartPre = lib.mkAfter [ "{_sign(wanted)}${{clean}} ${{within}} ${{program}} {_words(wanted)} --config {config}" ];
    EnvironmentFile = [ "{_file(wanted)}" ];
  }};
}}
"""


def _sign(wanted: Wanted) -> str:
    """Ignore its failure, and run it as root; a user's manager runs all as the user."""
    return "-" if wanted.is_of_a_user else "-+"


def _words(wanted: Wanted) -> str:
    return f"ladder choose{' --user' if wanted.is_of_a_user else ''} %n"


def _file(wanted: Wanted) -> str:
    return f"-{'%t' if wanted.is_of_a_user else '/run'}/tabby-forensics/ladder/%n.env"


def _variables(text: str, written: str) -> dict[str, str]:
    variables = {}
    for part in _BETWEEN.split(written) if written else ():
        key, equals, value = part.partition("=")
        if not equals or not _KEY.fullmatch(key) or not value.isprintable():
            raise UsageError(f"--profile '{text}': '{part}' is not KEY=VALUE.")
        variables[key] = value
    return variables


def _profile(rung: Rung) -> str:
    gib = f"{rung.gib[0]:g}" if len(rung.gib) == 1 else f"[{', '.join(f'{number:g}' for number in rung.gib)}]"
    variables = ", ".join(f"{key} = {_string(value)}" for key, value in rung.variables.items())
    return f"\n[[profile]]\nname = {_string(rung.name)}\ngib = {gib}\nenvironment = {{ {variables} }}\n"


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _head(wanted: Wanted, what: str, lines: Iterator[str]) -> Iterator[str]:
    yield f"{what} of {wanted.unit}. Made by tabby-forensics {__version__}: tabby-forensics generate model-ladder. Nothing was installed."
    yield from lines


def _about_profiles(wanted: Wanted) -> Iterator[str]:
    folder = "~/.config/tabby-forensics/ladder" if wanted.is_of_a_user else "/etc/tabby-forensics/ladder"
    yield f"Where it belongs: {folder}/{wanted.unit}.toml. The largest first; gib: what must be free, on all GPUs together or [each]."
    yield (
        "Measure gib with `nvidia-smi` while the profile serves its longest context, and add half a GiB; "
        "`tabby-forensics advise vram` quotes what the log has."
    )


def _about_drop_in(wanted: Wanted, *, nix: bool = False) -> Iterator[str]:
    user = " --user" if wanted.is_of_a_user else ""
    folder = "~/.config/systemd/user" if wanted.is_of_a_user else "/etc/systemd/system"
    if not nix:
        yield f"Where it belongs: {folder}/{wanted.unit}.d/50-ladder.conf, then `systemctl{user} daemon-reload`."
    yield (
        "Each start gets the largest profile that fits into the free GPU memory, one lower after a failure for want of it, and one higher "
        "only after one has held."
    )
    yield (
        f"The unit starts whatever becomes of this: without an answer within {WITHIN_S} s the variables of last time stay, and without any "
        "its own configuration counts."
    )
    yield "Do not give the same values as arguments: in TabbyAPI variables win over config.yml, and arguments over variables."
    yield (
        f"Test: `tabby-forensics ladder status{user} {wanted.unit}` (0 largest, 3 smaller); "
        f"by hand: `tabby-forensics ladder up{user} {wanted.unit}`."
    )
