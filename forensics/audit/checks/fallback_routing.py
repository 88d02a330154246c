"""Fallback: do requests go to another process when the service does not answer?"""

from __future__ import annotations

from forensics.audit.checks.chain import ACTED, EXISTS, WOULD_ACT, Chain, Identity, absent, judged
from forensics.audit.checks.model_groups import GIVE_LITELLM, counted, deployments_of, fallbacks_of, group_chains
from forensics.audit.inventory import Inventory
from forensics.audit.inventory.litellm import LiteLlm, process_of
from forensics.model.controls import Control, Link

ANSWERS = "the fallback answers"
COUNTER = "litellm_deployment_successful_fallbacks_total"
REMEDIES = {
    EXISTS: "Give the model group a fallback in LiteLLM's router_settings.",
    WOULD_ACT: "Point the fallback at another process: what fails with the service is none.",
    ANSWERS: "Start the fallback's backend, or correct its api_base.",
}
WHEN_UNKNOWN = {
    EXISTS: GIVE_LITELLM,
    WOULD_ACT: GIVE_LITELLM,
    ANSWERS: "Run the audit where LiteLLM runs, so that it can ask the fallback.",
    ACTED: "Give LiteLLM's address (--litellm URL) with its callback `prometheus`; prove it by stopping the service for a minute.",
}
IDENTITY = Identity("fallback-routing", 3, "Fallback", REMEDIES, WHEN_UNKNOWN)


def check(found: Inventory) -> Control:
    return judged(IDENTITY, group_chains(found, _chain))


def _chain(litellm: LiteLlm, group: str) -> Chain:
    fallbacks = fallbacks_of(litellm, group)
    if not fallbacks:
        return absent(f"{litellm.where}: {group} has no fallback")
    return Chain(
        (
            Link(EXISTS, True, f"{group} → {', '.join(fallbacks)}"),
            _is_elsewhere(litellm, group),
            _answers(litellm, group),
            has_fallen_back(litellm),
        ),
        group,
    )


def _is_elsewhere(litellm: LiteLlm, group: str) -> Link:
    """Judge whether a fallback is another process than the service."""
    own = {process_of(each.address) for each in deployments_of(litellm, group) if each.address}
    others = [each for name in fallbacks_of(litellm, group) for each in deployments_of(litellm, name)]
    if not others:
        return Link(WOULD_ACT, False, f"{litellm.where} has no deployment of {', '.join(fallbacks_of(litellm, group))}")
    if not own:
        return Link(WOULD_ACT, None, f"the address of {group} is not known")
    elsewhere = [each for each in others if not each.address or process_of(each.address) not in own]
    shown = elsewhere[0].address or elsewhere[0].model if elsewhere else others[0].address
    return Link(WOULD_ACT, bool(elsewhere), f"{shown} is {'another' if elsewhere else 'the same'} process")


def _answers(litellm: LiteLlm, group: str) -> Link:
    others = [each for name in fallbacks_of(litellm, group) for each in deployments_of(litellm, name)]
    asked = [each for each in others if each.why_not is not None]
    if not asked:
        return Link(ANSWERS, None, "it was not asked")
    answering = next((each for each in asked if not each.why_not), None)
    if answering is not None:
        return Link(ANSWERS, True, f"{answering.address} answers")
    return Link(ANSWERS, False, f"{asked[0].address} {asked[0].why_not}")


def has_fallen_back(litellm: LiteLlm) -> Link:
    """Judge by LiteLLM's own counter."""
    return counted(litellm, COUNTER, "fallbacks")
