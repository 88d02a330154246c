"""Judge whether the selector of a rule can ever match a series: by the catalogue, by closed labels, by what a host has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from forensics.promql import Matcher, Selector, UnsupportedError
from forensics.rules.metric_names import Family, Metric, catalogue
from forensics.rules.near import continued, is_combination, nearest, typo_of
from forensics.sanitize import brief

KNOWN, DEAD, NO_TARGET = "known", "dead", "no target"
DEPENDS, NOT_COVERED, RECORDED = "depends on the host", "not covered", "recorded"
SCRAPE_METRICS = ("up", "scrape_")  # Prometheus makes them of each target
# programs of this field that serve no metrics, by the names that their jobs get (theroyallab/tabbyAPI, ollama/ollama: no /metrics)
WITHOUT_METRICS = {"tabbyapi": "TabbyAPI", "ollama": "Ollama"}
_HALF_OPEN = ("node_", "prometheus_")  # others make names that begin so, but nobody misspells one on purpose
_BEGINNING = re.compile(r"(?:[a-zA-Z0-9_:](?![*?{]))*")  # of a pattern: what it matches literally
_UNIT_LABELS = {"node_systemd_": "name", "systemd_": "name", "tabby_forensics_": "unit"}


@dataclass(frozen=True, slots=True)
class HostFacts:
    """What is known about the host and its Prometheus; None where it is not known. recorded: names of recording rules, with their place."""

    units: frozenset[str] | None = None
    jobs: frozenset[str] | None = None
    jobs_from: str = ""  # the configuration that the jobs are of
    recorded: Mapping[str, str] = field(default_factory=dict)
    never_recorded: Mapping[str, str] = field(default_factory=dict)  # by rules that can never give a result: why


@dataclass(frozen=True, slots=True)
class SelectorVerdict:
    """Whether a selector can match. near: the three nearest real metrics, best first; flag: that the metric, or the nearest, needs."""

    verdict: str
    metric: str
    why: str
    near: tuple[str, ...] = ()
    flag: str = ""
    by: str = ""  # the exporter
    absent: bool = False  # within absent()


def verdict_on(selector: Selector, hosts: HostFacts, *, counter: bool = False) -> SelectorVerdict:
    """Judge one selector. counter: it is used in rate() or increase()."""
    name = selector.metric
    if name is None:
        return _unnamed(selector)
    by_name = _by_name(name, selector, hosts, counter=counter)
    if by_name.verdict == DEAD:
        return by_name
    metric = catalogue().get(name)
    why = _closed_label(selector, metric) if metric is not None else ""
    why = why or _missing_unit(selector, hosts)
    if why:
        return SelectorVerdict(DEAD, name, why, by=by_name.by, absent=selector.absent)
    if why := _missing_target(selector, hosts):
        return SelectorVerdict(NO_TARGET, name, why, by=by_name.by, absent=selector.absent)
    return by_name


def _by_name(name: str, selector: Selector, hosts: HostFacts, *, counter: bool) -> SelectorVerdict:
    """Judge a selector by its metric alone."""
    verdict = _as_recorded(name, hosts) or _as_catalogued(name) or _as_dead(name, counter=counter) or _as_uncovered(name, counter=counter)
    return replace(verdict, absent=selector.absent)


def _as_recorded(name: str, hosts: HostFacts) -> SelectorVerdict | None:
    if name in hosts.never_recorded:
        return SelectorVerdict(DEAD, name, hosts.never_recorded[name])
    if name in hosts.recorded:
        return SelectorVerdict(RECORDED, name, f"recorded by {hosts.recorded[name]}")
    return None


def _as_catalogued(name: str) -> SelectorVerdict | None:
    metric = catalogue().get(name)
    if metric is None:
        return None
    needs = f", with {metric.flag}" if metric.flag else ""
    until = f"; only up to version {metric.until}" if metric.until else ""
    return SelectorVerdict(KNOWN, name, f"a metric of {metric.by}{needs}{until}", flag=metric.flag, by=metric.by)


def _as_dead(name: str, *, counter: bool) -> SelectorVerdict | None:
    family = catalogue().family(name)
    why = _no_such_metric(name, family)
    if not why:
        return None
    near = nearest(name, counter=counter or catalogue().gone.get(name, ("", "", ""))[2] == "counter")
    return SelectorVerdict(DEAD, name, why, near, _flag(near), family.by if family else "")


def _no_such_metric(name: str, family: Family | None) -> str:
    """Say why no exporter has a name; "" where one may.

    In a closed family that is certain of a misspelling and of a new combination of its words. With a word that is in none of its names it
    may be of a newer version, or of somebody who borrowed the prefix.
    """
    if name in catalogue().gone:
        by, until, _ = catalogue().gone[name]
        return f"{by} has no such metric: it was removed or renamed after version {until}"
    if family is not None and family.kind == "closed" and (is_combination(name) or typo_of(name)):
        return f"{family.by} has no such metric"
    if family is None and name.startswith(_HALF_OPEN) and (meant := catalogue().get(typo_of(name))):
        return f"{meant.by} has no such metric"
    return ""


def _as_uncovered(name: str, *, counter: bool) -> SelectorVerdict:
    family = catalogue().family(name)
    kind, by = (family.kind, family.by) if family is not None else ("", "")
    if family is not None and kind == "closed":
        near = nearest(name, counter=counter)
        return SelectorVerdict(NOT_COVERED, name, f"{by} has no such metric; another exporter or a script may", near, _flag(near), by)
    if family is not None and kind == "open":
        why = f"names that begin with {family.prefix} depend on the host{f': {by}' if by else ''}"
        return SelectorVerdict(DEPENDS, name, why, near := continued(name), _flag(near))
    if name.startswith("node_") and not kind:
        return SelectorVerdict(DEPENDS, name, "no collector of node_exporter has it; a file of its textfile collector may")
    if ":" in name:
        return SelectorVerdict(NOT_COVERED, name, "looks like the result of a recording rule, which is not in these files")
    return SelectorVerdict(NOT_COVERED, name, f"of an exporter that is not in the catalogue{f' ({by})' if by else ''}")


def _flag(near: tuple[str, ...]) -> str:
    first = catalogue().get(near[0]) if near else None
    return first.flag if first is not None else ""


def _closed_label(selector: Selector, metric: Metric) -> str:
    """Say which label can never have the value that is asked for; "" where each can."""
    for label, values in metric.labels.items():
        asked = [matcher for matcher in selector.matchers if matcher.label == label]
        if values is None or not asked or any(all(_accepts(matcher, value) for matcher in asked) for value in values):
            continue
        wanted = ", ".join(f"{matcher.label}{matcher.operator}'{brief(matcher.value, 60)}'" for matcher in asked)
        return f"no series has {wanted}: {label} of {metric.name} is {_alternatives(values)}"
    for matcher in selector.matchers:
        if matcher.operator == "=" and matcher.value in metric.never.get(matcher.label, ()):
            return f"no series has {matcher.label}='{matcher.value}': {matcher.label} of {metric.name} is something else"
    return ""


def _missing_unit(selector: Selector, hosts: HostFacts) -> str:
    label = next((label for start, label in _UNIT_LABELS.items() if (selector.metric or "").startswith(start)), "")
    asked = [matcher for matcher in selector.matchers if matcher.label == label]
    if not asked or hosts.units is None or any(all(_accepts(matcher, unit) for matcher in asked) for unit in hosts.units):
        return ""
    return f"the host has no unit with {label}{asked[0].operator}'{brief(asked[0].value, 60)}'"


def _missing_target(selector: Selector, hosts: HostFacts) -> str:
    asked = [matcher for matcher in selector.matchers if matcher.label == "job"]
    if not asked:
        return ""
    wanted = f"job{asked[0].operator}'{brief(asked[0].value, 60)}'"
    if hosts.jobs is not None:
        if any(all(_accepts(matcher, job) for matcher in asked) for job in hosts.jobs):
            return ""
        return f"no target can have {wanted}: the jobs of {hosts.jobs_from} are {_alternatives(tuple(sorted(hosts.jobs)))}"
    job = asked[0].value.lower().replace("-", "").replace("_", "") if asked[0].operator == "=" else ""
    if job in WITHOUT_METRICS and (selector.metric or "").startswith(SCRAPE_METRICS):
        program = WITHOUT_METRICS[job]
        return (
            f"no target can have {wanted}: {program} serves no /metrics, so that Prometheus cannot scrape it; probe it "
            "(blackbox_exporter: probe_success) or name the job of another exporter (--prometheus-config tells which there are)"
        )
    return ""


def _unnamed(selector: Selector) -> SelectorVerdict:
    """Judge a selector by a pattern of names: dead only where each name that it lists is."""
    asked = [matcher for matcher in selector.matchers if matcher.label == "__name__"]
    shown = brief(asked[0].value, 60) if asked else ""
    if asked and any(all(_accepts(matcher, name) for matcher in asked) for name in _names_like(asked[0])):
        return SelectorVerdict(KNOWN, shown, "the pattern matches metrics of the catalogue", absent=selector.absent)
    return SelectorVerdict(NOT_COVERED, shown, "selects by labels or by a pattern of names", absent=selector.absent)


def _names_like(matcher: Matcher) -> Iterator[str]:
    """Yield the names that a pattern can match by what it begins with."""
    found = _BEGINNING.match(matcher.value) if matcher.operator == "=~" and "|" not in matcher.value else None
    return (name for name in catalogue().rows if name.startswith(found[0] if found else ""))


def _accepts(matcher: Matcher, value: str) -> bool:
    try:
        return matcher.accepts(value)
    except UnsupportedError:
        return True  # a pattern that cannot be evaluated here may match


def _alternatives(values: tuple[str, ...]) -> str:
    shown = [repr(brief(value, 60)) for value in values if value][:20]
    more = f", … ({len(values)} in all)" if len(values) > len(shown) + 1 else ""
    return ", ".join(shown[:-1]) + f" or {shown[-1]}" + more if len(shown) > 1 else "".join(shown) or "empty"
