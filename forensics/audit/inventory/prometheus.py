"""Describe what a Prometheus has: rules, targets, Alertmanagers and the series of its rules, from prometheus.yml or a running server."""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from forensics.audit.inventory.yaml_tree import UnusableError, items, mapping, parse_tree, read_text, strings, text
from forensics.rules import Rule, RuleFiles, read_rules

MOST_FILES = 1000  # rule files
SCHEMES = ("http", "https")


@dataclass(frozen=True, slots=True)
class RuleState:
    """An alerting rule as it is loaded. last_error: of its evaluation, by a running server."""

    rule: Rule
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """A target of a scrape. probed: the address that a prober is asked for."""

    labels: Mapping[str, str]
    is_up: bool | None
    last_error: str = ""
    probed: str = ""
    module: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """How many series a selector has. labels: of the first few."""

    selector: str
    count: int
    labels: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AlertmanagerAddress:
    """An Alertmanager that Prometheus sends to. why_not: why it does not answer; null where that was not asked."""

    address: str
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class Prometheus:
    """What there is. problem: why nothing is known. null in a part: it could not be seen, for the reason in `problems`."""

    where: str
    is_running: bool
    problem: str = ""
    globs: tuple[str, ...] | None = None  # rule_files, as they are configured
    files: tuple[str, ...] = ()  # rule files that match them
    rules: tuple[RuleState, ...] | None = None  # alerting ones
    recorded: tuple[str, ...] = ()  # the metrics of recording rules
    mistakes: tuple[str, ...] = ()  # in rule files
    not_loaded: tuple[Rule, ...] = ()  # rules of the configuration that the running server has not
    alertmanagers: tuple[AlertmanagerAddress, ...] | None = None
    targets: tuple[Target, ...] | None = None
    external_labels: Mapping[str, str] = field(default_factory=dict)
    series: tuple[Series, ...] | None = None  # by selector
    notifications: Mapping[str, float] = field(default_factory=dict)  # prometheus_notifications_…: sent, errors, dropped
    problems: Mapping[str, str] = field(default_factory=dict)  # of parts that could not be seen


@dataclass(frozen=True, slots=True)
class Configuration:
    """The parts of prometheus.yml that an audit needs."""

    globs: tuple[str, ...]
    alertmanagers: tuple[AlertmanagerAddress, ...]
    targets: tuple[Target, ...]
    external_labels: Mapping[str, str]


def read_configuration(content: str) -> Configuration:
    """Read the text of a prometheus.yml. Raises UnusableError."""
    tree = parse_tree(content)
    jobs = items(tree.get("scrape_configs"))
    labels = mapping(mapping(tree.get("global")).get("external_labels"))
    return Configuration(
        globs=strings(tree.get("rule_files")),
        alertmanagers=tuple(AlertmanagerAddress(address) for address in _alertmanagers(mapping(tree.get("alerting")))),
        targets=tuple(target for job in jobs for target in _targets(mapping(job))),
        external_labels={name: text(value) for name, value in labels.items()},
    )


def read_prometheus(file: Path) -> Prometheus:
    """Describe what a prometheus.yml and its rule files would make Prometheus do."""
    try:
        configured = read_configuration(read_text(file))
    except UnusableError as error:
        return Prometheus(str(file), is_running=False, problem=str(error))
    files = matching_files(configured.globs, file.parent)
    loaded = read_rules(files) if files else RuleFiles()
    return Prometheus(
        where=str(file),
        is_running=False,
        globs=configured.globs,
        files=tuple(map(str, files)),
        rules=tuple(RuleState(rule) for rule in loaded.rules if rule.alert),
        recorded=tuple(sorted({rule.record for rule in loaded.rules if rule.record})),
        mistakes=tuple(map(str, loaded.mistakes)),
        alertmanagers=configured.alertmanagers,
        targets=configured.targets,
        external_labels=configured.external_labels,
    )


def matching_files(globs: tuple[str, ...], folder: Path) -> list[Path]:
    """List the rule files that the patterns match, relative to the folder of prometheus.yml."""
    found: dict[Path, None] = {}
    for pattern in globs:
        for name in sorted(glob.iglob(str(folder / pattern)))[:MOST_FILES]:  # noqa: PTH207 - a pattern may be absolute
            found.setdefault(Path(name))
    return list(found)[:MOST_FILES]


def _alertmanagers(alerting: Mapping[str, Any]) -> list[str]:
    """List the addresses that are written down; what a service discovery finds is not known without it."""
    found = []
    for group in map(mapping, items(alerting.get("alertmanagers"))):
        scheme, prefix = text(group.get("scheme")) or "http", text(group.get("path_prefix")).strip("/")
        found += [f"{scheme}://{target}/{prefix}".rstrip("/") for target in _static(group)]
        found += [f"found by {name}" for name in group if name.endswith("_sd_configs")]
    return found


def _static(group: Mapping[str, Any]) -> list[str]:
    return [target for static in items(group.get("static_configs")) for target in strings(mapping(static).get("targets"))]


def _targets(job: Mapping[str, Any]) -> list[Target]:
    """List the targets that are written down. A prober's path is /probe, and its targets are what it probes."""
    name = text(job.get("job_name"))
    module = next(iter(strings(mapping(job.get("params")).get("module"))), "")
    is_prober = bool(module) or text(job.get("metrics_path")).endswith("/probe")
    found = []
    for static in map(mapping, items(job.get("static_configs"))):
        labels = {"job": name, **{label: text(value) for label, value in mapping(static.get("labels")).items()}}
        for address in strings(static.get("targets")):
            shown = without_secrets(address)
            found.append(Target({**labels, "instance": shown}, None, probed=shown if is_prober else "", module=module))
    return found


def without_secrets(address: str) -> str:
    """Return an address without user, password, query and fragment."""
    try:
        parts = urlsplit(address)
        if parts.scheme not in SCHEMES:
            return address.rpartition("@")[2].partition("?")[0]
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
    except ValueError:
        return ""
