"""Ask a running Alertmanager what it does with alerts: its HTTP API v2 and its own metrics. Nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forensics.audit.inventory.alertmanager import Alertmanager, Sent, Silence
from forensics.audit.inventory.metrics_text import samples
from forensics.audit.inventory.prometheus_server import why_not_ready
from forensics.audit.inventory.yaml_tree import items, mapping, text
from forensics.errors import UsageError
from forensics.promql import Matcher
from forensics.replay.alertmanager import parse_routing
from forensics.web import NoAnswerError, Server

MOST_SILENCES = 1000
# Of each attempt to send, since Alertmanager 0.22; the older counters move only once all attempts are over.
REQUESTS, NOTIFICATIONS = "alertmanager_notification_requests", "alertmanager_notifications"
OPERATORS = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}  # isEqual, isRegex


def ask_alertmanager(server: Server) -> Alertmanager:
    """Describe what a running Alertmanager has."""
    problems: dict[str, str] = {}
    try:
        routing = parse_routing(_configuration(server), Path(server.where))
    except (NoAnswerError, UsageError) as error:
        return Alertmanager(server.where, is_running=True, problem=str(error).rstrip("."))
    silences = sent = None
    try:
        silences = _silences(server)
    except NoAnswerError as error:
        problems["silences"] = str(error)
    try:
        sent = sent_since_start(server)
    except NoAnswerError as error:
        problems["sent"] = str(error)
    return Alertmanager(server.where, True, "", routing, silences, why_not_ready(server), sent, problems)


def _configuration(server: Server) -> str:
    original = text(mapping(mapping(server.json("/api/v2/status")).get("config")).get("original"))
    if not original:
        raise NoAnswerError("answers JSON, but not as Alertmanager does")
    return original


def sent_since_start(server: Server) -> tuple[Sent, ...]:
    """Count what each kind of integration was given, and what of it failed. Raises NoAnswerError."""
    names = tuple(f"{family}{suffix}_total" for family in (REQUESTS, NOTIFICATIONS) for suffix in ("", "_failed"))
    found = samples(server.text("/metrics"), names)
    family = REQUESTS if any(sample.name.startswith(REQUESTS) for sample in found) else NOTIFICATIONS
    counts: dict[str, list[float]] = {}
    for sample in found:
        if sample.name in {f"{family}_total", f"{family}_failed_total"}:
            count = counts.setdefault(sample.labels.get("integration", ""), [0.0, 0.0])
            count[sample.name.endswith("_failed_total")] += sample.value
    return tuple(Sent(integration, *counts[integration]) for integration in sorted(counts))


def _silences(server: Server) -> tuple[Silence, ...]:
    found = server.json("/api/v2/silences")
    active = [each for each in map(mapping, items(found)) if mapping(each.get("status")).get("state") == "active"]
    return tuple(
        Silence(tuple(map(_matcher, map(mapping, items(each.get("matchers"))))), text(each.get("endsAt")), text(each.get("comment")))
        for each in active[:MOST_SILENCES]
    )


def _matcher(matcher: Mapping[str, Any]) -> Matcher:
    kind = (matcher.get("isEqual") is not False, bool(matcher.get("isRegex")))
    return Matcher(text(matcher.get("name")), OPERATORS[kind], text(matcher.get("value")))
