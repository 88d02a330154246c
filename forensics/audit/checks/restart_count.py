"""Count of restarts: does a rule on a restart metric, or the RestartLoop of `watch`, notice a restart loop?"""

from __future__ import annotations

from re import compile as pattern

from forensics.audit.checks import alert_rules, watching
from forensics.audit.checks.chain import EXISTS, Chain, Identity, judged
from forensics.audit.checks.rule_chain import all_rules, rule_chains
from forensics.audit.checks.served import unit_label
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.selectors import selectors_of
from forensics.model.controls import Control
from forensics.rules import Rule

METRIC = pattern(r"restart|start_total")
REMEDIES = {
    **alert_rules.REMEDIES,
    **watching.REMEDIES,
    EXISTS: "Write a rule on a restart metric (`tabby-forensics generate rules`), or run `watch`: `tabby-forensics generate systemd`.",
}
IDENTITY = Identity("restart-count", 2, "Count of restarts", REMEDIES, alert_rules.WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    rules = [rule for rule in all_rules(found) if counts_restarts(rule)]
    chains = rule_chains(found, rules, "on a restart metric")
    watch = watching.watch_chain(found, "RestartLoop")
    return judged(IDENTITY, [*chains, watch] if _is_worth_naming(watch) else chains)


def counts_restarts(rule: Rule) -> bool:
    """Whether a rule is on a metric of units' restarts, also one whose name only resembles such a metric."""
    metrics = [selector.metric or "" for selector in selectors_of(rule)]
    return any(unit_label(metric) and METRIC.search(metric) for metric in metrics)


def _is_worth_naming(watch: Chain) -> bool:
    """Whether `watch` is there at all; where it is not, what lacks is the rule."""
    return watch.links[0].holds is True
