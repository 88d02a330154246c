"""Chain of models: is there a second model to fall back to, and one for contexts that are too long?"""

from __future__ import annotations

from forensics.audit.checks.chain import EXISTS, WOULD_ACT, Chain, Identity, absent, judged
from forensics.audit.checks.fallback_routing import has_fallen_back
from forensics.audit.checks.model_groups import GIVE_LITELLM, deployments_of, fallbacks_of, group_chains
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.litellm import LiteLlm
from forensics.model.controls import Control, Link

REMEDIES = {
    EXISTS: "Add a smaller model as a second group, and name it in fallbacks and context_window_fallbacks.",
    WOULD_ACT: "Let each group of the chain have a deployment of another model.",
}
WHEN_UNKNOWN = {
    EXISTS: GIVE_LITELLM,
    "has acted": "Give LiteLLM's address: --litellm URL; prove it by stopping the first model for a minute.",
}
IDENTITY = Identity("model-fallback-chain", 4, "Chain of models", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, group_chains(found, _chain))


def _chain(litellm: LiteLlm, group: str) -> Chain:
    chain = dict.fromkeys([*fallbacks_of(litellm, group), *litellm.context_fallbacks.get(group, ())])
    if not chain:
        return absent(f"{litellm.where}: {group} has no second model")
    own = {each.model for each in deployments_of(litellm, group)}
    others = {each.model for name in chain for each in deployments_of(litellm, name)} - own
    would_act = Link(WOULD_ACT, bool(others), f"other models: {', '.join(sorted(others)) or 'none'}")
    return Chain((Link(EXISTS, True, f"{group} → {', '.join(chain)}"), would_act, has_fallen_back(litellm)), group)
