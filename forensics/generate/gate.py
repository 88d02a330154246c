"""Write the drop-in, or the NixOS module, by which a unit calls `gate note` at each end, with what was proven in its head."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from forensics import __version__, wording
from forensics.errors import UnprovenError, UsageError
from forensics.generate import nix_syntax
from forensics.generate.basis import Basis, commented, head
from forensics.generate.replaying import SOURCE, stage_of
from forensics.guard.systemctl import Manager, NoManagerError
from forensics.model.controls import FIRES, Replayed
from forensics.model.values import Incident, Signature
from forensics.policy.breaker import Limits
from forensics.replay.limits import replay_gates
from forensics.unit_file import seconds

OLDEST = 236  # systemd-run --collect (NEWS); SERVICE_RESULT= is of 232
DIRECT_SINCE = 254
WITHIN_S = 25  # for the whole program, also where Python itself hangs
BREAKER = "gate:breaker"  # the replay of both of its reasons to open
SHORT_STOP_S = 5.0  # of TimeoutStopSec=: naming a failure takes 1 s of CPU time
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PAGER = "page@%N.service"
PAGER_HINT = "To be paged when restarts stop, name a unit of yours that does so:"
NAMES = ("LoadState", "Restart", "Type", "TimeoutStopUSec", "RestartMode", "ExecStopPost", "TriggeredBy")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be written. program: the command that starts this one; pager: a unit for OnFailure=, "" for a suggestion only."""

    program: str
    limits: Limits
    pager: str = ""
    is_here: bool = True  # the history is of this host, whose service manager can be asked


@dataclass(frozen=True, slots=True)
class Guarded:
    """A unit that gets a gate, and the lines of its file's head. manager: "system" or "user:<uid>"."""

    unit: str
    manager: str
    lines: tuple[str, ...]
    version: int | None = None  # of its systemd

    @property
    def is_of_a_user(self) -> bool:
        return self.manager != "system"


def guarded(basis: Basis, wanted: Wanted) -> tuple[list[Guarded], list[str]]:
    """Return the units with restart loops that get a gate, and a sentence about each that gets none."""
    stage, found, refused = stage_of(basis.investigation), [], []
    signatures = {signature.id: signature for incident in basis.incidents for signature in _signatures(incident)}
    for unit in basis.units:
        incidents = basis.of(unit)
        manager = incidents[0].manager
        shown = properties(unit, manager) if wanted.is_here else None
        versions = [scene.machine.version for scene in stage.scenes.get(unit, ())]
        version = host_version(manager) if wanted.is_here else next(iter(versions), None)
        reason = refusal(unit, shown, version)
        if reason:
            refused.append(reason)
            continue
        rows = {scene.incident.id: replay_gates(scene, signatures, SOURCE, wanted.limits) for scene in stage.scenes.get(unit, ())}
        proven = [*_proven(incidents, rows), *advice(unit, manager, shown, wanted)]
        found.append(Guarded(unit, manager, tuple(head(basis, "Gate", _command(unit, wanted), proven, incidents)), version))
    return found, refused


def unproven(unit: str, why: str, wanted: Wanted, *, is_users: bool = False) -> Guarded:
    """Give a unit a gate without a history of it. Raises UnprovenError and UsageError where it cannot have one."""
    manager = f"user:{os.getuid()}" if is_users else "system"
    shown = properties(unit, manager)
    if shown is None or shown["LoadState"] == "not-found":
        raise UsageError(f"{unit} is in no history that was read, and not on this host.")
    version = host_version(manager)
    if reason := refusal(unit, shown, version):
        raise UnprovenError(f"{reason}.")
    first = f"Gate. Made by tabby-forensics {__version__}: tabby-forensics generate {_command(unit, wanted)}"
    lines = (first, f"Nothing was replayed: {why}", *advice(unit, manager, shown, wanted))
    return Guarded(unit, manager, lines, version)


def _command(unit: str, wanted: Wanted) -> str:
    return " ".join(["gate", "--unit", unit, *options(wanted.limits)])


def is_loaded(unit: str, *, is_users: bool) -> bool:
    """Whether this host has the unit."""
    shown = properties(unit, f"user:{os.getuid()}" if is_users else "system")
    return shown is not None and shown["LoadState"] not in {"not-found", ""}


def properties(unit: str, manager: str) -> dict[str, str] | None:
    """Ask this host's service manager about a unit; None where there is none, or it is another user's."""
    if manager not in {"system", f"user:{os.getuid()}"}:
        return None
    try:
        return Manager(manager != "system").show(unit, *NAMES)
    except NoManagerError:
        return None


def host_version(manager: str) -> int | None:
    """Return the version of this host's systemd; None where it does not run."""
    try:
        return Manager(manager != "system").version()
    except NoManagerError:
        return None


def refusal(unit: str, shown: Mapping[str, str] | None, version: int | None = None) -> str:
    """Explain why a gate could do nothing for a unit; "" where it can."""
    if version is not None and version < OLDEST:
        return f"{unit} is run by systemd {version}, which cannot start a gate's timers: {OLDEST} is the oldest that can"
    if shown is None or shown["LoadState"] in {"not-found", ""}:
        return ""
    if shown["LoadState"] == "masked":
        return f"{unit} is masked: systemd does not start it"
    if shown["Restart"] in {"no", ""}:
        return f"{unit} has no Restart=: there are no restarts that a gate could stop"
    return ""


def advice(unit: str, manager: str, shown: Mapping[str, str] | None, wanted: Wanted) -> Iterator[str]:
    """Yield what the gate does, how it is installed, tested and removed, and what is special about this unit."""
    user, limits = (" --user" if manager != "system" else ""), wanted.limits
    folder = "~/.config/systemd/user" if user else "/etc/systemd/system"
    yield (
        f"What it does: after {limits.futile} failures in a row of a class that no restart cures, or {limits.any_class} of any, restarts "
        f"stop: the unit is `failed` with its own result. It is tried again after {wording.duration(limits.cooldown_s)}, doubling to "
        f"{wording.duration(limits.longest_s)}, and at once when the system or the unit's environment changed; a run of "
        f"{wording.duration(limits.held_s)} closes the gate. Without the program, or when it fails, systemd restarts as it does without it."
    )
    yield f"Install: {folder}/{unit}.d/60-gate.conf, then `systemctl{user} daemon-reload`. Remove: delete it, and reload again."
    yield (
        f"Test: `tabby-forensics gate status{user} {unit}` (exit code 0 closed, 3 stopped); "
        f"try now: `tabby-forensics gate reset{user} {unit}`; keep it down: `tabby-forensics gate hold{user} {unit}`."
    )
    yield (
        f"Needs systemd {OLDEST}; run on 252 and 257. The unit's own variables are kept away from it (env -i), and it prints nothing. "
        f"An end with exit code 0 counts only where the unit is restarted after it, and its last lines show a fatal error, which is "
        f"looked up after {limits.any_class}, {2 * limits.any_class}, {4 * limits.any_class} … such ends in a row."
    )
    yield (
        f"OnFailure= fires once, when restarts stop. From systemd {DIRECT_SINCE} on it fires at each failure, unless RestartMode=direct is "
        "set, which also hides failures that are restarted from units that depend on this one; older versions ignore it with a warning."
    )
    yield from special(unit, shown)


def special(unit: str, shown: Mapping[str, str] | None) -> Iterator[str]:
    """Yield what this unit's settings mean for a gate."""
    if shown is None or shown["LoadState"] in {"not-found", ""}:
        yield f"{unit} is not on this host: that its Restart= and TimeoutStopSec= suit a gate was not checked."
        return
    timeout = seconds(shown["TimeoutStopUSec"])
    if timeout is not None and timeout < SHORT_STOP_S:
        yield (
            f"Note: TimeoutStopSec={shown['TimeoutStopUSec']} leaves too little time to name a failure: only failures of any class "
            f"count. {SHORT_STOP_S:.0f} s or more are enough."
        )
    if shown["Type"] == "oneshot":
        yield "Note: with Type=oneshot the unit is never active, so that its first good end closes the gate."
    if "gate note" in shown["ExecStopPost"]:
        yield "Note: ExecStopPost= calls a gate already; each end is counted once, with the options of the first."
    elif "ignore_errors=no" in shown["ExecStopPost"]:
        yield "Note: ExecStopPost= has a command already. If it fails, systemd calls none after it, not the gate either: put `-` before it."
    if shown["TriggeredBy"]:
        yield f"Note: what {shown['TriggeredBy']} starts is no restart: the gate does not stop it, and is opened again by each that fails."


def drop_in(gate: Guarded, wanted: Wanted) -> str:
    """Write the drop-in of a unit."""
    mark = "" if wanted.pager else "# "
    hint = "" if wanted.pager else f"# {PAGER_HINT}\n"
    unit = f"{hint}{mark}[Unit]\n{mark}OnFailure={wanted.pager or PAGER}\n"
    direct = f"{mark}RestartMode=direct\n" if _fires_each_time(gate) else ""
    return f"{commented(gate.lines)}{unit}\n[Service]\nExecStopPost={exec_line(gate, wanted)}\n{direct}"


def _fires_each_time(gate: Guarded) -> bool:
    """Whether OnFailure= fires at each failure that is restarted too, unless RestartMode=direct is set."""
    return gate.version is None or gate.version >= DIRECT_SINCE


def exec_line(gate: Guarded, wanted: Wanted) -> str:
    """Write the command: nothing of the unit's environment reaches it, and no failure of it reaches systemd."""
    own = "XDG_RUNTIME_DIR=%t " if gate.is_of_a_user else ""
    cleared = f"/usr/bin/env -i PATH={PATH} HOME=%h XDG_CONFIG_HOME=%E {own}/usr/bin/timeout --kill-after=2 {WITHIN_S}"
    return f"{'-' if gate.is_of_a_user else '-+'}{cleared} {wanted.program.replace('%', '%%')} {_words(gate, wanted)}"


def _words(gate: Guarded, wanted: Wanted) -> str:
    return " ".join(["gate note", *(["--user"] if gate.is_of_a_user else []), *options(wanted.limits), "%n"])


def options(limits: Limits) -> list[str]:
    """Write the options that differ from the program's own numbers."""
    usual = Limits()
    values = {
        "--futile": (limits.futile, usual.futile),
        "--any": (limits.any_class, usual.any_class),
        "--cooldown": (limits.cooldown_s, usual.cooldown_s),
        "--most": (limits.longest_s, usual.longest_s),
        "--held": (limits.held_s, usual.held_s),
    }
    return [f"{name} {value:g}" for name, (value, default) in values.items() if value != default]


def nix_module(gates: Sequence[Guarded], wanted: Wanted) -> str:
    """Write a NixOS module with the gates of all units, which takes the program from services.tabby-forensics.package."""
    lines = [line for gate in gates for line in (f"{gate.unit}:", *gate.lines)]
    services = "".join(_nix_service(gate, wanted) for gate in gates)
    return f"""{commented(lines)}{{ config, lib, pkgs, ... }}:
let
  program = "${{config.services.tabby-forensics.package}}/bin/tabby-forensics";
  path = lib.makeBinPath [ config.systemd.package pkgs.coreutils ];
  clean = "${{pkgs.coreutils}}/bin/env -i PATH=${{path}} HOME=%h XDG_CONFIG_HOME=%E";
  within = "${{pkgs.coreutils}}/bin/timeout --kill-after=2 {WITHIN_S}";
in
{{
{services}}}
"""


def _nix_service(gate: Guarded, wanted: Wanted) -> str:
    own = " XDG_RUNTIME_DIR=%t" if gate.is_of_a_user else ""
    sign = "-" if gate.is_of_a_user else "-+"
    mark = "" if wanted.pager else "# "
    pager = f"    {mark}onFailure = [ {nix_syntax.string(wanted.pager or PAGER)} ];\n"
    direct = f'    {mark}serviceConfig.RestartMode = "direct";\n' if _fires_each_time(gate) else ""
    line = f'"{sign}${{clean}}{own} ${{within}} ${{program}} {_words(gate, wanted)}"'
    service = nix_syntax.service(gate.unit, is_users=gate.is_of_a_user)
    return f"  {service} = {{\n{pager}    serviceConfig.ExecStopPost = lib.mkAfter [ {line} ];\n{direct}  }};\n"


def _signatures(incident: Incident) -> Iterator[Signature]:
    for row in incident.classes:
        yield Signature(row.signature, row.title, row.severity, row.restart_helps)


def _proven(incidents: Iterable[Incident], rows: Mapping[str, Sequence[Replayed]]) -> Iterator[str]:
    """Yield what this gate would have done in each restart loop."""
    for incident in incidents:
        if incident.kind != "restart-loop":
            continue
        row = next((row for row in rows.get(incident.id, ()) if row.id == BREAKER and row.status == FIRES), None)
        if row is None:
            yield f"Replayed in the incident of {wording.instant(incident.start)} UTC: it would not have acted."
            continue
        yield (
            f"Replayed in the incident of {wording.instant(incident.start)} UTC: it would have stopped the loop at "
            f"T+{wording.duration(row.latest_s)}; {wording.count(row.restarts_avoided or 0)} of "
            f"{wording.plural(incident.restarts, 'restart')} avoided, its own tries included."
        )
