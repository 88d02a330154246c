"""Judge what a rule selects: metrics that exist, that their exporter shows, that Prometheus has, and that are about the audited unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forensics.audit.checks.alert_labels import PER_TARGET, accepts, accepts_value, labels_of_unit, unit_label
from forensics.audit.checks.chain import FED, FLAG, KNOWN, SELECTS, not_checked
from forensics.audit.checks.targets import targets_of_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.prometheus import Prometheus
from forensics.audit.inventory.selectors import written
from forensics.model.controls import Link
from forensics.promql import Selector
from forensics.rules import DEAD, DEPENDS, NEVER, NO_TARGET, NOT_COVERED, HostFacts, JudgedRule, Rule, SelectorVerdict, judge_rules
from forensics.wording import plural

ON_IN_DEBIAN = "--collector.systemd"  # off upstream: a command line without it shows nothing


@dataclass(frozen=True, slots=True)
class _Asked:
    """A rule with what its selectors are judged by. selectors: without those within absent()."""

    found: Inventory
    prometheus: Prometheus
    judged: JudgedRule
    selectors: tuple[Selector, ...]

    @property
    def metrics(self) -> list[str]:
        return list(dict.fromkeys(selector.metric for selector in self.selectors if selector.metric))

    def count(self, selector: str) -> int | None:
        """Return how many series Prometheus has; null where that was not asked."""
        return next((series.count for series in self.prometheus.series or () if series.selector == selector), None)

    def verdict(self, metric: str) -> SelectorVerdict | None:
        return next((verdict for verdict in self.judged.verdicts if verdict.metric == metric), None)


def metric_links(found: Inventory, prometheus: Prometheus, rule: Rule, selectors: tuple[Selector, ...]) -> list[Link]:
    """Judge the links from the metric's name to the unit; those after a broken one cannot be judged."""
    recorded = dict.fromkeys(prometheus.recorded, "a recording rule")
    (judged,) = judge_rules([rule], HostFacts(recorded=recorded))
    asked = _Asked(found, prometheus, judged, tuple(selector for selector in selectors if not selector.absent))
    links: list[Link] = []
    for name, judge in STEPS.items():
        broken = next((link.link for link in links if link.holds is False), None)
        links += not_checked((name,), broken) if broken else (judge(asked),)
    return links


def _known(asked: _Asked) -> Link:
    """Judge by the series that Prometheus has, else by the catalogue of metric names."""
    missing = [verdict for verdict in asked.judged.verdicts if not asked.count(verdict.metric)]
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
        if verdict is None or not verdict.flag or asked.count(metric):
            continue
        if asked.count(f"{verdict.by}_build_info"):
            return Link(FLAG, False, f"{verdict.by} is scraped, but shows no {metric}: it needs {verdict.flag}")
        flags = asked.found.units.exporter_flags if asked.found.units is not None else None
        needed = [flag for flag in verdict.flag.split() if flag != ON_IN_DEBIAN]
        if flags is None or not needed:
            return Link(FLAG, None, f"whether {verdict.by} is started with {verdict.flag} is not known")
        lacking = [flag for flag in needed if flag not in flags]
        if lacking:
            return Link(FLAG, False, f"{verdict.by} is started without {' '.join(lacking)}")
    return Link(FLAG, True, "the exporter shows it, or needs no flag for it")


def _fed(asked: _Asked) -> Link:
    """Judge whether Prometheus has series of each metric."""
    if asked.prometheus.series is None:
        return Link(FED, None, asked.prometheus.problems.get("series", "a configuration does not show which series there are"))
    for metric in asked.metrics:
        if not asked.count(metric):
            return Link(FED, False, f"Prometheus has no series of {metric}{_down(asked.prometheus)}")
    counts = [f"{plural(asked.count(metric) or 0, 'series', 'series')} of {metric}" for metric in asked.metrics]
    return Link(FED, True, ", ".join(counts) or "it needs none")


def _down(prometheus: Prometheus) -> str:
    """Name the first target that is down: it may be the one that lacks."""
    down = next((target for target in prometheus.targets or () if target.is_up is False), None)
    if down is None:
        return ""
    return f"; its target {down.labels.get('job', '')} ({down.labels.get('instance', '')}) is down: {down.last_error}"


def _selects(asked: _Asked) -> Link:
    """Judge whether the selectors that can be about a unit are about the audited one."""
    lost = next((verdict for verdict in asked.judged.verdicts if verdict.verdict == NO_TARGET and not asked.count(verdict.metric)), None)
    if lost is not None:
        return Link(SELECTS, False, lost.why)
    verdicts = [_selects_unit(asked, selector) for selector in asked.selectors if selector.metric]
    decisive = next((verdict for holds in (False, True) for verdict in verdicts if verdict.holds is holds), None)
    return decisive or Link(SELECTS, None, f"whether {', '.join(asked.metrics) or 'it'} is about {asked.found.subject.unit} is not known")


def _selects_unit(asked: _Asked, selector: Selector) -> Link:
    metric, unit = selector.metric or "", asked.found.subject.unit
    if unit_label(metric):
        return _selects_by_name(asked, selector, unit_label(metric))
    if not metric.startswith(PER_TARGET) or asked.prometheus.targets is None:
        return Link(SELECTS, None, f"whether {metric} is about {unit} is not known")
    about = targets_of_unit(asked.found)
    if not about:
        return Link(SELECTS, False, f"no target of Prometheus is about {unit}")
    chosen = next((target for target in about if accepts(selector, target.labels) is not False), None)
    if chosen is None:
        return Link(SELECTS, False, f"{written(selector)} does not match the target {about[0].labels.get('instance', '')}")
    return Link(SELECTS, True, f"{written(selector)} matches the target {chosen.labels.get('instance', '')}")


def _selects_by_name(asked: _Asked, selector: Selector, label: str) -> Link:
    """Judge a metric whose series name units: by the unit's own series, else by the matchers on the name."""
    unit, shown = asked.found.subject.unit, written(selector)
    own = labels_of_unit(asked.prometheus, selector.metric or "")
    if own:
        holds = any(accepts(selector, labels) is not False for labels in own)
        return Link(SELECTS, holds, f"{shown} {'matches' if holds else 'does not match'} the series of {unit}")
    if asked.prometheus.series is not None:
        return Link(SELECTS, False, f"{selector.metric} has no series of {unit}: its exporter may leave the unit out")
    excluded = any(accepts_value(matcher, unit) is False for matcher in selector.matchers if matcher.label == label)
    return Link(SELECTS, not excluded, f"{shown} {'does not match' if excluded else 'matches'} the name {unit}")


STEPS: dict[str, Callable[[_Asked], Link]] = {KNOWN: _known, FLAG: _flag, FED: _fed, SELECTS: _selects}
