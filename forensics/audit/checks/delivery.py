"""Judge the way of an alert from Prometheus to a person: Alertmanager reachable, routed to a receiver, not silenced, delivered."""

from __future__ import annotations

from collections.abc import Mapping

from forensics.audit.checks.chain import DELIVERED, NOT_SILENCED, REACHES, ROUTED, not_checked
from forensics.audit.checks.routing import receivers_of, silence_of
from forensics.audit.checks.shown import delivered_by_journal
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.alertmanager import Alertmanager, Sent, Silence
from forensics.audit.inventory.prometheus import Prometheus
from forensics.model.controls import Link
from forensics.replay.alertmanager import Routing
from forensics.wording import plural


def delivery_links(found: Inventory, labels: Mapping[str, str], *, are_complete: bool) -> tuple[Link, ...]:
    """Judge the links from Prometheus on. labels: of the alert; are_complete: others that it has are not known, otherwise."""
    reaches = _reaches(found)
    if found.alertmanager is None or found.alertmanager.routing is None:
        problem = "no Alertmanager was given" if found.alertmanager is None else f"{found.alertmanager.where} {found.alertmanager.problem}"
        return (reaches, *(Link(name, None, problem) for name in (ROUTED, NOT_SILENCED, DELIVERED)))
    routed = _routed(found.alertmanager.routing, labels, are_complete)
    silenced = _not_silenced(found.alertmanager, labels, are_complete)
    upstream = next((link.link for link in (reaches, routed, silenced) if link.holds is False), None)
    if upstream is not None:
        return (reaches, routed, silenced, *not_checked((DELIVERED,), upstream))
    return (reaches, routed, silenced, _delivered(found, receivers_of(found.alertmanager.routing, labels)))


def _reaches(found: Inventory) -> Link:
    """Judge whether Prometheus' Alertmanager answers: it lists discovered ones, dead or not."""
    prometheus = found.prometheus
    if prometheus is None:
        return Link(REACHES, None, "no Prometheus was given")
    if prometheus.alertmanagers is None:
        return Link(REACHES, None, f"{prometheus.where} {prometheus.problems.get('alertmanagers', prometheus.problem)}")
    if not prometheus.alertmanagers:
        return Link(REACHES, False, "Prometheus has no Alertmanager to send alerts to")
    asked = sorted((each for each in prometheus.alertmanagers if each.why_not is not None), key=lambda each: each.why_not or "")
    if not asked:
        return _configured(found, [each.address for each in prometheus.alertmanagers])
    if not asked[0].why_not:
        return Link(REACHES, True, f"{asked[0].address} is ready{_lost(prometheus)}")
    return Link(REACHES, False, f"Prometheus lists {asked[0].address} as active, but it {asked[0].why_not}{_lost(prometheus)}")


def _configured(found: Inventory, addresses: list[str]) -> Link:
    """Judge the Alertmanagers of a configuration by the one that was given."""
    given = found.alertmanager
    if given is None or given.why_not_ready is None or given.where not in addresses:
        return Link(REACHES, None, f"{addresses[0]} is configured; whether it answers was not asked")
    return Link(REACHES, not given.why_not_ready, f"{given.where} is configured, and {given.why_not_ready or 'is ready'}")


def _lost(prometheus: Prometheus) -> str:
    """Say what Prometheus could not send so far."""
    counts = [f"{prometheus.notifications[name]:,.0f} {name}" for name in ("errors", "dropped") if prometheus.notifications.get(name)]
    return f" (notifications since its start: {', '.join(counts)})" if counts else ""


def _routed(routing: Routing, labels: Mapping[str, str], are_complete: bool) -> Link:
    """Judge whether the alert reaches a receiver with an integration, also if labels that are not known decide."""
    possible = [receivers_of(routing, labels, assume=assume) for assume in ((None,) if are_complete else (True, False))]
    verdicts = {any(receivers.values()) for receivers in possible}
    shown = "; ".join(f"'{name}' ({', '.join(kinds) or 'no integration'})" for name, kinds in possible[-1].items())
    if verdicts == {True}:
        return Link(ROUTED, True, f"to {shown}")
    if verdicts == {False}:
        return Link(ROUTED, False, f"the alert goes to {shown}, which drops it without a word")
    return Link(ROUTED, None, f"the route depends on labels that are not known; without them to {shown}")


def _not_silenced(alertmanager: Alertmanager, labels: Mapping[str, str], are_complete: bool) -> Link:
    if alertmanager.silences is None:
        reason = alertmanager.problems.get("silences") or "a configuration does not show silences"
        return Link(NOT_SILENCED, None, reason)
    surely = silence_of(alertmanager.silences, labels, assume=None if are_complete else False)
    if surely is not None:
        return Link(NOT_SILENCED, False, f"silenced until {surely.until}{_comment(surely)}")
    perhaps = None if are_complete else silence_of(alertmanager.silences, labels, assume=True)
    if perhaps is not None:
        return Link(NOT_SILENCED, None, f"a silence until {perhaps.until}{_comment(perhaps)} may match labels that are not known")
    return Link(NOT_SILENCED, True, f"none of {plural(len(alertmanager.silences), 'active silence')} matches")


def _comment(silence: Silence) -> str:
    return f" ({silence.comment})" if silence.comment else ""


def _delivered(found: Inventory, receivers: Mapping[str, tuple[str, ...]]) -> Link:
    """Judge by a test alert, by the journal, else by what the receivers' integrations were given so far."""
    alertmanager = found.alertmanager
    if alertmanager is not None and alertmanager.test is not None and alertmanager.test.holds is not None:
        return Link(DELIVERED, alertmanager.test.holds, alertmanager.test.text)
    if alertmanager is None or alertmanager.sent is None:
        reason = alertmanager.problems.get("sent") if alertmanager is not None else None
        return delivered_by_journal(found, reason or "a configuration does not show what was sent")
    kinds = {kind for of_receiver in receivers.values() for kind in of_receiver}
    return _by_counters(found, [sent for sent in alertmanager.sent if sent.integration in kinds])


def _by_counters(found: Inventory, sent: list[Sent]) -> Link:
    count, failed = sum(each.count for each in sent), sum(each.failed for each in sent)
    kinds = ", ".join(sorted(each.integration for each in sent))
    if not count:
        return delivered_by_journal(found, f"Alertmanager has sent nothing by {kinds or 'these integrations'} since its start")
    if failed >= count:
        return Link(DELIVERED, False, f"all {plural(round(count), 'notification')} by {kinds} failed")
    if failed:
        return Link(DELIVERED, None, f"{failed:,.0f} of {plural(round(count), 'notification')} by {kinds} failed")
    return Link(DELIVERED, True, f"{plural(round(count), 'notification')} by {kinds} since Alertmanager's start, none failed")
