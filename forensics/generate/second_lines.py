"""Prove rules beside those that page first: on a state that a start limit brings about, on a probe, on known failure classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from forensics import wording
from forensics.generate import candidates, limits
from forensics.generate.basis import Basis
from forensics.generate.candidates import EXPORTERS, Exporter
from forensics.generate.proof import fired_of, judge
from forensics.generate.proven import ProvenRule, is_quiet, sentences
from forensics.generate.replaying import Stage, noise
from forensics.generate.wanted import Wanted
from forensics.model.values import Incident
from forensics.rules import Rule

MOST_CLASSES = 5  # of a unit, with a rule each
OF_PROBE = "it needs the probe of `generate blackbox`, and was proven on a model: the unit answers 45 s after each start"
OF_CLASS = "it names what is wrong"
_UNKNOWN = ("mined:", "exit:")


def second_lines(basis: Basis, unit: str, stage: Stage, wanted: Wanted) -> Iterator[ProvenRule]:
    """Yield rules that are quiet, but later than the first line, or need something else."""
    incidents = basis.of(unit)
    if wanted.with_limits:
        for name in wanted.exporters:
            yield from _with_limit(unit, incidents, stage, EXPORTERS[name])
    if unit in wanted.probes:
        yield from _quiet_ones(unit, list(candidates.down_rules(unit, wanted.probes[unit])), incidents, stage, OF_PROBE)
    if "watch" in wanted.exporters:
        known = [row.signature for incident in incidents for row in incident.classes if not row.signature.startswith(_UNKNOWN)]
        for signature in list(dict.fromkeys(known))[:MOST_CLASSES]:
            yield from _quiet_ones(unit, list(candidates.class_rules(unit, signature)), incidents, stage, OF_CLASS)


def _quiet_ones(unit: str, rules: Sequence[Rule], incidents: Sequence[Incident], stage: Stage, what: str) -> Iterator[ProvenRule]:
    """Yield the first of these rules that fires in an incident, whenever, and never outside."""
    for verdict in judge(rules, incidents, stage.rules(unit)):
        paged = [incident for incident in incidents if incident.id in verdict.fired and verdict.fired[incident.id].always]
        if paged and not verdict.outside and is_quiet(measured := noise(stage, unit, verdict.rule)):
            yield ProvenRule(verdict.rule, (f"Second line: {what}.", *sentences(verdict, paged, measured)))
            return


def _with_limit(unit: str, incidents: Sequence[Incident], stage: Stage, exporter: Exporter) -> Iterator[ProvenRule]:
    """Yield the rule on the state that a start limit brings about, which a loop alone never has."""
    proof = limits.find_limit(unit, incidents, stage)
    if proof is None:
        return
    for rule in reversed(list(candidates.failed_rules(unit, exporter))):  # the fastest first
        rows = stage.stacked(unit, proof.limit.start_limit, rule)
        stacked = [(incident, fired_of(rows[incident.id])) for incident in incidents if rows.get(incident.id)]
        if stacked and not (measured := noise(stage, unit, rule)).outside:
            limit = f"{proof.limit.burst} starts in {wording.duration(proof.limit.interval_s)}"
            first = f"Second line: with the start limit of `generate limits`, {limit}, which makes a loop `failed`."
            fires = [f"Proven: fires at {fired} of the incident of {wording.instant(one.start)} UTC." for one, fired in stacked]
            quiet = wording.duration(measured.quiet_s)
            yield ProvenRule(rule, (first, *fires, f"Fires 0 times in {quiet} outside of incidents."))
            return
