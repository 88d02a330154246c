"""Alert rules: does any rule fire in this incident and reach a person?"""

from __future__ import annotations

from forensics.audit.checks.chain import (
    DELIVERED,
    EXISTS,
    FED,
    FIRES,
    FLAG,
    KNOWN,
    LOADED,
    NOT_SILENCED,
    REACHES,
    ROUTED,
    SELECTS,
    Identity,
    judged,
)  # fmt: skip
from forensics.audit.checks.rule_chain import all_rules, rule_chains
from forensics.audit.inventory import Inventory
from forensics.model.controls import Control

GIVE_SERVER = "Give the running server: --prometheus URL."
GIVE_ALERTMANAGER = "Give the running Alertmanager: --alertmanager URL."
REMEDIES = {
    EXISTS: "Write rules that are proven on this incident (`tabby-forensics generate rules`) into a directory that rule_files names.",
    LOADED: "Correct what is named, check it with `promtool check config`, and reload Prometheus.",
    KNOWN: "Use a metric that an exporter has; `tabby-forensics audit rules` names the nearest, `generate rules` writes proven rules.",
    FLAG: "Add the flag to the exporter's command line and restart it.",
    FED: "Start the exporter and add it to scrape_configs; then the target must be up on Prometheus' page Status → Targets.",
    SELECTS: "Correct the matcher so that it selects the unit.",
    FIRES: "Replace it by a rule that fires in this incident: `tabby-forensics generate rules`.",
    REACHES: "Start Alertmanager, or correct its address in `alerting:` of prometheus.yml.",
    ROUTED: "Give the receiver an integration, or route the alert to one that has: `tabby-forensics generate alertmanager`.",
    NOT_SILENCED: "Expire the silence: `amtool silence query`, `amtool silence expire ID`.",
    DELIVERED: "Correct the receiver; Alertmanager's log names the error. Then prove it with --send-test-alert.",
}
WHEN_UNKNOWN = {
    EXISTS: "Give prometheus.yml or the running server: --prometheus FILE|URL.",
    LOADED: GIVE_SERVER,
    KNOWN: GIVE_SERVER,
    FLAG: f"{GIVE_SERVER} Or the unit files of the host with the exporter: --units DIR.",
    FED: GIVE_SERVER,
    SELECTS: GIVE_SERVER,
    FIRES: "Give a history with an incident of this unit: --since, --journal-dir.",
    REACHES: GIVE_SERVER,
    ROUTED: "Give its configuration or the running server: --alertmanager FILE|URL.",
    NOT_SILENCED: GIVE_ALERTMANAGER,
    DELIVERED: f"{GIVE_ALERTMANAGER} --send-test-alert proves the delivery.",
}
IDENTITY = Identity("alert-rules", 2, "Alert rules", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, rule_chains(found, all_rules(found), "about failures"))
