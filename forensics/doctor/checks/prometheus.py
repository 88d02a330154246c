"""Check that Prometheus scrapes `watch`, and has a rule for when it is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, listen_address
from forensics.doctor.metrics import METRIC
from forensics.web import NoAnswerError, Server

MEANS = "Nobody notices when `watch` is dead: its silence looks like health."
SCRAPE = "Add a scrape job with the target {address} to prometheus.yml."
RULE = 'Add an alert such as `absent(up{{job="{job}"}} == 1)`, for: 5m.'
_GONE = re.compile(r"\babsent(?:_over_time)?\s*\(|\bup\b")


def check(host: Host) -> Finding:
    if not host.prometheus:
        return Finding(
            UNKNOWN, "no Prometheus was named", "Whether anything notices that `watch` is gone is not known.", "Give --prometheus URL."
        )
    address = listen_address(host)
    server = Server(host.prometheus, host.token)
    try:
        targets = list(_dicts(server.json("/api/v1/targets?state=active"), "activeTargets"))
        groups = list(_dicts(server.json("/api/v1/rules?type=alert"), "groups"))
    except NoAnswerError as error:
        return Finding(UNKNOWN, f"{server.where} {error}", MEANS)
    ours = [target for target in targets if _is_ours(target, address)]
    if not ours:
        return Finding(
            PROBLEM, f"{server.where} has no target for `watch` ({address or 'no exporter'})", MEANS, SCRAPE.format(address=address)
        )
    labels = _dict(ours[0].get("labels"))
    job = str(labels.get("job") or "")
    if ours[0].get("health") != "up":
        found = f"{server.where} cannot scrape `watch`: {ours[0].get('lastError') or ours[0].get('health')}"
        return Finding(PROBLEM, found, MEANS, "Make the exporter's address reachable from Prometheus.")
    rules = [str(rule.get("query")) for group in groups for rule in group.get("rules") or () if isinstance(rule, dict)]
    if not any(_notices(rule, job) for rule in rules):
        return Finding(PROBLEM, f"{server.where} scrapes `watch`, but no rule fires when it is gone", MEANS, RULE.format(job=job))
    return Finding(OK, f"{server.where} scrapes `watch` and has a rule for when it is gone")


def _is_ours(target: Mapping[str, Any], address: str) -> bool:
    """Whether a target is our exporter: by its port, and by its host unless that is all addresses or this host's own name for itself."""
    instance = str(_dict(target.get("labels")).get("instance") or "")
    url = str(target.get("scrapeUrl") or "")
    port = address.rpartition(":")[2]
    return bool(port) and (instance.endswith(f":{port}") or f":{port}/" in f"{url}/")


def _notices(rule: str, job: str) -> bool:
    """Whether an expression is about the absence of `watch`."""
    return bool(_GONE.search(rule)) and (METRIC in rule or (bool(job) and job in rule))


def _dicts(answer: Any, name: str) -> Iterator[dict[str, Any]]:
    found = _dict(_dict(answer).get("data")).get(name)
    yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, dict))


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
