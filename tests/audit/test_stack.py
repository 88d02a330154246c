"""Against a real Prometheus, Alertmanager and node_exporter: each link is broken once, and exactly that link is named."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from forensics.audit import audit
from forensics.audit.alert_test import NAME, send_test_alert
from forensics.audit.checks.chain import status_of
from forensics.audit.checks.rule_chain import all_rules, rule_chains
from forensics.audit.inventory.dump import as_json, read_json
from forensics.audit.inventory.found import Inventory
from forensics.audit.inventory.gather import Asked, gather
from forensics.web import Server
from tests.audit import effective as e
from tests.audit.stack import RULES, rule_text, running_stack
from tests.servers import NEEDS_PROMETHEUS, http_get, wait_for

pytestmark = [
    *NEEDS_PROMETHEUS,
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus-node-exporter") is None, reason="prometheus-node-exporter is not installed"),
]
BROKEN = {
    "Sound": [],
    "CannotBeEvaluated": ["loaded"],
    "DeadMetric": ["metric known"],
    "FlagIsOff": ["exporter flag on"],
    "NotScraped": ["fed"],
    "OtherUnit": ["selects this unit"],
    "NeverFires": ["replay fires"],
    "ToNobody": ["routed to a receiver"],
    "Silenced": ["not silenced"],
    "NotDelivered": ["delivered"],
    "Probe": [],
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """The stack, once every alert that fires has reached its receiver: service discovery takes Prometheus five seconds."""
    with running_stack(tmp_path_factory.mktemp("stack")) as made:
        _silence(made, "Silenced")
        wait_for(lambda: _found(made).prometheus.alertmanagers)
        wait_for(lambda: all(_count(_found(made), name) for name in ("probe_success", "node_systemd_service_restart_total")))
        wait_for(lambda: {"webhook", "slack"} <= {sent.integration for sent in _found(made).alertmanager.sent if sent.count})
        wait_for(lambda: any(state.last_error for state in _found(made).prometheus.rules))
        yield made


def _found(stack, *, files=()) -> Inventory:
    asked = Asked(prometheus=(*files, stack.prometheus), alertmanager=stack.alertmanager)
    found = gather(asked, e.SUBJECT, e.JOURNAL)
    rules = all_rules(found)
    replayed = [
        e.never(rule.alert, "never", source=rule.source) if rule.alert == "NeverFires" else e.fires(rule.alert, source=rule.source)
        for rule in rules
    ]
    return replace(found, journal=replace(found.journal, replayed=tuple(replayed)), units=replace(e.units(), exporter_flags=None))


def _count(found, metric):
    return next((series.count for series in found.prometheus.series if series.selector == metric), 0)


def _silence(stack, alert):
    now = datetime.now(UTC)
    silence = {
        "matchers": [{"name": "alertname", "value": alert, "isRegex": False}],
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
        "createdBy": "test",
        "comment": "a holiday",
    }
    Server(stack.alertmanager).post("/api/v2/silences", silence)


def _broken(found):
    """Alert → the links that do not hold."""
    chains = {chain.about: chain for chain in rule_chains(found, all_rules(found), "about failures")}
    return {name: [link.link for link in chain.links if link.holds is False] for name, chain in chains.items()}


@pytest.mark.parametrize("alert", BROKEN)
def test_exactly_the_broken_link_is_named(stack, alert):
    found = _found(stack)
    assert _broken(found)[alert] == BROKEN[alert]


def test_a_rule_is_effective_when_each_link_is_proven(stack):
    found = _found(stack)
    (chain,) = [chain for chain in rule_chains(found, all_rules(found), "") if chain.about == "Sound"]
    assert status_of(chain) == "effective", chain
    statuses = {control.id: control.status for control in audit(found)}
    assert (statuses["alert-rules"], statuses["restart-count"], statuses["health-check"]) == ("effective",) * 3


def test_no_address_of_a_receiver_is_in_the_dump_and_it_audits_the_same(stack, tmp_path):
    found = _found(stack)
    dumped = as_json(found)
    assert "4eC39HqLyjWDarjtT1zdp7dc" not in dumped
    assert "/services/" not in dumped
    (tmp_path / "dump.json").write_text(dumped)
    assert audit(read_json(tmp_path / "dump.json", Inventory)) == audit(found)


def test_a_rule_that_only_the_file_has_is_not_loaded(stack):
    """Neither a new one, nor one that has changed since Prometheus loaded it."""
    stack.rules.write_text(
        rule_text(RULES).replace("probe_success == 0", "probe_success  ==  0").replace("> 2e9", "> 3e9")
        + "      - alert: Later\n        expr: up == 0\n        labels: {severity: critical}\n"
    )
    try:
        found = _found(stack, files=(str(stack.configuration),))
    finally:
        stack.rules.write_text(rule_text(RULES))
    chains = rule_chains(found, found.prometheus.not_loaded, "")
    assert [(chain.about, [link.link for link in chain.links if link.holds is False]) for chain in chains] == [
        ("NeverFires", ["loaded"]),
        ("Later", ["loaded"]),
    ]


def test_a_test_alert_reaches_the_receiver_and_is_resolved(stack):
    outcome = send_test_alert(_found(stack), stack.alertmanager, "", lambda _: None)
    assert (outcome.holds, outcome.text) == (True, "the test alert was delivered to 'phone'")
    wait_for(lambda: {"firing", "resolved"} <= _statuses_of_test(stack), seconds=20)


def _statuses_of_test(stack):
    alerts = [alert for body in stack.phone.got for alert in body["alerts"] if alert["labels"]["alertname"] == NAME]
    assert {alert["annotations"]["summary"] for alert in alerts} == {"A test by tabby-forensics audit --send-test-alert: nothing is wrong."}
    return {alert["status"] for alert in alerts}


def test_nothing_is_changed_in_the_servers(stack):
    """What an audit asks is GET only: rules, silences and the configuration stay."""
    before = [http_get(f"{stack.alertmanager}/api/v2/silences"), http_get(f"{stack.prometheus}/api/v1/status/config")]
    audit(_found(stack))
    assert [http_get(f"{stack.alertmanager}/api/v2/silences"), http_get(f"{stack.prometheus}/api/v1/status/config")] == before


def test_what_stops_is_named(stack):
    """In the order in which it is stopped: the exporter, Alertmanager, at last the rules."""
    stack.processes["node"].kill()
    wait_for(lambda: not _count(_found(stack), "node_systemd_service_restart_total"))
    found = _found(stack)
    assert _broken(found)["Sound"] == ["fed"]
    (sound,) = [chain for chain in rule_chains(found, all_rules(found), "") if chain.about == "Sound"]
    assert "its target node (127.0.0.1:" in sound.broken.evidence
    stack.processes["alertmanager"].kill()
    stack.processes["alertmanager"].wait()
    found = replace(_found(stack), alertmanager=found.alertmanager)
    assert found.prometheus.alertmanagers[0].why_not == "refuses connections: nothing listens there"
    assert _broken(found)["Probe"] == ["Alertmanager reachable"]
    stack.rules.unlink()
    Server(stack.prometheus).post("/-/reload", None)
    assert [control.status for control in audit(_found(stack)) if control.id == "alert-rules"] == ["missing"]
