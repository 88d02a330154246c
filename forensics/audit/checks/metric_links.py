"""Judge what a rule selects: metrics that exist, that their exporter shows, that Prometheus has, and that are about the audited unit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from forensics.audit.checks.chain import FED, FLAG, KNOWN, SELECTS, not_checked
from forensics.audit.checks.served import PER_TARGET, Served, accepts_value, unit_label
from forensics.audit.inventory.prometheus import Prometheus
from forensics.audit.inventory.selectors import selectors_of, tree_of, written
from forensics.model.controls import Link
from forensics.promql import Selector
from forensics.rules import DEAD, DEPENDS, NEVER, NO_TARGET, NOT_COVERED, HostFacts, JudgedRule, Rule, SelectorVerdict, judge_rules
from forensics.rules.outcome import result
from forensics.wording import plural

ON_IN_DEBIAN = "--collector.systemd"  # off upstream: a command line without it shows nothing


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule with what its selectors are judged by. selectors: without those within absent()."""

    served: Served
    judged: JudgedRule
    selectors: tuple[Selector, ...]

    @property
    def metrics(self) -> list[str]:
        return list(dict.fromkeys(selector.metric for selector in self.selectors if selector.metric))

    def verdict(self, metric: str) -> SelectorVerdict | None:
        return next((verdict for verdict in self.judged.verdicts if verdict.metric == metric), None)

    def cannot_fire(self, empty: Mapping[Selector, bool]) -> bool:
        """Whether the rule gives nothing when these selectors match nothing: one within `unless` may match nothing."""
        tree = tree_of(self.judged.rule)
        return any(empty.values()) and (tree is None or result(tree, empty).is_empty)


def metric_links(served: Served, rule: Rule) -> list[Link]:
    """Judge the links from the metric's name to the unit; those after a broken one cannot be judged."""
    recorded = dict.fromkeys(served.prometheus.recorded, "a recording rule")
    (judged,) = judge_rules([rule], HostFacts(recorded=recorded))
    asked = _Asked(served, judged, tuple(selector for selector in selectors_of(rule) if not selector.absent))
    links: list[Link] = []
    for name, judge in STEPS.items():
        broken = next((link.link for link in links if link.holds is False), None)
        links += not_checked((name,), broken) if broken else (judge(asked),)
    return links


def _known(asked: _Asked) -> Link:
    """Judge by the series that Prometheus has, else by the catalogue of metric names."""
    missing = [verdict for verdict in asked.judged.verdicts if not asked.served.count(verdict.metric)]
    dead = next((verdict for verdict in missing if verdict.verdict == DEAD), None)
    if dead is not None and asked.judged.outcome == NEVER:
        near = f"; the nearest: {', '.join(dead.near)}" if dead.near else ""
        return Link(KNOWN, False, f"{dead.metric}: {dead.why}{near}")
    unsure = next((verdict for verdict in missing if verdict.verdict in {DEPENDS, NOT_COVERED}), None)
    if unsure is not None:
        return Link(KNOWN, None, f"{unsure.metric}: {unsure.why}" if unsure.metric else unsure.why)
    return Link(KNOWN, True, ", ".join(asked.metrics) or "it needs no metric")


def _flag(asked: _Asked) -> Link:
    """Judge whether the exporter is started with the flag that gives the metric: the series in Prometheus show it best."""
    for metric in asked.metrics:
        verdict = asked.verdict(metric)
        if verdict is None or not verdict.flag or asked.served.count(metric):
            continue
        if asked.served.count(f"{verdict.by}_build_info"):
            return Link(FLAG, False, f"{verdict.by} is scraped, but shows no {metric}: it needs {verdict.flag}")
        units = asked.served.found.units
        needed = [flag for flag in verdict.flag.split() if flag != ON_IN_DEBIAN]
        if units is None or units.exporter_flags is None or not needed:
            return Link(FLAG, None, f"whether {verdict.by} is started with {verdict.flag} is not known")
        lacking = [flag for flag in needed if flag not in units.exporter_flags]
        if lacking:
            return Link(FLAG, False, f"{verdict.by} is started without {' '.join(lacking)}")
    return Link(FLAG, True, "the exporter shows it, or needs no flag for it")


def _fed(asked: _Asked) -> Link:
    """Judge whether Prometheus has the series without which the rule cannot fire."""
    served = asked.served
    if served.counts is None:
        return Link(FED, None, served.prometheus.problems.get("series", "a configuration does not show which series there are"))
    empty = {selector: selector.metric is not None and not served.count(selector.metric) for selector in asked.selectors}
    if asked.cannot_fire(empty):
        lacking = next(selector.metric for selector, is_empty in empty.items() if is_empty)
        return Link(FED, False, f"Prometheus has no series of {lacking}{_down(served.prometheus)}")
    counts = [f"{plural(served.count(metric), 'series', 'series')} of {metric}" for metric in asked.metrics]
    return Link(FED, True, ", ".join(counts) or "it needs none")


def _down(prometheus: Prometheus) -> str:
    """Name the first target that is down: it may be the one that lacks."""
    down = next((target for target in prometheus.targets or () if target.is_up is False), None)
    if down is None:
        return ""
    return f"; its target {down.labels.get('job', '')} ({down.labels.get('instance', '')}) is down: {down.last_error}"


def _selects(asked: _Asked) -> Link:
    """Judge whether what the rule cannot fire without is about the audited unit."""
    lost = next((each for each in asked.judged.verdicts if each.verdict == NO_TARGET and not asked.served.count(each.metric)), None)
    if lost is not None:
        return Link(SELECTS, False, lost.why)
    verdicts = {selector: _selects_unit(asked.served, selector) for selector in asked.selectors if selector.metric}
    if asked.cannot_fire({selector: verdict.holds is False for selector, verdict in verdicts.items()}):
        return next(verdict for verdict in verdicts.values() if verdict.holds is False)
    unknown = f"whether {', '.join(asked.metrics) or 'it'} is about {asked.served.unit} is not known"
    return next((verdict for verdict in verdicts.values() if verdict.holds), Link(SELECTS, None, unknown))


def _selects_unit(served: Served, selector: Selector) -> Link:
    metric = selector.metric or ""
    if unit_label(metric):
        return _selects_by_name(served, selector, unit_label(metric))
    if not metric.startswith(PER_TARGET) or served.prometheus.targets is None:
        return Link(SELECTS, None, f"whether {metric} is about {served.unit} is not known")
    if not served.targets:
        return Link(SELECTS, False, f"no target of Prometheus is about {served.unit}")
    chosen = served.of_unit(selector)
    if not chosen:
        return Link(SELECTS, False, f"{written(selector)} does not match the target {served.targets[0].labels.get('instance', '')}")
    return Link(SELECTS, True, f"{written(selector)} matches the target {chosen[0].get('instance', '')}")


def _selects_by_name(served: Served, selector: Selector, label: str) -> Link:
    """Judge a metric whose series name units: by the unit's own series, else by the matchers on the name."""
    shown = written(selector)
    if served.labels.get(selector.metric or ""):
        holds = bool(served.of_unit(selector))
        return Link(SELECTS, holds, f"{shown} {'matches' if holds else 'does not match'} the series of {served.unit}")
    if served.counts is not None:
        return Link(SELECTS, False, f"{selector.metric} has no series of {served.unit}: its exporter may leave the unit out")
    excluded = any(accepts_value(matcher, served.unit) is False for matcher in selector.matchers if matcher.label == label)
    return Link(SELECTS, not excluded, f"{shown} {'does not match' if excluded else 'matches'} the name {served.unit}")


STEPS: dict[str, Callable[[_Asked], Link]] = {KNOWN: _known, FLAG: _flag, FED: _fed, SELECTS: _selects}
