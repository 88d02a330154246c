"""Write what makes LiteLLM fall back from a unit that fails: its configuration, the breaker with its settings, the proxy's unit."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from inspect import getsource
from typing import Any

from forensics.generate import litellm_alerts, litellm_breaker, litellm_checks, litellm_hooks
from forensics.generate.basis import Basis, commented, head
from forensics.generate.litellm_tiers import Tier, larger_than
from forensics.generate.yaml_text import yaml_text

PARTS = (litellm_breaker, litellm_alerts, litellm_checks, litellm_hooks)  # in this order
CONFIG, BREAKER, SETTINGS, UNIT = "litellm.yaml", "tabby_breaker.py", "tabby_breaker.json", "litellm.service"
PRIVATE = frozenset({SETTINGS})  # the URLs of sinks are secrets
DIRECTORY = "/etc/litellm"
LEASE_MARGIN_S = 5.0
CHECK_EVERY_S = 30
LITELLMS_OWN_PORT = 4000  # its default
PROVEN = (
    "Run with a real LiteLLM 1.106.2 and 1.108.0 and servers that fail in turn: of 12 requests while the primary answers 500 it gets 5, "
    "then none, and every client gets 200. After the cooldown 8 requests at once: exactly one asks the primary. 4 failures, a success, 4 "
    "failures: it stays closed. Time-outs, streams that break off and refused connections count, 400 does not. Two health checks that "
    "fail route away, a good one routes back."
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the files shall do. sinks: kind, url and token each."""

    timeout_s: float = 120.0
    stream_timeout_s: float = 60.0
    cooldown_s: float = 60.0
    proxy_port: int = 4001
    program: str = "/opt/litellm/bin/litellm"
    metrics_file: str = ""
    sinks: tuple[dict[str, str], ...] = ()


def litellm_files(basis: Basis, tiers: Sequence[Tier], wanted: Wanted) -> dict[str, str]:
    """Write the files: file name → text."""
    unit = tiers[0].unit or tiers[0].name
    about = list(head(basis, f"LiteLLM in front of {unit}", "litellm", [PROVEN], basis.of(tiers[0].unit)))
    about += [f"{tier.name}: {tier.base}, {tier.origin}. Nothing was asked; that it answers is not proven." for tier in tiers]
    return {
        CONFIG: commented([*about, *_of_config(tiers)]) + yaml_text(config(tiers, wanted)),
        BREAKER: commented([*about, *_of_breaker()]) + joined(),
        SETTINGS: settings_text(about[0], tiers, wanted),
        UNIT: commented([*about, *_of_unit(wanted)]) + unit_text(unit, wanted),
    }


def config(tiers: Sequence[Tier], wanted: Wanted) -> dict[str, Any]:
    """Return LiteLLM's configuration. Its own cooldown is off: it counts neither in a row nor half-open."""
    names = [tier.name for tier in tiers]
    router: dict[str, Any] = {
        "routing_strategy": "simple-shuffle",
        "num_retries": 0,  # by default 2: one request would count as three failures
        "disable_cooldowns": True,
        "max_fallbacks": max(len(tiers) - 1, 1),
        "fallbacks": [{name: names[number + 1 :]} for number, name in enumerate(names[:-1])],
        "context_window_fallbacks": [{names[0]: [tier.name for tier in larger_than(tiers[0], tiers[1:])]}],
        "enable_pre_call_checks": any(tier.context for tier in tiers),
    }
    return {
        "model_list": [_group(tier, wanted) for tier in tiers],
        "router_settings": {name: value for name, value in router.items() if not isinstance(value, list) or _leads_somewhere(value)},
        "general_settings": {
            "master_key": "os.environ/LITELLM_MASTER_KEY",
            "background_health_checks": False,
            "health_check_interval": CHECK_EVERY_S,
            "health_check_details": False,
            "disable_spend_logs": True,
            "disable_error_logs": True,
        },
        "litellm_settings": {
            "callbacks": [f"{BREAKER.removesuffix('.py')}.instance"],
            "drop_params": False,
            "request_timeout": wanted.timeout_s,
            "telemetry": False,
            "set_verbose": False,
        },
    }


def _leads_somewhere(fallbacks: list[dict[str, list[str]]]) -> bool:
    return any(others for each in fallbacks for others in each.values())


def _group(tier: Tier, wanted: Wanted) -> dict[str, Any]:
    """Return a model group with its one deployment, whose id is the group's name."""
    asked = {"model": f"openai/{tier.model}", "api_base": tier.base, "api_key": f"os.environ/{tier.key}" if tier.key else "none"}
    limits = {"timeout": wanted.timeout_s, "stream_timeout": wanted.stream_timeout_s, "max_retries": 0}
    smaller = {"max_tokens": tier.max_tokens} if tier.max_tokens else {}
    known = {"max_input_tokens": tier.context} if tier.context else {}
    return {"model_name": tier.name, "litellm_params": {**asked, **limits, **smaller}, "model_info": {"id": tier.name, **known}}


def settings_text(about: str, tiers: Sequence[Tier], wanted: Wanted) -> str:
    """Write the settings of the breaker as JSON."""
    settings = {
        "about": about,
        "failures": 5,
        "cooldown_s": wanted.cooldown_s,
        "lease_s": max(wanted.timeout_s, wanted.stream_timeout_s) + LEASE_MARGIN_S,
        "bad_checks": 2,
        "check_every_s": CHECK_EVERY_S,
        "check_within_s": 10,
        "metrics_file": wanted.metrics_file,
        "deployments": {tier.name: {"unit": tier.unit, "health": tier.health_url} for tier in tiers},
        "sinks": list(wanted.sinks),
    }
    return json.dumps(settings, indent=2) + "\n"


def joined() -> str:
    """Join the parts of the breaker into one program that imports nothing of this one."""
    sources = [getsource(part) for part in PARTS]
    imports = sorted({line for source in sources for line in _imports(source)}, key=lambda line: (not line.startswith("import "), line))
    doc = ast.get_docstring(ast.parse(sources[0])) or ""
    bodies = [_after_imports(source) for source in sources]
    ending = "instance = loaded(Path(__file__))\n"
    return f'"""{doc.splitlines()[0]}"""\n\n' + "\n".join(imports) + "\n\n" + "\n\n".join(bodies) + "\n\n" + ending


def _nodes(source: str) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom))


def _imports(source: str) -> Iterator[str]:
    """Yield what a part imports of others than this program, one name a line."""
    for node in _nodes(source):
        if not isinstance(node, ast.ImportFrom):
            yield from (f"import {alias.name}" for alias in node.names)
        elif not (node.module or "").startswith("forensics"):
            yield from (f"from {node.module} import {alias.name}" for alias in node.names)


def _after_imports(source: str) -> str:
    last = max((node.end_lineno or node.lineno) for node in _nodes(source))
    return "\n".join(source.splitlines()[last:]).strip("\n") + "\n"


def unit_text(unit: str, wanted: Wanted) -> str:
    """Write the proxy's unit. One worker: the breakers are per process."""
    listens = f"--host 127.0.0.1 --port {wanted.proxy_port} --num_workers 1"
    lines = [
        "[Unit]",
        f"Description=LiteLLM proxy in front of {unit}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "User=litellm",
        "Environment=LITELLM_LOCAL_MODEL_COST_MAP=True TABBY_API_KEY=none",
        f"EnvironmentFile={DIRECTORY}/litellm.env",
        f"ExecStart={wanted.program} --config {DIRECTORY}/{CONFIG} {listens} --telemetry False",
        "Restart=on-failure",
        "RestartSec=5",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "ProtectHome=yes",
        "PrivateTmp=yes",
        *([f"ReadWritePaths={wanted.metrics_file.rpartition('/')[0]}"] if wanted.metrics_file else []),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
    ]
    return "\n".join(lines) + "\n"


def _of_config(tiers: Sequence[Tier]) -> Iterable[str]:
    yield (
        "LiteLLM's own cooldown is off (disable_cooldowns): it does not count in a row, and lets all requests through when it is over. The "
        "callback is the circuit breaker."
    )
    yield (
        "Its background health checks are off: each is a completion, and loads Ollama's model into the memory that the primary needs. "
        f"The breaker asks {', '.join(dict.fromkeys(tier.health_url for tier in tiers))} every {CHECK_EVERY_S} s instead."
    )
    yield "drop_params stays off: with it LiteLLM 1.106.2 makes of a server's 422 an empty answer with status 200, and does not fall back."
    yield f"The master key is in {DIRECTORY}/litellm.env only. LiteLLM refuses sk-1234, and to start without one."
    if not any(tier.context for tier in tiers):
        yield "No context is known: with context=N in --primary and --fallback, requests that are too long go to a larger one at once."


def _of_breaker() -> Iterable[str]:
    yield (
        "State is per worker process and closed after a start: of two workers each needs 5 failures of its own and probes for itself, and "
        "the first that recovers resolves the alert. Run one worker, as litellm.service does."
    )
    yield "Without LiteLLM's hooks, of which the newest is in 1.100.0, it logs that once at the start and lets every request through."


def _of_unit(wanted: Wanted) -> Iterable[str]:
    yield (
        f"Install as root: useradd --system litellm; install -d {DIRECTORY}; install -m 644 {CONFIG} {BREAKER} {DIRECTORY}; "
        f"install -o litellm -m 600 {SETTINGS} {DIRECTORY}; install -m 644 {UNIT} /etc/systemd/system."
    )
    yield (
        f"Then the key: (umask 077; echo LITELLM_MASTER_KEY=sk-$(openssl rand -hex 32) > {DIRECTORY}/litellm.env); add TABBY_API_KEY=… "
        "where the primary wants a key."
    )
    if wanted.proxy_port != LITELLMS_OWN_PORT:
        yield f"Its port is not {LITELLMS_OWN_PORT}: LiteLLM takes a random other one where that is in use, and no client would find it."
    yield f"ASSUMPTION: the proxy is {wanted.program}, of litellm[proxy] 1.100.0 or newer. Check the unit: systemd-analyze verify {UNIT}."
