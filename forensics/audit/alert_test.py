"""Send one test alert to Alertmanager on request, wait until it is delivered, and resolve it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from forensics.audit.checks.alert_labels import alert_labels
from forensics.audit.checks.routing import receivers_of, routes_of
from forensics.audit.checks.rule_chain import all_rules, rule_chains
from forensics.audit.checks.served import served
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.alertmanager import AlertTest
from forensics.audit.inventory.alertmanager_server import sent_since_start
from forensics.web import NoAnswerError, Server
from forensics.wording import duration

NAME = "TabbyForensicsTestAlert"
LONGER_S = 10.0  # than the route's group_wait
EVERY_S = 0.5
LASTS_S = 600.0  # in case this program is killed before it resolves the alert


@dataclass(frozen=True, slots=True)
class _Counts:
    sent: float
    failed: float


def send_test_alert(found: Inventory, url: str, token: str, notice: Callable[[str], object]) -> AlertTest:
    """Post an alert with the labels of the rule that gets furthest, under a name of its own, and watch the receiver's counters."""
    alertmanager, labels = found.alertmanager, labels_of_test(found)
    if alertmanager is None or alertmanager.routing is None:
        return AlertTest(None, "no test alert was sent: Alertmanager's routes are not known")
    receivers = receivers_of(alertmanager.routing, labels)
    kinds = {kind for of_receiver in receivers.values() for kind in of_receiver}
    names = ", ".join(f"'{name}'" for name in receivers)
    if not kinds:
        return AlertTest(False, f"no test alert was sent: {names} has no integration")
    wait_s = max(route.group_wait_s for route in routes_of(alertmanager.routing.root, labels)) + LONGER_S
    notice(f"sending {NAME} to {names}; waiting up to {duration(wait_s)} for its delivery")
    started = datetime.now(UTC)
    try:
        before = _counted(url, token, kinds)
        _post(url, token, labels, started, started + timedelta(seconds=LASTS_S))
    except NoAnswerError as error:
        return AlertTest(None, f"no test alert could be sent: {alertmanager.where} {error}")
    try:
        return _outcome(url, token, kinds, before, wait_s, names)
    finally:
        _resolve(url, token, labels, started, notice)


def labels_of_test(found: Inventory) -> dict[str, str]:
    """Return the labels of the alert that the rule that gets furthest would raise, so that the test goes the same way."""
    rules = all_rules(found)
    chains = rule_chains(found, rules, "about failures")
    labels = {"severity": "critical", "unit": found.subject.unit}
    if rules and found.prometheus is not None and len(chains) == len(rules):
        best = max(range(len(rules)), key=lambda at: chains[at].rank)
        labels = alert_labels(served(found, found.prometheus), rules[best])[0]
    return {**labels, "alertname": NAME}


def _outcome(url: str, token: str, kinds: set[str], before: _Counts, wait_s: float, names: str) -> AlertTest:
    """Wait until the counters of the receiver's integrations move."""
    until = time.monotonic() + wait_s
    while time.monotonic() < until:
        time.sleep(EVERY_S)
        try:
            now = _counted(url, token, kinds)
        except NoAnswerError as error:
            return AlertTest(None, f"the test alert was sent; whether it was delivered cannot be seen: {error}")
        if now.sent - now.failed > before.sent - before.failed:
            return AlertTest(True, f"the test alert was delivered to {names}")
        if now.failed > before.failed:
            return AlertTest(False, f"the test alert could not be delivered to {names}: Alertmanager's log names the error")
    late = f"the test alert was not delivered to {names} within {duration(wait_s)}"
    return AlertTest(None, f"{late}; where other alerts of its group fire, Alertmanager waits for group_interval")


def _counted(url: str, token: str, kinds: set[str]) -> _Counts:
    sent = [each for each in sent_since_start(Server(url, token)) if each.integration in kinds]
    return _Counts(sum(each.count for each in sent), sum(each.failed for each in sent))


def _post(url: str, token: str, labels: Mapping[str, str], starts: datetime, ends: datetime) -> None:
    """Post the alert, always with startsAt and annotations: a resolving post without them wipes them."""
    alert: dict[str, Any] = {
        "labels": dict(labels),
        "annotations": {"summary": "A test by tabby-forensics audit --send-test-alert: nothing is wrong."},
        "startsAt": starts.isoformat(),
        "endsAt": ends.isoformat(),
    }
    Server(url, token).post("/api/v2/alerts", [alert])


def _resolve(url: str, token: str, labels: Mapping[str, str], started: datetime, notice: Callable[[str], object]) -> None:
    try:
        _post(url, token, labels, started, datetime.now(UTC))
    except NoAnswerError as error:
        notice(f"{NAME} could not be resolved ({error}); Alertmanager resolves it within {duration(LASTS_S)}")
