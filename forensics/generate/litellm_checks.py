"""Ask the health checks of LiteLLM's deployments, and show their breakers as metrics."""

import json
import logging
import os
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from forensics.generate.litellm_alerts import ask
from forensics.generate.litellm_breaker import CLOSED, HALF_OPEN, OPEN, Breaker, Breakers

STATE_NUMBERS = {CLOSED: 0, HALF_OPEN: 1, OPEN: 2}  # as litellm_deployment_state: 2 is an outage
WRITE_EVERY_S = 15.0

log = logging.getLogger("tabby_breaker")


def answers(url: str, within_s: float) -> bool:
    """Ask a health check; only a server that does not answer or names a fault of its own is down, not one without that path."""
    status = ask(urllib.request.Request(url), within_s, urllib.request.ProxyHandler({}))  # noqa: S310 - read_settings checks it
    return 0 < status < 500


def check_for_ever(name: str, url: str, breakers: Breakers) -> None:
    """Ask a health check again and again; one that is not over in time, such as an answer that trickles in, is bad."""
    asking, answer = threading.Thread(), [False]
    while True:
        if not asking.is_alive():
            answer = [False]
            asking = threading.Thread(target=_ask_into, args=(answer, url, breakers.limits.check_within_s), daemon=True)
            asking.start()
        asking.join(breakers.limits.check_within_s)
        breakers.check(name, healthy=not asking.is_alive() and answer[0])
        time.sleep(breakers.limits.check_every_s)


def _ask_into(answer: list[bool], url: str, within_s: float) -> None:
    answer[0] = answers(url, within_s)


METRICS: Mapping[str, tuple[str, str, Callable[[Breaker], float]]] = {
    "tabby_breaker_state": ("gauge", "Breaker of a deployment: 0 closed, 1 half-open, 2 open.", lambda one: STATE_NUMBERS[one.state]),
    "tabby_breaker_bad_checks": ("gauge", "Health checks that failed in a row.", lambda one: one.bad_checks),
    "tabby_breaker_opened_total": ("counter", "How often the breaker opened.", lambda one: one.opened),
    "tabby_breaker_probes_total": ("counter", "Requests that probed.", lambda one: one.probes),
}


def metrics_text(breakers: Mapping[str, Breaker]) -> str:
    """Write the metrics as Prometheus reads them."""
    lines = []
    for name, (kind, text, value) in METRICS.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{{deployment={json.dumps(each)}}} {value(one)}" for each, one in sorted(breakers.items())]
    return "\n".join(lines) + "\n"


class Collector:
    """Shows the metrics among LiteLLM's own, on its /metrics."""

    def __init__(self, breakers: Breakers) -> None:
        self._breakers = breakers

    def collect(self) -> Iterator[Any]:
        from prometheus_client import core  # noqa: PLC0415 - not everybody has it

        for name, (kind, text, value) in METRICS.items():
            family: Any = {"gauge": core.GaugeMetricFamily, "counter": core.CounterMetricFamily}[kind](name, text, labels=["deployment"])
            for each, one in sorted(dict(self._breakers.all).items()):
                family.add_metric([each], value(one))
            yield family


def write_for_ever(file: Path, breakers: Breakers) -> None:
    """Write the metrics for node_exporter's textfile collector again and again."""
    while True:
        write_metrics(file, breakers)
        time.sleep(WRITE_EVERY_S)


def write_metrics(file: Path, breakers: Breakers) -> None:
    """Replace a file at once: the collector must never see half of it."""
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        temporary.write_text(metrics_text(dict(breakers.all)))
        temporary.replace(file)
    except OSError as error:
        log.warning("the metrics cannot be written to %s: %s", file, error.strerror)
