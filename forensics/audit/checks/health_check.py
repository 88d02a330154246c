"""Health check: does a prober or Uptime Kuma ask the service itself, and does somebody hear of it?"""

from __future__ import annotations

from forensics.audit.checks import alert_rules
from forensics.audit.checks.chain import EXISTS, FED, ROUTED, Chain, Identity, absent, judged, unseen
from forensics.audit.checks.rule_chain import all_rules, rule_chains
from forensics.audit.checks.shown import delivered_by_journal, fires_in_replay
from forensics.audit.checks.targets import asks_unit, is_about_unit, names_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.kuma import Kuma, Monitor
from forensics.audit.inventory.prometheus import Prometheus, Target
from forensics.audit.inventory.selectors import selectors_of
from forensics.model.controls import Control, Link
from forensics.rules import Rule
from forensics.wording import plural

PROBED = "probes the service"
ALERTS = "an alert depends on it"
REMEDIES = {
    **alert_rules.REMEDIES,
    EXISTS: "Probe the service with a request that it must answer: `tabby-forensics generate blackbox`.",
    PROBED: "Point a probe at the address that callers of the service use.",
    ALERTS: "Write a rule on probe_success: `tabby-forensics generate rules --with-probe`.",
    ROUTED: "Attach a notification to the monitor, or give the receiver an integration.",
}
WHEN_UNKNOWN = {
    **alert_rules.WHEN_UNKNOWN,
    EXISTS: "Give Prometheus (--prometheus FILE|URL) or Uptime Kuma's backup or address (--kuma FILE|URL).",
    ROUTED: "Give Uptime Kuma's backup: --kuma FILE; its metrics do not show notifications.",
}
IDENTITY = Identity("health-check", 2, "Health check", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    chains = [*_prober_chains(found, found.prometheus), *_kuma_chains(found, found.kuma)]
    named = [chain for chain in chains if chain.links[0].holds]
    unknown = [chain for chain in chains if chain.links[0].holds is None]
    return judged(IDENTITY, named or chains if len(unknown) < len(chains) or not chains else unknown)


def _prober_chains(found: Inventory, prometheus: Prometheus | None) -> list[Chain]:
    """Judge the probes of Prometheus, each with the rules on what it measures."""
    if prometheus is None or prometheus.targets is None:
        return [] if prometheus is None and found.kuma is not None else [unseen(_no_targets(prometheus))]
    probes = [target for target in prometheus.targets if target.probed]
    if not probes:
        return [absent(f"{prometheus.where} has no job that probes; it scrapes {plural(len(prometheus.targets), 'target')}")]
    about = [target for target in probes if is_about_unit(found, target)]
    exists = Link(EXISTS, True, f"{plural(len(probes), 'probe')} of {prometheus.where}")
    if not about:
        asked = ", ".join(target.probed for target in probes[:3])
        return [Chain((exists, Link(PROBED, False, f"no probe asks {found.subject.unit}; they ask {asked}")))]
    return [_probe_chain(found, exists, target) for target in about]


def _no_targets(prometheus: Prometheus | None) -> str:
    if prometheus is None:
        return "neither Prometheus nor Uptime Kuma was given"
    return f"{prometheus.where} {prometheus.problem or prometheus.problems.get('targets', '')}"


def _probe_chain(found: Inventory, exists: Link, target: Target) -> Chain:
    probed = Link(PROBED, True, f"job {target.labels.get('job', '')} asks {target.probed}")
    fed = Link(FED, target.is_up, _scraped(target))
    rules = [rule for rule in all_rules(found) if is_on_probes(rule)]
    if not rules:
        return Chain((exists, probed, fed, Link(ALERTS, False, "no rule uses probe_success")), target.probed)
    best = max(rule_chains(found, rules, "on probe_success"), key=lambda chain: chain.rank)
    depends = Link(ALERTS, True, best.about)
    return Chain((exists, probed, fed, depends, *(link for link in best.links if link.link not in {EXISTS, FED})), target.probed)


def _scraped(target: Target) -> str:
    if target.is_up is None:
        return "a configuration does not show whether the prober answers"
    return "the prober answers" if target.is_up else f"the prober does not answer: {target.last_error}"


def is_on_probes(rule: Rule) -> bool:
    return any((selector.metric or "").startswith("probe_") for selector in selectors_of(rule))


def _kuma_chains(found: Inventory, kuma: Kuma | None) -> list[Chain]:
    """Judge the monitors of Uptime Kuma."""
    if kuma is None:
        return []
    if kuma.problem:
        return [unseen(f"{kuma.where} {kuma.problem}")]
    about = monitors_of_unit(found)
    if not about:
        return [absent(f"none of {plural(len(kuma.monitors), 'monitor')} of {kuma.where} asks {found.subject.unit}")]
    return [_monitor_chain(found, kuma, monitor) for monitor in about]


def monitors_of_unit(found: Inventory) -> list[Monitor]:
    """Return the monitors of Uptime Kuma that are about the unit."""
    monitors = found.kuma.monitors if found.kuma is not None else ()
    return [each for each in monitors if names_unit(found, each.name) or (each.address and asks_unit(found, each.address))]


def _monitor_chain(found: Inventory, kuma: Kuma, monitor: Monitor) -> Chain:
    active = "is paused" if monitor.is_active is False else f"is {monitor.state}" if monitor.state else "is active"
    attached = "its metrics do not show notifications" if monitor.notifications is None else plural(monitor.notifications, "notification")
    return Chain(
        (
            Link(EXISTS, True, f"monitor {monitor.name!r} of {kuma.where}"),
            Link(PROBED, monitor.is_active is not False, f"it {active}"),
            Link(ROUTED, None if monitor.notifications is None else monitor.notifications > 0, attached),
            _replayed(found),
            delivered_by_journal(found, "no notification about the unit is in the journal"),
        ),
        monitor.name,
    )


def _replayed(found: Inventory) -> Link:
    """Judge by the replay of a poll or probe over the incident."""
    return fires_in_replay([each for each in found.journal.replayed if each.kind in {"poll", "probe"}], ":")
