"""Judge alerting rules, each from its file to the person that it alerts."""

from __future__ import annotations

from collections.abc import Iterable

from forensics.audit.checks.alert_labels import alert_labels
from forensics.audit.checks.chain import EXISTS, FIRES, LOADED, SELECTS, Chain, absent, not_checked, unseen
from forensics.audit.checks.delivery import delivery_links
from forensics.audit.checks.metric_links import STEPS, metric_links
from forensics.audit.checks.served import Served, key_of, served
from forensics.audit.checks.targets import names_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.prometheus import Prometheus
from forensics.model import controls
from forensics.model.controls import Link
from forensics.rules import Rule
from forensics.wording import duration, plural


def all_rules(found: Inventory) -> list[Rule]:
    """Return the alerting rules of Prometheus, those that are not loaded too."""
    if found.prometheus is None:
        return []
    return [*(state.rule for state in found.prometheus.rules or ()), *found.prometheus.not_loaded]


def rule_chains(found: Inventory, rules: Iterable[Rule], what: str) -> list[Chain]:
    """Judge each of these rules. what: which rules were looked for, in words."""
    prometheus = found.prometheus
    if prometheus is None:
        return [unseen("no Prometheus was given")]
    if prometheus.problem:
        return [unseen(f"{prometheus.where} {prometheus.problem}")]
    there = served(found, prometheus)
    return [_chain(there, rule) for rule in rules] or [absent(_why_no_rules(prometheus, what))]


def _why_no_rules(prometheus: Prometheus, what: str) -> str:
    if prometheus.rules:
        return f"none of {plural(len(prometheus.rules), 'alerting rule')} of {prometheus.where} is {what}"
    if prometheus.mistakes:
        return f"no rule can be read: {prometheus.mistakes[0]}"
    addresses = ", ".join(each.address for each in prometheus.alertmanagers or ())
    sends = f"; it is set up to send alerts to {addresses}, but has none to send" if addresses else ""
    if prometheus.globs:
        return f"rule_files of {prometheus.where} matches no rules ({', '.join(prometheus.globs)}){sends}"
    return f"{prometheus.where} has no rules: rule_files is empty{sends}"


def _chain(there: Served, rule: Rule) -> Chain:
    where = f"{rule.file}:{rule.line}" if rule.line else rule.file or there.prometheus.where
    loaded = _loaded(there, rule, where)
    links = [Link(EXISTS, True, f"{rule.alert} in {where}"), loaded]
    links += not_checked(STEPS, LOADED) if loaded.holds is False else metric_links(there, rule)
    broken = next((link.link for link in links if link.holds is False), None)
    links += not_checked((FIRES,), broken) if broken else (_fires(there, rule),)
    labels, are_complete = alert_labels(there, rule)
    chain = (*links, *delivery_links(there.found, labels, are_complete=are_complete))
    is_relevant = names_unit(there.found, rule.expr) or any(link.holds for link in links if link.link in {SELECTS, FIRES})
    return Chain(chain, rule.alert, is_relevant)


def _loaded(there: Served, rule: Rule, where: str) -> Link:
    prometheus, error = there.prometheus, there.errors.get(key_of(rule))
    if error is None:
        return Link(LOADED, False, f"{where} has it, {prometheus.where} has not loaded it")
    if error:
        return Link(LOADED, False, f"Prometheus cannot evaluate it: {error}")
    if not prometheus.is_running and prometheus.mistakes:
        return Link(LOADED, False, f"Prometheus refuses all rules because of {prometheus.mistakes[0]}")
    return Link(
        LOADED, True, f"{prometheus.where} evaluates it" if prometheus.is_running else f"rule_files of {prometheus.where} matches it"
    )


def _fires(there: Served, rule: Rule) -> Link:
    """Judge by the replay of the rule over the unit's incident."""
    if there.found.subject.incident is None:
        return Link(FIRES, None, f"{there.unit} has no incident to replay it on")
    replayed = there.replayed.get(key_of(rule))
    if replayed is None:
        return Link(FIRES, None, "it was not replayed")
    if replayed.status == controls.FIRES:
        return Link(FIRES, True, f"fires {duration(replayed.after_s)} after the start of the incident")
    return Link(FIRES, None if replayed.status == controls.CANNOT_JUDGE else False, replayed.reason or replayed.status)
