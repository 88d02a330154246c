"""Collect what `audit rules` reports: rules that cannot fire or always do, mistakes, metrics that nobody knows or that need a flag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from forensics.rules.judgement import ALWAYS, CAN_FIRE, NEVER, PARTLY, JudgedRule
from forensics.rules.metric_names import catalogue
from forensics.rules.rule import RuleFiles
from forensics.rules.verdicts import DEAD, DEPENDS, KNOWN, NO_TARGET, NOT_COVERED, SelectorVerdict

DEAD_RULE, ALWAYS_FIRES, PARTLY_DEAD, WITHOUT_TARGET = "dead", "always-fires", "partly-dead", "no-target"
MISTAKE, DOUBTFUL, UNKNOWN_METRIC, NEEDS_FLAG = "mistake", "doubtful", "unknown-metric", "flag"
# what each kind is, in the words of the help; the order is that of the summary
KINDS = {
    DEAD_RULE: "can never fire",
    ALWAYS_FIRES: "always fires",
    PARTLY_DEAD: "has a part that never matches",
    WITHOUT_TARGET: "asks for a target that there cannot be",
    MISTAKE: "is refused by Prometheus",
    DOUBTFUL: "uses a metric that its exporter is not known to have",
    UNKNOWN_METRIC: "uses a metric that is not in the catalogue",
    NEEDS_FLAG: "uses a metric that is off by default",
}
FAILING = (DEAD_RULE, ALWAYS_FIRES, MISTAKE)  # a CI stops for these, unless --fail-on names others
_OF_OUTCOME = {NEVER: DEAD_RULE, ALWAYS: ALWAYS_FIRES, PARTLY: PARTLY_DEAD}


@dataclass(frozen=True, slots=True)
class Nearest:
    """A real metric that may be meant. flag: of its exporter, where it is off by default."""

    metric: str
    by: str
    flag: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at, with the place of its rule. records: it is a recording rule."""

    kind: str
    file: str
    line: int | None
    rule: str
    metric: str
    why: str
    nearest: tuple[Nearest, ...] = ()
    flag: str = ""
    records: bool = False


@dataclass(frozen=True, slots=True)
class Audit:
    """All findings, in the order of the files. verdicts: how many selectors have each."""

    judged: tuple[JudgedRule, ...]
    findings: tuple[Finding, ...]
    files: tuple[str, ...]
    verdicts: Mapping[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """Count the rules, or for unknown and flagged metrics the metrics, of each kind."""
        per_metric = {DOUBTFUL, UNKNOWN_METRIC, NEEDS_FLAG}
        found = {(each.kind, each.metric if each.kind in per_metric else (each.file, each.line, each.rule)) for each in self.findings}
        counts = Counter(kind for kind, _ in found)
        counts[MISTAKE] = sum(each.kind == MISTAKE for each in self.findings)
        return {kind: counts[kind] for kind in KINDS}


def audit(read: RuleFiles, judged: tuple[JudgedRule, ...]) -> Audit:
    """Collect the findings about rule files and their judged rules."""
    order = {file: number for number, file in enumerate(read.files)}
    found = [Finding(MISTAKE, str(each.file), each.line, each.key, "", each.text) for each in read.mistakes]
    found += [finding for each in judged for finding in _of_rule(each)]
    found.sort(key=lambda finding: (order.get(finding.file, -1), finding.line or 0))
    verdicts = Counter(verdict.verdict for each in judged for verdict in each.verdicts)
    return Audit(judged, tuple(found), read.files, dict(verdicts))


def _of_rule(judged: JudgedRule) -> Iterator[Finding]:
    reported: set[tuple[str, str, str]] = set()
    for verdict in judged.verdicts:
        kind = _kind(judged, verdict)
        key = (kind, verdict.metric, verdict.why)
        if kind and key not in reported:
            reported.add(key)
            rule = judged.rule
            yield Finding(
                kind, rule.file, rule.line, rule.name, verdict.metric, verdict.why, named(verdict.near), verdict.flag, bool(rule.record)
            )


def _kind(judged: JudgedRule, verdict: SelectorVerdict) -> str:
    if verdict.verdict == DEAD or (verdict.verdict == NO_TARGET and judged.outcome != CAN_FIRE):
        return _OF_OUTCOME[judged.outcome]
    if verdict.verdict == NO_TARGET:
        return WITHOUT_TARGET
    if verdict.verdict in {NOT_COVERED, DEPENDS} and verdict.near:
        return DOUBTFUL
    if verdict.verdict == NOT_COVERED:
        return UNKNOWN_METRIC
    return NEEDS_FLAG if verdict.verdict == KNOWN and verdict.flag else ""


def named(near: tuple[str, ...]) -> tuple[Nearest, ...]:
    """Return the exporters and flags of metrics."""
    metrics = [catalogue().get(name) for name in near]
    return tuple(Nearest(metric.name, metric.by, metric.flag) for metric in metrics if metric is not None)
