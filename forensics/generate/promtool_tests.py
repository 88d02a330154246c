"""Write unit tests for promtool: series of the real incident, when the rules fire in it and when they do not, in Prometheus 2 and 3."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from forensics.generate.notation import notation
from forensics.generate.yaml_text import yaml_text
from forensics.promql import Firing, Scraped, Scrapes, StepSeries, Vector, evaluate, firings, parse
from forensics.rules import Rule

VERSIONS = (2, 3)
QUIET_CHECKS = 8  # of a rule in an excerpt in which it does not fire
MOST_STEPS = 12  # evaluations after the first firing among which a time is looked for at which both versions show the same texts
_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_VALUE = '{{ $value | printf "%.0f" }}'


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A stretch of history, in seconds since 1970, with the series that the rules select."""

    name: str
    since: float
    until: float
    series: Sequence[StepSeries]


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as promtool compares it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Check:
    """Which alerts of this name fire at one time of an excerpt."""

    alert: str
    at: float
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Followed:
    """A rule in one version of Prometheus, at each step."""

    rule: Rule
    vectors: Sequence[Vector]
    fired: Sequence[Firing]


def promtool_text(head: str, rule_file: str, tests: Iterable[dict[str, Any]], interval_s: float) -> str:
    """Write the file. head: comments; rule_file: its name beside this file."""
    return head + yaml_text({"rule_files": [rule_file], "evaluation_interval": f"{interval_s:g}s", "tests": list(tests)})


def excerpt_test(excerpt: Excerpt, rules: Sequence[Rule], interval_s: float) -> dict[str, Any]:
    """Make the test of one excerpt: every rule is checked a scrape before and after it first fires, or all along where it does not."""
    moved = [replace(series, times=np.asarray(series.times) - excerpt.since) for series in excerpt.series]
    steps = np.arange(0.0, excerpt.until - excerpt.since + interval_s / 2, interval_s)
    scraped = Scraped(moved, Scrapes(0.0, float(steps[-1]), interval_s))
    by_name: dict[str, list[Rule]] = {}
    for rule in rules:
        by_name.setdefault(rule.alert, []).append(rule)
    checks = [check for name, named in by_name.items() for check in _checks(name, named, scraped, steps, interval_s)]
    return {
        "name": excerpt.name,
        "interval": f"{interval_s:g}s",
        "input_series": [{"series": selector(series), "values": notation(sampled(series, steps))} for series in moved],
        "alert_rule_test": [_alert_test(check) for check in sorted(checks, key=lambda check: (check.at, check.alert))],
    }


def selector(series: StepSeries) -> str:
    """Write a series as PromQL selects it."""
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(series.labels.items()))
    return f"{series.name}{{{labels}}}"


def sampled(series: StepSeries, steps: np.ndarray) -> list[float | None]:
    """Return what each scrape shows; None before the series begins and where it is not shown."""
    position = np.searchsorted(series.times, steps, side="right") - 1
    values = np.where(position >= 0, np.asarray(series.values)[np.maximum(position, 0)], np.nan)
    return [None if np.isnan(value) else float(value) for value in values]


def rendered(text: str, labels: Mapping[str, str], value: float) -> str:
    """Fill in an annotation as Prometheus does; only the two forms of the generated rules are known."""
    return _LABEL.sub(lambda found: labels.get(found[1], ""), text).replace(_VALUE, f"{value:.0f}")


def _checks(name: str, rules: Sequence[Rule], scraped: Scraped, steps: np.ndarray, interval_s: float) -> Iterator[Check]:
    """Yield checks of the rules with one name that hold in all versions."""
    versions = [[_followed(rule, scraped, steps, interval_s, version) for rule in rules] for version in VERSIONS]
    times: set[int] = set()
    for of_rule in zip(*versions, strict=True):
        times |= _times(of_rule, steps)
    for number in sorted(times):
        shown = [_alerts(followed, float(steps[number]), number) for followed in versions]
        if all(alerts == shown[0] for alerts in shown):
            yield Check(name, float(steps[number]), shown[0])


def _followed(rule: Rule, scraped: Scraped, steps: np.ndarray, interval_s: float, version: int) -> Followed:
    vectors = evaluate(parse(rule.expr), scraped, steps, version=version)
    return Followed(rule, vectors, firings(vectors, steps, hold_s=rule.hold_s, interval=interval_s))


def _times(of_rule: Sequence[Followed], steps: np.ndarray) -> set[int]:
    """Choose the steps at which a rule is checked: a scrape or more before it fires in any version, and after it fires in all of them."""
    firsts = [followed.fired[0].fires for followed in of_rule if followed.fired]
    positions = [int(np.searchsorted(steps, time)) for time in firsts if time is not None]
    if not positions:
        return set(range(len(steps))[:: max(1, len(steps) // QUIET_CHECKS)][1:])
    before, after = min(positions) - 1, max(positions) + 1
    agreeing = (number for number in range(after, min(after + MOST_STEPS, len(steps))) if _agree(of_rule, float(steps[number]), number))
    return {before} & set(range(len(steps))) | set(islice(agreeing, 1) if len(positions) == len(VERSIONS) else ())


def _agree(of_rule: Sequence[Followed], at: float, number: int) -> bool:
    shown = [_alerts([followed], at, number) for followed in of_rule]
    return bool(shown[0]) and all(alerts == shown[0] for alerts in shown)


def _alerts(followed: Sequence[Followed], at: float, number: int) -> tuple[Alert, ...]:
    """Return the alerts of some rules that fire at a step."""
    return tuple(alert for one in followed for alert in _alerts_of(one, at, number))


def _alerts_of(followed: Followed, at: float, number: int) -> Iterator[Alert]:
    rule = followed.rule
    for one in followed.fired:
        if one.fires is None or one.fires > at or (one.resolves is not None and at >= one.resolves):
            continue
        values = [vector.values[number] for vector in followed.vectors if vector.present[number] and _without_name(vector) == one.labels]
        texts = {name: rendered(text, one.labels, values[0]) for name, text in rule.annotations.items()} if values else {}
        yield Alert({**one.labels, **rule.labels}, texts)


def _without_name(vector: Vector) -> dict[str, str]:
    return {name: value for name, value in vector.labels.items() if name != "__name__"}


def _alert_test(check: Check) -> dict[str, Any]:
    alerts = [{"exp_labels": dict(alert.labels), "exp_annotations": dict(alert.annotations)} for alert in check.alerts]
    return {"eval_time": f"{check.at:g}s", "alertname": check.alert, "exp_alerts": alerts}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
