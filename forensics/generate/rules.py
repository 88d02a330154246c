"""Choose rules for the incidents of each unit and prove them by replay; say why where none can be proven."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from forensics import wording
from forensics.generate import candidates, limits
from forensics.generate.basis import Basis
from forensics.generate.candidates import EXPORTERS, Exporter
from forensics.generate.proof import Chosen, Verdict, choose, fired_of, judge, nearest
from forensics.generate.replaying import Noise, Stage, noise, stage_of
from forensics.generate.wanted import Wanted
from forensics.model.values import Incident
from forensics.rules import Rule

MARGIN = 1.25  # a scrape interval of a fifth of the range makes an increase look so much larger
MOST_CLASSES = 5  # of a unit, with a rule each
OF_PROBE = "it needs the probe of `generate blackbox`, and was proven on a model: the unit answers 45 s after each start"
OF_CLASS = "it names what is wrong"
_UNKNOWN = ("mined:", "exit:")


@dataclass(frozen=True, slots=True)
class ProvenRule:
    """A rule with what was proven of it. incidents: those that it pages in time; second lines have none."""

    rule: Rule
    sentences: tuple[str, ...]
    incidents: tuple[Incident, ...] = ()
    is_proven: bool = True


@dataclass(frozen=True, slots=True)
class UnitRules:
    """The rules of one unit. refused: sentences about incidents for which none could be proven."""

    unit: str
    rules: tuple[ProvenRule, ...]
    refused: tuple[str, ...] = ()


def find_rules(basis: Basis, wanted: Wanted) -> tuple[UnitRules, ...]:
    """Find and prove rules for every unit with incidents."""
    stage = stage_of(basis.investigation, wanted.interval_s)
    return tuple(_of_unit(basis, unit, stage, wanted) for unit in basis.units)


def common_rules(units: Sequence[str], wanted: Wanted) -> list[ProvenRule]:
    """Return the rules that notice when the others cannot work."""
    missing = [candidates.missing_rule(units, EXPORTERS[name]) for name in wanted.exporters]
    texts = {
        candidates.METRIC_MISSING: "Fires where the rules above would be dead: the counter is not exported. In the replay it is, always.",
        candidates.WATCHDOG: "Always fires; a dead man's switch complains when it no longer arrives.",
    }
    rules = [_finished(rule, wanted) for rule in missing] + [candidates.watchdog_rule()]
    return [ProvenRule(rule, (texts[rule.alert],)) for rule in rules]


def _of_unit(basis: Basis, unit: str, stage: Stage, wanted: Wanted) -> UnitRules:
    found: list[ProvenRule] = []
    refused: list[str] = []
    for name in wanted.exporters:
        incidents = basis.of(unit)
        if name != "watch" and any(incident.manager != "system" for incident in incidents):
            refused.append(f"{unit} belongs to a user's manager, which {EXPORTERS[name].program} does not show; use --exporter watch")
        elif unit not in stage.scenes:
            refused.append(f"the journal does not show the starts of {unit}")
        else:
            rules, missed = _of_exporter(unit, incidents, EXPORTERS[name], stage, wanted)
            found += rules
            refused += missed
    if unit not in stage.scenes:
        return UnitRules(unit, (), tuple(refused))
    known = {one.rule.expr for one in found}
    found += [one for one in _second_lines(basis, unit, stage, wanted) if one.rule.expr not in known]
    return UnitRules(unit, tuple(replace(one, rule=_finished(one.rule, wanted)) for one in found), tuple(refused))


def _of_exporter(
    unit: str, incidents: Sequence[Incident], exporter: Exporter, stage: Stage, wanted: Wanted
) -> tuple[list[ProvenRule], list[str]]:
    """Prove rules on the metrics of one exporter; also say which incidents they miss."""
    cycle = limits.slowest_cycle(incidents)
    tried = [*candidates.restart_rules(unit, exporter, cycle.seconds if cycle else None), *candidates.failed_rules(unit, exporter)]
    verdicts: list[Verdict] = []
    for rule in tried:  # the first that pages all incidents spares the others
        verdicts += judge([rule], incidents, stage.rules(unit))
        if not verdicts[-1].outside and len(verdicts[-1].in_time(incidents, wanted.within_s)) == len(incidents):
            chosen, measured = _chosen(unit, verdicts[-1:], incidents, stage, wanted.within_s)
            if not chosen.missed:
                break
    else:
        chosen, measured = _chosen(unit, verdicts, incidents, stage, wanted.within_s)
    rules = [
        ProvenRule(verdict.rule, tuple(_proven(verdict, paged, measured[verdict.rule.expr])), paged) for verdict, paged in chosen.proven
    ]
    refused = []
    for incident in chosen.missed:
        refused.append(_refusal(unit, incident, exporter, verdicts, wanted))
        if wanted.unproven:
            rules += [ProvenRule(rule, (f"NOT PROVEN: {refused[-1]}.",), is_proven=False) for rule in _unproven(verdicts, incident, rules)]
    return rules, refused


def _refusal(unit: str, incident: Incident, exporter: Exporter, verdicts: Sequence[Verdict], wanted: Wanted) -> str:
    within, start = wording.duration(wanted.within_s), wording.instant(incident.start)
    metrics = " or ".join(name for name in (exporter.restarts, exporter.state) if name)
    what = f"no rule on {metrics} pages the incident of {unit} of {start} UTC within {within} and nothing else"
    return f"{what}: {nearest(verdicts, incident)}"


def _chosen(
    unit: str, verdicts: Sequence[Verdict], incidents: Sequence[Incident], stage: Stage, within_s: float
) -> tuple[Chosen, dict[str, Noise]]:
    """Choose rules, and drop those that fire outside in any phase, or hardly do not, until all that are chosen are quiet."""
    measured: dict[str, Noise] = {}
    left = list(verdicts)
    while True:
        chosen = choose(left, incidents, within_s)
        for verdict, _ in chosen.proven:
            key = verdict.rule.expr
            measured[key] = measured.get(key) or noise(stage, unit, verdict.rule)
        loud = [verdict for verdict, _ in chosen.proven if not _is_quiet(measured[verdict.rule.expr])]
        if not loud:
            return chosen, measured
        left = [verdict for verdict in left if verdict not in loud]


def _is_quiet(measured: Noise) -> bool:
    near = measured.highest is not None and measured.threshold is not None and measured.highest * MARGIN > measured.threshold
    return not measured.outside and not near


def _proven(verdict: Verdict, paged: Sequence[Incident], measured: Noise) -> Iterator[str]:
    for incident in paged:
        yield f"Proven: fires at {verdict.fired[incident.id]} of the incident of {wording.instant(incident.start)} UTC."
    highest = "" if measured.highest is None else f"; the highest value in quiet times is {measured.highest:.2f}"
    quiet = wording.duration(measured.quiet_s)
    yield f"Fires 0 times in {quiet} outside of incidents, {wording.plural(measured.inside, 'time')} in them{highest}."


def _unproven(verdicts: Sequence[Verdict], incident: Incident, rules: Sequence[ProvenRule]) -> list[Rule]:
    """Choose the rule that comes nearest: quiet and late, else the quietest that fires, else the most robust one."""
    known = {one.rule.expr for one in rules}
    fires = [verdict for verdict in verdicts if incident.id in verdict.fired]
    best = min(fires, key=lambda verdict: (verdict.outside, verdict.fired[incident.id].latest_s), default=verdicts[0] if verdicts else None)
    return [best.rule] if best is not None and best.rule.expr not in known else []


def _second_lines(basis: Basis, unit: str, stage: Stage, wanted: Wanted) -> Iterator[ProvenRule]:
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
        if paged and not verdict.outside and _is_quiet(measured := noise(stage, unit, verdict.rule)):
            yield ProvenRule(verdict.rule, (f"Second line: {what}.", *_proven(verdict, paged, measured)))
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


def _finished(rule: Rule, wanted: Wanted) -> Rule:
    """Add the runbook's URL, and what tells rules of one name apart that promtool would call duplicates."""
    annotations = {**rule.annotations, "runbook_url": wanted.runbook_url} if wanted.runbook_url else rule.annotations
    exporter = next((name for name in wanted.exporters if EXPORTERS[name].has(rule.expr)), "")
    labels = {**rule.labels, "exporter": exporter} if exporter and len(wanted.exporters) > 1 else rule.labels
    return replace(rule, annotations=annotations, labels=labels)
