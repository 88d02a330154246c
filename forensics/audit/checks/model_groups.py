"""Find out which model groups of LiteLLM are the audited unit, and where their requests go when it fails."""

from __future__ import annotations

from collections.abc import Callable

from forensics.audit.checks.chain import ACTED, Chain, unseen
from forensics.audit.checks.targets import names_unit, port_of, ports_of_unit
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.litellm import Deployment, LiteLlm
from forensics.model.controls import Link

GIVE_LITELLM = "Give LiteLLM's configuration, and its address for the counters: --litellm FILE --litellm URL."


def group_chains(found: Inventory, judge: Callable[[LiteLlm, str], Chain]) -> list[Chain]:
    """Judge each group that is the unit, or say why none can be."""
    litellm = found.litellm
    if litellm is None or litellm.problem:
        return [unseen("LiteLLM was not given" if litellm is None else f"{litellm.where} {litellm.problem}")]
    groups = groups_of_unit(found, litellm)
    if not groups:
        return [unseen(f"no model group of {litellm.where} is known to be {found.subject.unit}")]
    return [judge(litellm, group) for group in groups]


def groups_of_unit(found: Inventory, litellm: LiteLlm) -> list[str]:
    """Return the groups with a deployment at a port of the unit, else those that are named after it."""
    ports = ports_of_unit(found)
    by_port = [each.group for each in litellm.deployments if each.address and port_of(each.address) in ports]
    by_name = [each.group for each in litellm.deployments if names_unit(found, f"{each.group} {each.id}")]
    return list(dict.fromkeys(by_port or by_name))


def deployments_of(litellm: LiteLlm, group: str) -> list[Deployment]:
    return [each for each in litellm.deployments if each.group == group]


def fallbacks_of(litellm: LiteLlm, group: str) -> tuple[str, ...]:
    """Return the groups that are tried after a group fails."""
    return litellm.fallbacks.get(group) or litellm.fallbacks.get("*") or litellm.default_fallbacks


def counted(litellm: LiteLlm, counter: str, what: str) -> Link:
    """Judge by one of LiteLLM's own counters whether it has acted."""
    if litellm.counters is None:
        return Link(ACTED, None, litellm.problems.get("counters", f"a configuration does not show {what}"))
    count = litellm.counters.get(counter, 0.0)
    return Link(ACTED, True if count else None, f"{counter} is {count:g}")
