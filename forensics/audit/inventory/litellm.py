"""Describe a LiteLLM proxy: its model groups, fallbacks and cooldowns, from its configuration or the running proxy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from re import compile as pattern
from typing import Any
from urllib.parse import urlsplit

from forensics.audit.inventory.metrics_text import samples
from forensics.audit.inventory.prometheus import without_secrets
from forensics.audit.inventory.yaml_tree import UnusableError, items, mapping, number, parse_tree, read_text, strings, text
from forensics.web import NoAnswerError, Server, ask_each, is_url

MOST_DEPLOYMENTS, MOST_ASKED = 500, 5
ANSWER_S = 2.0  # for each address of a deployment
ANSWERED = pattern(r"\bHTTP \d")
COUNTERS = ("litellm_deployment_cooled_down_total", "litellm_deployment_successful_fallbacks_total", "tabby_breaker_opened_total")
BREAKER = "tabby_breaker"  # the module that `generate litellm` writes
FALLBACKS = ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks")


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment of a model group. address: its api_base without secrets. why_not: why it does not answer; null where not asked."""

    group: str
    model: str
    id: str = ""
    address: str = ""
    timeout_s: float | None = None
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class LiteLlm:
    """What there is. problem: why nothing is known. counters: null where its metrics could not be seen, for the reason in `problems`."""

    where: str
    is_running: bool
    problem: str = ""
    deployments: tuple[Deployment, ...] = ()
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # group → groups to try then
    context_fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # when the context is too long
    default_fallbacks: tuple[str, ...] = ()
    allowed_fails: float | None = None  # null where it is not set
    cooldown_s: float | None = None
    retries: float | None = None
    cooldowns_are_off: bool = False
    has_breaker: bool = False  # the callback of `generate litellm`
    breaker_file: str = ""  # where that was not found which the configuration names
    counters: Mapping[str, float] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


def read_litellm(file: Path) -> LiteLlm:
    """Describe what a configuration of LiteLLM would make it do."""
    try:
        tree = parse_tree(read_text(file))
    except UnusableError as error:
        return LiteLlm(str(file), is_running=False, problem=str(error))
    settings = {**mapping(tree.get("litellm_settings")), **mapping(tree.get("router_settings"))}
    if not items(tree.get("model_list")):
        return LiteLlm(str(file), is_running=False, problem="has no model_list: it is no configuration of LiteLLM")
    found = _described(LiteLlm(str(file), is_running=False), items(tree.get("model_list")), settings)
    module = file.with_name(f"{BREAKER}.py")
    return found if not found.has_breaker or module.is_file() else replace(found, breaker_file=str(module))


def ask_litellm(server: Server) -> LiteLlm:
    """Describe a running proxy, of which only an administrator's key sees the settings."""
    problems: dict[str, str] = {}
    try:
        listed = _listed(server)
        settings = mapping(mapping(server.json("/router/settings")).get("current_values"))
    except NoAnswerError as error:
        return LiteLlm(server.where, is_running=True, problem=str(error))
    try:
        counted = list(samples(server.text("/metrics/"), COUNTERS))
        counters = {name: sum(sample.value for sample in counted if sample.name == name) for name in COUNTERS}
    except NoAnswerError as error:
        problems["counters"], counted, counters = str(error), [], None
    found = _described(LiteLlm(server.where, is_running=True), listed, settings)
    has_breaker = any(sample.name.startswith(BREAKER) for sample in counted)
    return replace(found, counters=counters, problems=problems, has_breaker=has_breaker)


def _listed(server: Server) -> list[Any]:
    listed = mapping(server.json("/model/info")).get("data")
    if not isinstance(listed, list) or not any(mapping(each).get("model_name") for each in listed):
        raise NoAnswerError("answers JSON, but not as a LiteLLM with models does")
    return listed


def merged(configured: LiteLlm, running: LiteLlm) -> LiteLlm:
    """Combine what a configuration and a running proxy show: of the proxy what it shows, of the file the rest."""
    if running.problem:
        return replace(configured, problems={**configured.problems, "counters": f"{running.where} {running.problem}"})
    if not running.deployments:
        return replace(configured, counters=running.counters, problems=running.problems)
    return running if running.has_breaker else replace(running, has_breaker=configured.has_breaker, breaker_file=configured.breaker_file)


def with_answers(litellm: LiteLlm) -> LiteLlm:
    """Ask the first addresses of deployments whether anything answers there: GET /models, without a key."""
    addresses = list(dict.fromkeys(each.address for each in litellm.deployments if is_url(each.address)))[:MOST_ASKED]
    reasons = {address: _without_status(reason) for address, reason in ask_each(addresses, "/models", ANSWER_S).items()}
    return replace(litellm, deployments=tuple(replace(each, why_not=reasons.get(each.address)) for each in litellm.deployments))


def _without_status(reason: str) -> str:
    """Drop a reason that is an answer all the same, such as one that wants a login."""
    return "" if ANSWERED.search(reason) else reason


def _described(found: LiteLlm, listed: Iterable[Any], settings: Mapping[str, Any]) -> LiteLlm:
    deployments = [_deployment(mapping(each)) for each in listed][:MOST_DEPLOYMENTS]
    return replace(
        found,
        deployments=tuple(each for each in deployments if each.group),
        fallbacks=_fallbacks(settings.get("fallbacks")),
        context_fallbacks=_fallbacks(settings.get("context_window_fallbacks")),
        default_fallbacks=strings(settings.get("default_fallbacks")),
        allowed_fails=number(settings.get("allowed_fails")),
        cooldown_s=number(settings.get("cooldown_time")),
        retries=number(settings.get("num_retries")),
        cooldowns_are_off=str(settings.get("disable_cooldowns")).lower() == "true",
        has_breaker=any(each.startswith(f"{BREAKER}.") for each in strings(settings.get("callbacks"))),
    )


def _deployment(node: Mapping[str, Any]) -> Deployment:
    parameters, information = mapping(node.get("litellm_params")), mapping(node.get("model_info"))
    address = without_secrets(text(parameters.get("api_base")))
    return Deployment(
        group=text(node.get("model_name")),
        model=text(parameters.get("model")),
        id=text(information.get("id")),
        address=address if is_url(address) else "",
        timeout_s=number(parameters.get("timeout")),
    )


def _fallbacks(value: Any) -> dict[str, tuple[str, ...]]:
    """Read a list of {group: [groups]}."""
    return {group: strings(others) for each in items(value) for group, others in mapping(each).items()}


def process_of(address: str) -> tuple[str, int | None]:
    """Return host and port: two addresses with the same are one process. Names of this host are one."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return ("localhost" if host in {"127.0.0.1", "::1", "localhost", "0.0.0.0"} else host), parts.port  # noqa: S104 - compared only
