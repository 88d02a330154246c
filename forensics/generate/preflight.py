"""Write the checks of `preflight` for each unit from the failures it has shown, and the drop-in that runs them before a start."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from forensics import wording
from forensics.errors import UsageError
from forensics.generate import nix_syntax
from forensics.generate.basis import Basis, commented, head
from forensics.generate.endpoints import endpoint_of
from forensics.generate.preflight_values import FINDERS, PATH, Value, values_of
from forensics.guard.preflight.check_file import FOLDER
from forensics.guard.preflight.unit import KEPT
from forensics.policy.limits import HELD_S
from forensics.sanitize import sanitized

MOST_TEXTS, MOST_VALUES = 20_000, 12  # texts read of a unit; entries of a kind
WITHIN_S = 10
MOST_CLASSES = 20  # named in the head
_OPEN = f"Only exit 78 refuses the start: without the program, when it crashes, is killed or takes {WITHIN_S} s, the service starts."
_KINDS = ("library", "port", "path", "config", "disk", "vram")
_STALE = ("path", "config", "vram")  # kinds that a change of the unit's own configuration makes obsolete


@dataclass(frozen=True, slots=True)
class Entry:
    """A check with what history shows for it. failures: of `starts`; note: what the reader must know; optional: it only warns."""

    value: Value
    signature: str
    failures: int
    starts: int
    last: datetime
    note: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Checks:
    """The checks of a unit. dropped: how many values had a form that is not taken; unchecked: classes that no check can see."""

    unit: str
    is_users: bool
    entries: tuple[Entry, ...]
    dropped: int
    unchecked: tuple[str, ...]


def find_checks(basis: Basis) -> tuple[Checks, ...]:
    """Find the checks of each unit with incidents."""
    return tuple(_checks_of(unit, basis) for unit in basis.units)


def check_files(basis: Basis, found: Iterable[Checks]) -> dict[str, str]:
    """Write a file of checks for each unit: file name → TOML."""
    return {f"{checks.unit}.toml": _toml(checks, basis) for checks in found}


def drop_ins(basis: Basis, found: Iterable[Checks], program: str) -> dict[str, str]:
    """Write a drop-in for each unit: file name → text."""
    files = {}
    for checks in found:
        lines = head(basis, "Checks before each start", "preflight", _about_drop_in(checks), basis.of(checks.unit))
        name = f"{checks.unit.removesuffix('.service')}-preflight.conf"
        files[name] = f"{commented(lines)}[Service]\nExecStartPre={command_line(program, is_users=checks.is_users)}\n"
    return files


def nix_file(basis: Basis, found: Iterable[Checks], program: str) -> str:
    """Write a NixOS module that runs the checks of all units; their files are beside it."""
    chosen = tuple(found)
    lines = head(basis, "Checks before each start as a NixOS module, for imports", "preflight --nix", _about_module(chosen))
    services = "".join(_nix_service(checks, program) for checks in chosen)
    return f"{commented(lines)}{{ pkgs, ... }}:\n{{\n{services}}}\n"


def command_line(program: str, *, is_users: bool = False, sh: str = "/bin/sh", timeout: str = "timeout", within_s: int = WITHIN_S) -> str:
    """Write the value of ExecStartPre=: only exit 78 of a program that ran keeps the service from starting.

    systemd itself replaces %n by the unit's name, after it has taken the quotes away, so that no name needs any (systemd.service(5)).
    """
    if not PATH.fullmatch(program):
        raise UsageError("--program must be the full path of a program, of letters, digits and /_.+@,=:- only.")
    called = ["-I", "-m", "forensics.guard.preflight"] if re.fullmatch(r"python[\d.]*", program.rpartition("/")[2]) else ["preflight"]
    kept = "; ".join(f'export {under}="$${name}"' for name, under in KEPT.items())
    arguments = " ".join([*called, "--quiet", *(["--user"] if is_users else []), '"$$1"'])
    away = f'{kept}; unset {" ".join(KEPT)} PYTHONHOME; PATH="$$PATH:/usr/bin:/bin"'
    script = f'{away}; {timeout} -k 1 {within_s} "$$0" {arguments}; test $$? -ne 78 || exit 78'
    return f"{sh} -c '{script}' {program} %n"


def _checks_of(unit: str, basis: Basis) -> Checks:
    history = basis.investigation.history
    attempts = history.assembly.attempts.filter(pl.col("unit") == unit)
    failures = _failures(unit, basis)
    entries: dict[tuple[Value, str], Entry] = {}
    dropped = 0
    for signature, text, count, last in failures.iter_rows():
        values, left_out = values_of(signature, text)
        dropped += left_out
        for value in values:
            known = entries.get((value, signature), Entry(value, signature, 0, attempts.height, last))
            entries[value, signature] = replace(known, failures=known.failures + count, last=max(known.last, last))
    held = attempts.filter(pl.col("uptime_s") >= HELD_S)["started"].max()
    chosen = _chosen(_merged(entries.values()), unit, basis)
    judged = (_judged(entry, held) for entry in chosen)
    labels = _labels(unit, basis)
    unchecked = tuple(sorted({*labels["signature"]} - {entry.signature for entry in entries.values()}))
    is_users = any(incident.manager != "system" for incident in basis.of(unit))
    return Checks(unit, is_users, tuple(judged), dropped, unchecked)


def _labels(unit: str, basis: Basis) -> pl.DataFrame:
    history = basis.investigation.history
    attempts = history.assembly.attempts.filter(pl.col("unit") == unit).select("attempt", "started", "ended")
    return history.labelled.labels.filter("failed").join(attempts, on="attempt")


def _failures(unit: str, basis: Basis) -> pl.DataFrame:
    """Return signature, text, count and last time of the failures that a check could look for; secrets are hidden in the texts."""
    events = basis.investigation.history.assembly.events.select("event", "text")
    found = (
        _labels(unit, basis)
        .filter(pl.col("signature").is_in([*FINDERS]))
        .join(events, on="event")
        .group_by("signature", "text")
        .agg(count=pl.len(), last=pl.coalesce("ended", "started").max())
        .drop_nulls("last")
        .sort("last", "signature", "text", descending=[True, False, False])
        .head(MOST_TEXTS)
    )
    texts = sanitized(tuple(found["text"].to_list()), redact=True)
    return found.with_columns(pl.Series("text", texts, pl.String))


def _merged(entries: Iterable[Entry]) -> list[Entry]:
    """Of video memory keep what the largest failure wanted, as one entry for all of them."""
    listed = sorted(entries, key=lambda entry: (_KINDS.index(entry.value.kind), -entry.failures, entry.value.settings, entry.signature))
    memory = [entry for entry in listed if entry.value.kind == "vram"]
    others = [entry for entry in listed if entry.value.kind != "vram"]
    if not memory:
        return others
    largest = max(memory, key=lambda entry: float(entry.value["free"].strip('"').split()[0]))
    note = "The most that a failed start held and wanted; which GPU it was is not in the lines."
    return [*others, replace(largest, failures=sum(each.failures for each in memory), last=max(each.last for each in memory), note=note)]


def _chosen(entries: list[Entry], unit: str, basis: Basis) -> Iterator[Entry]:
    """Choose the most frequent of each kind; of ports the one that healthy attempts name, where they name one."""
    ports = [entry for entry in entries if entry.value.kind == "port"]
    others = [entry for entry in entries if entry.value.kind != "port"]
    endpoint = endpoint_of(basis.investigation, unit) if ports else None
    if endpoint is not None:
        ports = [_port(ports, endpoint.port)]
    for kind in _KINDS:
        yield from [entry for entry in [*others, *ports] if entry.value.kind == kind][:MOST_VALUES]


def _port(ports: list[Entry], port: int) -> Entry:
    """Make one entry for the port of healthy attempts; a failure may name another one, as TabbyAPI's that moves to the next."""
    same = next((entry for entry in ports if entry.value["port"] == str(port)), None)
    others = sorted({entry.value["port"] for entry in ports} - {str(port)}, key=int)
    note = f"Its healthy attempts listen on {port}."
    if others:
        note += f" Failures also name {' and '.join(others)}: a service that moves to another port would start there without this check."
    address = next((entry.value["address"] for entry in ports if entry.value["address"]), "")
    settings = (("port", str(port)), *((("address", address),) if address else ()))
    latest = max(ports, key=lambda entry: entry.last)
    total = sum(entry.failures for entry in ports)
    return replace(same or latest, value=Value("port", settings), failures=total, last=latest.last, note=note)


def _judged(entry: Entry, held: object) -> Entry:
    """Let an entry only warn that a change of configuration may have made obsolete: the unit held after the last such failure."""
    is_stale = entry.value.kind in _STALE or (entry.value.kind == "port" and not entry.note)
    if not is_stale or not isinstance(held, datetime) or held <= entry.last:
        return entry
    note = f"{entry.note} " if entry.note else ""
    return replace(
        entry, optional=True, note=f"{note}The unit held since: if its configuration still wants this, remove `optional`, which only warns."
    )


def _toml(checks: Checks, basis: Basis) -> str:
    lines = head(basis, "Checks before each start", "preflight", _about_checks(checks), basis.of(checks.unit))
    return commented(lines) + f"\nunit = {json.dumps(checks.unit)}\n" + "".join(map(_table, checks.entries))


def _table(entry: Entry) -> str:
    counted = f"would have failed {entry.failures:,} of {wording.plural(entry.starts, 'start')}"
    lines = [f"{entry.signature}, last on {wording.minute(entry.last)} UTC: {counted}.", *([entry.note] if entry.note else [])]
    settings = [*entry.value.settings, ("class", f'"{entry.signature}"'), *([("optional", "true")] if entry.optional else [])]
    return f"\n{commented(lines)}[[{entry.value.kind}]]\n" + "".join(f"{name} = {value}\n" for name, value in settings)


def _about_checks(checks: Checks) -> Iterator[str]:
    user = " --user" if checks.is_users else ""
    folder = "~/.config/tabby-forensics/preflight" if checks.is_users else str(FOLDER)
    yield f"Where it belongs: {folder}/{checks.unit}.toml. Review it: every value comes from log lines."
    yield (
        f"Before you install the drop-in run `tabby-forensics preflight{user} '{checks.unit}' --checks FILE` on the host while the unit "
        "is healthy: a check that fails then is out of date, remove it. The counts are failures of the class that named this value."
    )
    yield from _limits()
    if checks.dropped:
        yield f"{wording.plural(checks.dropped, 'value')} of log lines left out: redacted, or not of a plain form."
    if checks.unchecked:
        yield f"No check looks for: {', '.join(checks.unchecked[:MOST_CLASSES])}."


def _about_drop_in(checks: Checks) -> Iterator[str]:
    user = " --user" if checks.is_users else ""
    directory = "~/.config/systemd/user" if checks.is_users else "/etc/systemd/system"
    yield (
        f"Where it belongs: {directory}/{checks.unit}.d/60-preflight.conf, then `systemctl{user} daemon-reload`; "
        f"first {checks.unit}.toml, whose head names its place."
    )
    yield from _limits()
    yield _OPEN
    yield (
        f"TimeoutStartSec= must be longer than {WITHIN_S + 1} s, and the unit must be able to run /bin/sh: with RootDirectory=, RootImage= "
        "or NoExecPaths= it may not, and then it does not start."
    )


def _about_module(found: Iterable[Checks]) -> Iterator[str]:
    for checks in found:
        yield f"Put {checks.unit}.toml, which `generate preflight -o DIR` writes, beside this module."
    yield from _limits()
    yield _OPEN


def _limits() -> Iterator[str]:
    yield (
        "A failed check does not stop a restart loop: systemd tries again after RestartSec=, only sooner and with a clear cause. "
        "The gate stops it: tabby-forensics generate gate."
    )


def _nix_service(checks: Checks, program: str) -> str:
    command = command_line(program, is_users=checks.is_users, sh="@sh@", timeout="@timeout@")
    text = nix_syntax.string(command).replace("@sh@", "${pkgs.runtimeShell}").replace("@timeout@", "${pkgs.coreutils}/bin/timeout")
    lines = f"  {nix_syntax.service(checks.unit, is_users=checks.is_users)}.serviceConfig.ExecStartPre = [\n    {text}\n  ];\n"
    if checks.is_users:
        return lines
    etc = nix_syntax.string(f"tabby-forensics/preflight/{checks.unit}.toml")
    return f"{lines}  environment.etc.{etc}.source = {_nix_path(checks)};\n"


def _nix_path(checks: Checks) -> str:
    return f"./. + {nix_syntax.string(f'/{checks.unit}.toml')}"
