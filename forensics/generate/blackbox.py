"""Write a module of blackbox_exporter that asks a unit's endpoint, and the scrape configuration that makes Prometheus use it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics import wording
from forensics.errors import UsageError
from forensics.generate.basis import Basis, commented, head
from forensics.generate.endpoints import Endpoint, endpoint_of
from forensics.generate.yaml_text import yaml_text

INTERVAL_S, TIMEOUT_S = 15, 10
EXPORTER = "127.0.0.1:9115"


@dataclass(frozen=True, slots=True)
class Probe:
    """What to ask: /health, or with `completion` for one token, which also shows that the model answers. key_file: of a bearer token."""

    unit: str
    port: int
    path: str = "/health"
    completion: bool = False
    model: str = ""
    key_file: str = ""
    exporter: str = EXPORTER

    @property
    def name(self) -> str:
        return re.sub(r"\W+", "_", self.unit.removesuffix(".service")).strip("_") + ("_completion" if self.completion else "_health")

    @property
    def job(self) -> str:
        return f"blackbox-{self.unit.removesuffix('.service')}"

    @property
    def target(self) -> str:
        return f"http://127.0.0.1:{self.port}{'/v1/completions' if self.completion else self.path}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user wants asked; without a port, each unit's own."""

    port: int | None = None
    path: str = "/health"
    completion: bool = False
    model: str = ""
    key_file: str = ""


def probes(basis: Basis, asked: Asked) -> dict[Probe, Endpoint | None]:
    """Return a probe for each unit whose port is known, with where it was found. Raises UsageError when there is none."""
    if asked.port is not None and len(basis.units) > 1:
        raise UsageError(f"--port is the port of one unit; choose it with --unit: {', '.join(basis.units[:10])}.")
    found: dict[Probe, Endpoint | None] = {}
    for unit in basis.units:
        endpoint = None if asked.port is not None else endpoint_of(basis.investigation, unit)
        port = asked.port if endpoint is None else endpoint.port
        if port is not None:
            found[Probe(unit, port, asked.path, asked.completion, asked.model, asked.key_file)] = endpoint
    if not found:
        raise UsageError(f"No line of {', '.join(basis.units[:10])} names a port while it was stable; give it with --port.")
    return found


def probe_files(basis: Basis, found: Mapping[Probe, Endpoint | None]) -> dict[str, str]:
    """Write both files: file name → text."""
    texts = {}
    for probe, endpoint in found.items():
        lines = [*head(basis, "Probe", "blackbox", [], basis.of(probe.unit)), *_explained(probe, endpoint)]
        name = probe.unit.removesuffix(".service")
        module = [*lines, "For blackbox_exporter: merge it into blackbox.yml and check it: blackbox_exporter --config.check."]
        scrape = [*lines, "For Prometheus: append it to scrape_configs, or list the file under scrape_config_files (2.43 or newer)."]
        texts[f"blackbox-{name}.yml"] = module_text(commented(module), probe)
        texts[f"scrape-{name}.yml"] = scrape_text(commented(scrape), probe)
    return texts


def _explained(probe: Probe, endpoint: Endpoint | None) -> Iterator[str]:
    if endpoint is None:
        yield f"Port {probe.port} was given with --port."
    else:
        others = f" (only failing attempts name {', '.join(map(str, endpoint.others))})" if endpoint.others else ""
        named = wording.plural(endpoint.lines, "line")
        yield f"Port {probe.port}: {named} of attempts that were stable name it{others}. Nothing was asked; that it answers is not proven."
    yield (
        "A probe asks a port, not a unit: a left-over process on the port answers for a unit that is down. Keep the rule on restarts too. "
        f'A rule for it: probe_success{{job="{probe.job}"}} == 0, for: 1m.'
    )


def module_text(head: str, probe: Probe) -> str:
    """Write blackbox.yml. head: comments."""
    http: dict[str, Any] = {"method": "POST" if probe.completion else "GET", "valid_status_codes": [200], "follow_redirects": False}
    http["preferred_ip_protocol"] = "ip4"
    if probe.completion:
        asked = {"prompt": "1", "max_tokens": 1, **({"model": probe.model} if probe.model else {})}
        http |= {"headers": {"Content-Type": "application/json"}, "body": json.dumps(asked)}
        http["fail_if_body_not_matches_regexp"] = ['"choices"']
    if probe.key_file:
        http["authorization"] = {"type": "Bearer", "credentials_file": probe.key_file}
    module = {"prober": "http", "timeout": f"{TIMEOUT_S}s", "http": http}
    return head + yaml_text({"modules": {probe.name: module}})


def scrape_text(head: str, probe: Probe) -> str:
    """Write a file with the scrape configuration: a part of prometheus.yml, or for `scrape_config_files`. head: comments."""
    scrape = {
        "job_name": probe.job,
        "metrics_path": "/probe",
        "params": {"module": [probe.name]},
        "scrape_interval": f"{INTERVAL_S}s",
        "scrape_timeout": f"{TIMEOUT_S}s",
        "static_configs": [{"targets": [probe.target], "labels": {"unit": probe.unit}}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": probe.exporter},
        ],
    }
    return head + yaml_text({"scrape_configs": [scrape]})
