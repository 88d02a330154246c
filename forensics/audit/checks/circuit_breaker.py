"""Circuit breaker: does a gate stop starts that cannot succeed, or LiteLLM stop asking a backend that fails?"""

from __future__ import annotations

from re import compile as pattern

from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Chain, Identity, absent, judged
from forensics.audit.checks.model_groups import counted, group_chains
from forensics.audit.checks.unit_files import GIVE_UNITS, unseen_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.litellm import LiteLlm
from forensics.audit.inventory.units import Unit, commands
from forensics.model.controls import Control, Link
from forensics.sanitize import brief
from forensics.wording import plural

GATE = pattern(r"(?i)\bgate\b|circuit|breaker|systemctl (?:--no-block )?stop\b")
CONDITIONS = ("ConditionPathExists", "AssertPathExists")
CONDITIONS_CHECKED_UNTIL = 253  # at an automatic restart (facts of systemd: 252 and 253 do, 254 and later do not)
EXEC_CONDITION_STOPS_SINCE = 251  # before, a start that ExecCondition= skips is tried again
COOLED = "litellm_deployment_cooled_down_total"
OPENED = "tabby_breaker_opened_total"
REMEDIES = {
    EXISTS: "Stop starts that cannot succeed: `generate gate`, or a start limit (`generate limits`); LiteLLM: `generate litellm`.",
    WOULD_ACT: "Stop the unit from ExecStopPost=, as `generate gate` does: it stays `failed`, visible, on every version of systemd.",
}
WHEN_UNKNOWN = {
    EXISTS: f"{GIVE_UNITS} LiteLLM's configuration: --litellm FILE.",
    ACTED: "Prove it with failures in a quiet hour; LiteLLM's metrics show cooldowns: --litellm URL.",
}
IDENTITY = Identity("circuit-breaker", 3, "Circuit breaker", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    chains = [_gate_chain(found), *(group_chains(found, _cooldown_chain) if found.litellm is not None else ())]
    return judged(IDENTITY, [chain for chain in chains if chain.links[0].holds] or _least_known(chains))


def _least_known(chains: list[Chain]) -> list[Chain]:
    """Of what is not there, prefer what could not be looked for: it may be there."""
    return [chain for chain in chains if chain.links[0].holds is None] or chains


def _gate_chain(found: Inventory) -> Chain:
    """Judge a gate in the unit's own file."""
    missing = unseen_unit(found)
    if missing is not None or found.unit is None:
        return missing or absent("")
    gates = [
        (name, line)
        for name in ("ExecStopPost", "ExecCondition", "ExecStartPre")
        for line in commands(found.unit, name)
        if GATE.search(line)
    ]
    gates += [(name, line) for name in CONDITIONS for line in found.unit.settings.every(name) if line.startswith("!")]
    if not gates:
        return absent(f"{found.subject.unit} has no gate, and no backend of LiteLLM cools down")
    name, line = gates[0]
    return Chain(
        (Link(EXISTS, True, f"{name}={brief(line, 120)}"), _gate_acts(found, found.unit, name), _gate_acted(found)), found.subject.unit
    )


def _gate_acts(found: Inventory, unit: Unit, name: str) -> Link:
    """Judge by what stops a restart loop on which version of systemd."""
    version = found.systemd
    if name == "ExecStopPost":
        return Link(WOULD_ACT, True, "a stop from ExecStopPost= ends the loop on every version of systemd")
    if name == "ExecStartPre":
        return Link(
            WOULD_ACT, False, f"a start that ExecStartPre= fails is restarted again under Restart={unit.settings.last('Restart') or 'no'}"
        )
    if version is None:
        return Link(WOULD_ACT, None, f"whether {name}= stops a loop depends on systemd's version, which is not known")
    if name == "ExecCondition":
        return Link(
            WOULD_ACT, version >= EXEC_CONDITION_STOPS_SINCE, f"systemd {version}: a start that ExecCondition= skips is {_tried(version)}"
        )
    holds = version <= CONDITIONS_CHECKED_UNTIL
    return Link(WOULD_ACT, holds, f"systemd {version} {'checks' if holds else 'does not check'} {name}= at an automatic restart")


def _tried(version: int) -> str:
    return "not tried again" if version >= EXEC_CONDITION_STOPS_SINCE else "tried again"


def _gate_acted(found: Inventory) -> Link:
    acted = found.journal.gate if found.journal.gate.count else found.journal.skipped
    if acted.count:
        return Link(ACTED, True, f"{plural(acted.count, 'line')} of the gate, {acted.shown}")
    return Link(ACTED, None, "the journal has no line of the gate")


def _cooldown_chain(litellm: LiteLlm, group: str) -> Chain:
    """Judge the breaker of a group's backends, or their cooldown."""
    if litellm.has_breaker:
        return _breaker_chain(litellm, group)
    if litellm.cooldowns_are_off:
        return absent(f"{litellm.where}: disable_cooldowns is set")
    if litellm.allowed_fails is None and litellm.cooldown_s is None:
        return absent(f"{litellm.where} sets neither allowed_fails nor cooldown_time")
    exists = Link(EXISTS, True, f"allowed_fails {_shown(litellm.allowed_fails)}, cooldown_time {_shown(litellm.cooldown_s)} s")
    return Chain((exists, _cooldown_acts(litellm, group), counted(litellm, COOLED, "cooldowns")), f"LiteLLM's group {group}")


def _breaker_chain(litellm: LiteLlm, group: str) -> Chain:
    """Judge the callback of `generate litellm`, which counts failures in a row and lets one request probe."""
    exists = Link(EXISTS, True, "the callback tabby_breaker.instance")
    why = f"there is no {litellm.breaker_file}" if litellm.breaker_file else "it opens after failures in a row, also when each hangs"
    return Chain((exists, Link(WOULD_ACT, not litellm.breaker_file, why), counted(litellm, OPENED, "openings")), f"LiteLLM's group {group}")


def _shown(value: float | None) -> str:
    return "unset" if value is None else f"{value:g}"


def _cooldown_acts(litellm: LiteLlm, group: str) -> Link:
    """Judge whether enough failures fit into the window, which is as long as the cooldown; a lone deployment needs allowed_fails."""
    deployments = [each for each in litellm.deployments if each.group == group]
    if len(deployments) == 1 and litellm.allowed_fails is None:
        return Link(WOULD_ACT, False, f"{group} has one deployment, which never cools down unless allowed_fails is set")
    cooldown, fails = litellm.cooldown_s or 5.0, (litellm.allowed_fails if litellm.allowed_fails is not None else 3.0) + 1
    timeout = max((each.timeout_s or 6000.0 for each in deployments), default=6000.0)
    if fails * timeout > cooldown:
        slow = f"{fails:g} requests that hang take {fails * timeout:g} s, longer than the window of {cooldown:g} s"
        return Link(WOULD_ACT, False, f"{slow}: set `timeout` per deployment")
    return Link(WOULD_ACT, True, f"{fails:g} failures fit into the window of {cooldown:g} s, also when each takes {timeout:g} s")
