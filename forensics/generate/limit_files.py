"""Write the proven start limits of all units: a drop-in for each, or one NixOS module."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forensics.generate.basis import Basis, commented, head
from forensics.generate.limits import Proof, drop_in_text, find_limit, instructions, nix_text, reach, sentences, slowest_cycle
from forensics.generate.replaying import stage_of


@dataclass(frozen=True, slots=True)
class Limits:
    """The proof of each unit's limit; refused: a sentence about each unit that has none."""

    proven: Mapping[str, Proof]
    refused: tuple[str, ...]


def find_limits(basis: Basis) -> Limits:
    """Find a limit for each unit."""
    stage = stage_of(basis.investigation)
    found = {unit: find_limit(unit, basis.of(unit), stage) for unit in basis.units}
    refused = tuple(_refusal(basis, unit) for unit, proof in found.items() if proof is None)
    return Limits({unit: proof for unit, proof in found.items() if proof is not None}, refused)


def drop_ins(basis: Basis, proven: Mapping[str, Proof]) -> dict[str, str]:
    """Write a drop-in for each unit: file name → text."""
    files = {}
    for unit, proof in proven.items():
        lines = head(basis, "Start limit", "limits", _explained(basis, proof), basis.of(unit))
        files[f"{unit.removesuffix('.service')}-start-limit.conf"] = drop_in_text(commented(lines), proof.limit)
    return files


def nix_file(basis: Basis, proven: Mapping[str, Proof]) -> str:
    """Write a NixOS module with all limits."""
    incidents = [incident for unit in proven for incident in basis.of(unit)]
    explained = [line for unit, proof in proven.items() for line in (f"{unit}:", *_explained(basis, proof, nix=True))]
    lines = head(basis, "Start limits as a NixOS module, for imports", "nix --limits", explained, incidents)
    return nix_text(commented(lines), [proof.limit for proof in proven.values()])


def _explained(basis: Basis, proof: Proof, *, nix: bool = False) -> Iterator[str]:
    yield reach(proof.limit, proof.cycle)
    yield from sentences(proof, [incident for incident in basis.of(proof.limit.unit) if incident.kind == "restart-loop"])
    yield from instructions(proof.limit, nix=nix)


def _refusal(basis: Basis, unit: str) -> str:
    if slowest_cycle(basis.of(unit)) is None:
        return f"{unit} was in no restart loop with a known cycle"
    return f"no limit stops every loop of {unit} and refuses nothing in quiet times"
