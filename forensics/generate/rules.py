"""Choose rules for the incidents of each unit and prove them by replay; say why where none can be proven."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forensics import wording
from forensics.generate import candidates, limits
from forensics.generate.basis import Basis
from forensics.generate.candidates import EXPORTERS, Exporter
from forensics.generate.proof import Chosen, Verdict, choose, judge, nearest
from forensics.generate.proven import ProvenRule, is_quiet, sentences
from forensics.generate.replaying import Noise, Stage, noise, stage_of
from forensics.generate.second_lines import second_lines
from forensics.generate.wanted import Wanted
from forensics.model.values import Incident
from forensics.rules import Rule


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
    found += [one for one in second_lines(basis, unit, stage, wanted) if one.rule.expr not in known]
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
    rules = [ProvenRule(verdict.rule, tuple(sentences(verdict, paged, measured[_key(verdict)])), paged) for verdict, paged in chosen.proven]
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
) -> tuple[Chosen, dict[tuple[str, float], Noise]]:
    """Choose rules, and drop those that fire outside in any phase, or hardly do not, until all that are chosen are quiet."""
    measured: dict[tuple[str, float], Noise] = {}
    left = list(verdicts)
    while True:
        chosen = choose(left, incidents, within_s)
        for verdict, _ in chosen.proven:
            measured[_key(verdict)] = measured.get(_key(verdict)) or noise(stage, unit, verdict.rule)
        loud = [verdict for verdict, _ in chosen.proven if not is_quiet(measured[_key(verdict)])]
        if not loud:
            return chosen, measured
        left = [verdict for verdict in left if verdict not in loud]


def _key(verdict: Verdict) -> tuple[str, float]:
    return verdict.rule.expr, verdict.rule.hold_s


def _unproven(verdicts: Sequence[Verdict], incident: Incident, rules: Sequence[ProvenRule]) -> list[Rule]:
    """Choose the rule that comes nearest: quiet and late, else the quietest that fires, else the most robust one."""
    known = {one.rule.expr for one in rules}
    fires = [verdict for verdict in verdicts if incident.id in verdict.fired]
    best = min(fires, key=lambda verdict: (verdict.outside, verdict.fired[incident.id].latest_s), default=verdicts[0] if verdicts else None)
    return [best.rule] if best is not None and best.rule.expr not in known else []


def _finished(rule: Rule, wanted: Wanted) -> Rule:
    """Add the runbook's URL, and what tells rules of one name apart that promtool would call duplicates."""
    annotations = {**rule.annotations, "runbook_url": wanted.runbook_url} if wanted.runbook_url else rule.annotations
    exporter = next((name for name in wanted.exporters if EXPORTERS[name].has(rule.expr)), "")
    labels = {**rule.labels, "exporter": exporter} if exporter and len(wanted.exporters) > 1 else rule.labels
    return replace(rule, annotations=annotations, labels=labels)
