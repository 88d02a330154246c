"""Degraded service: is there a tier that needs no GPU, for when the GPU is what fails?"""

from __future__ import annotations

from re import compile as pattern

from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Chain, Identity, absent, judged
from forensics.audit.checks.fallback_routing import has_fallen_back
from forensics.audit.checks.model_groups import GIVE_LITELLM, deployments_of, fallbacks_of, group_chains
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.litellm import Deployment, LiteLlm
from forensics.model.controls import Control, Link
from forensics.web import is_url

ON_CPU = pattern(r"(?i)(?:^|[^a-z])cpu(?:[^a-z]|$)")
REMEDIES = {
    EXISTS: "Add a tier that needs no GPU as the last fallback, and name it so (`…-cpu`): a small model on the CPU, or a hosted one.",
    WOULD_ACT: "Start the tier's backend, or correct its api_base.",
}
WHEN_UNKNOWN = {EXISTS: GIVE_LITELLM, WOULD_ACT: "Run the audit where LiteLLM runs.", ACTED: "Give LiteLLM's address: --litellm URL."}
IDENTITY = Identity("graceful-degradation", 4, "Degraded service", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, group_chains(found, _chain))


def _chain(litellm: LiteLlm, group: str) -> Chain:
    reached = [each for name in _reachable(litellm, group) for each in deployments_of(litellm, name)]
    tiers = [each for each in reached if needs_no_gpu(each)]
    if not tiers:
        return absent(f"{litellm.where}: no fallback of {group} is known to need no GPU")
    tier = tiers[0]
    answers = Link(
        WOULD_ACT, None if tier.why_not is None else not tier.why_not, f"{tier.address or tier.model} {tier.why_not or 'answers'}"
    )
    return Chain((Link(EXISTS, True, f"{tier.group} ({tier.model})"), answers, has_fallen_back(litellm)), group)


def _reachable(litellm: LiteLlm, group: str) -> list[str]:
    """Return the groups that fallbacks lead to, those of fallbacks too."""
    found: dict[str, None] = {}
    waiting = list(fallbacks_of(litellm, group))
    while waiting:
        name = waiting.pop(0)
        if name not in found and name != group:
            found[name] = None
            waiting += litellm.fallbacks.get(name, ())
    return list(found)


def needs_no_gpu(deployment: Deployment) -> bool:
    """Whether a deployment is named after the CPU, or is a hosted model of somebody else's."""
    named = any(ON_CPU.search(text) for text in (deployment.group, deployment.id, deployment.model))
    return named or (not is_url(deployment.address) and "/" in deployment.model)
