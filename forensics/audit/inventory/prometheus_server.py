"""Ask a running Prometheus what it has: its HTTP API v1 and its own metrics. Nothing is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from forensics.audit.inventory.metrics_text import samples
from forensics.audit.inventory.prometheus import (
    AlertmanagerAddress,
    Prometheus,
    RuleState,
    Series,
    Target,
    read_configuration,
    without_secrets,
)
from forensics.audit.inventory.selectors import to_count
from forensics.audit.inventory.yaml_tree import UnusableError, items, mapping, number, text
from forensics.rules import Rule
from forensics.web import NoAnswerError, Server, ask_each, is_url

MOST_TARGETS, MOST_LABELS, MOST_ALERTMANAGERS = 5000, 20, 3
# what tells that an exporter is scraped, whatever its collectors are
EXPORTERS = ("node_exporter_build_info", "systemd_exporter_build_info")
PER_QUERY = 40  # selectors counted in one query
READY = "/-/ready"
READY_S = 2.0  # for an Alertmanager that Prometheus names
OTHER_PROGRAM = "answers JSON, but not as Prometheus does"

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class _Client:
    """A server, and which parts of it could not be seen."""

    server: Server
    problems: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> dict[str, Any]:
        """Return `data` of an answer of the API. Raises NoAnswerError."""
        answer = self.server.json(f"/api/v1/{path}")
        found = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise NoAnswerError(OTHER_PROGRAM)
        return found

    def part(self, name: str, ask: Callable[[], Part]) -> Part | None:
        """Ask for one part; null where there is no answer, with the reason in `problems`."""
        try:
            return ask()
        except (NoAnswerError, UnusableError) as error:
            self.problems[name] = str(error)
            return None


def ask_prometheus(server: Server, unit: str) -> Prometheus:
    """Describe what a running Prometheus has. unit: whose series are kept with their labels."""
    client = _Client(server)
    try:
        groups = _groups(client)
    except NoAnswerError as error:
        return Prometheus(server.where, is_running=True, problem=str(error))
    rules = [
        _rule(mapping(group), mapping(rule), f"{server.where}, group {text(mapping(group).get('name'))}, rule {number}")
        for group in groups
        for number, rule in enumerate(items(mapping(group).get("rules")), 1)
    ]
    alerting = tuple(state for state in rules if state.rule.alert)
    configured = client.part("configuration", lambda: read_configuration(text(client.get("status/config").get("yaml"))))
    targets = client.part("targets", lambda: _targets(client))
    series = client.part("series", lambda: _series(client, [state.rule for state in alerting], unit))
    notifications = client.part("notifications", lambda: _notifications(client))
    return Prometheus(
        where=server.where,
        is_running=True,
        globs=configured.globs if configured else None,
        files=tuple(sorted({text(mapping(group).get("file")) for group in groups})),
        rules=alerting,
        recorded=tuple(sorted({state.rule.record for state in rules if state.rule.record})),
        alertmanagers=client.part("alertmanagers", lambda: _alertmanagers(client)),
        targets=targets,
        external_labels=configured.external_labels if configured else {},
        series=series,
        notifications=notifications or {},
        problems=client.problems,
    )


def _groups(client: _Client) -> list[Any]:
    groups = client.get("rules").get("groups")
    if not isinstance(groups, list):
        raise NoAnswerError(OTHER_PROGRAM)
    return groups


def _rule(group: Mapping[str, Any], rule: Mapping[str, Any], source: str) -> RuleState:
    is_alert = rule.get("type") == "alerting"
    labels, annotations = ({name: text(value) for name, value in mapping(rule.get(part)).items()} for part in ("labels", "annotations"))
    read = Rule(
        expr=text(rule.get("query")),
        alert=text(rule.get("name")) if is_alert else "",
        record="" if is_alert else text(rule.get("name")),
        hold_s=number(rule.get("duration")) or 0.0,
        keep_firing_s=number(rule.get("keepFiringFor")) or 0.0,
        labels=labels,
        annotations=annotations,
        group=text(group.get("name")),
        interval_s=number(group.get("interval")),
        file=text(group.get("file")),
        source=source,
    )
    return RuleState(read, text(rule.get("lastError")))


def _alertmanagers(client: _Client) -> tuple[AlertmanagerAddress, ...]:
    """List the Alertmanagers that are discovered, and ask the first few whether they are ready: Prometheus lists dead ones as active."""
    found = [text(mapping(each).get("url")) for each in items(client.get("alertmanagers").get("activeAlertmanagers"))]
    addresses = [without_secrets(url).removesuffix("/api/v2/alerts").removesuffix("/api/v1/alerts") for url in found if is_url(url)]
    left_s = min(READY_S, client.server.left_s)
    reasons = ask_each(addresses[:MOST_ALERTMANAGERS], READY, left_s) if left_s > 0 else {}
    return tuple(AlertmanagerAddress(address, reasons.get(address)) for address in addresses)


def why_not_ready(server: Server) -> str:
    """Return why a server of Prometheus' family is not ready; "" where it is."""
    try:
        server.text(READY)
    except NoAnswerError as error:
        return str(error)
    return ""


def _targets(client: _Client) -> tuple[Target, ...]:
    found = []
    for each in map(mapping, items(client.get("targets?state=active").get("activeTargets"))[:MOST_TARGETS]):
        discovered = mapping(each.get("discoveredLabels"))
        labels = {name: without_secrets(text(value)) for name, value in mapping(each.get("labels")).items()}
        is_up = {"up": True, "down": False}.get(text(each.get("health")))
        probed = without_secrets(
            text(discovered.get("__param_target")) or (labels.get("instance", "") if "__param_module" in discovered else "")
        )
        found.append(Target(labels, is_up, text(each.get("lastError")), probed, text(discovered.get("__param_module"))))
    return tuple(found)


def _series(client: _Client, rules: Iterable[Rule], unit: str) -> tuple[Series, ...]:
    """Count the series of each metric and selector of the rules; of the unit's own keep the labels too."""
    metrics, selectors = to_count(rules)
    wanted = list(dict.fromkeys([*metrics, *EXPORTERS, *selectors]))
    counts = [0] * len(wanted)
    for start in range(0, len(wanted), PER_QUERY):
        batch = enumerate(wanted[start : start + PER_QUERY], start)
        parts = [f'label_replace(count({selector}), "n", "{number}", "", "")' for number, selector in batch]
        for result in _query(client, " or ".join(parts)):
            at, value = text(mapping(result.get("metric")).get("n")), items(result.get("value"))
            if at.isdecimal() and int(at[:9]) < len(counts) and len(value) == 2:
                counts[int(at)] = int(number(value[1]) or 0)
    fed = [metric for metric, count in zip(wanted, counts, strict=True) if count and metric in metrics]
    labels = _labels_of_unit(client, fed, unit)
    return tuple(Series(selector, count, labels.get(selector, ())) for selector, count in zip(wanted, counts, strict=True))


def _labels_of_unit(client: _Client, metrics: list[str], unit: str) -> dict[str, tuple[Mapping[str, str], ...]]:
    """Return the labels of the series that name the unit in `name` or `unit`, by metric."""
    if not metrics:
        return {}
    name = unit.replace("\\", "\\\\").replace('"', '\\"')
    which = f'__name__=~"{"|".join(metrics)}"'
    found: dict[str, tuple[Mapping[str, str], ...]] = {}
    for result in _query(client, f'{{{which}, name="{name}"}} or {{{which}, unit="{name}"}}'):
        labels = {label: text(value) for label, value in mapping(result.get("metric")).items()}
        metric = labels.pop("__name__", "")
        if len(found.get(metric, ())) < MOST_LABELS:
            found[metric] = (*found.get(metric, ()), labels)
    return found


def _query(client: _Client, expression: str) -> list[dict[str, Any]]:
    return [mapping(result) for result in items(client.get(f"query?query={quote(expression)}").get("result"))]


def _notifications(client: _Client) -> dict[str, float]:
    names = ("sent", "errors", "dropped")
    found = samples(client.server.text("/metrics"), tuple(f"prometheus_notifications_{name}_total" for name in names))
    return {name: sum(sample.value for sample in found if f"_{name}_" in sample.name) for name in names}
