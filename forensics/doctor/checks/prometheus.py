"""Check that Prometheus scrapes `watch`, and has a rule for when it is gone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from forensics.doctor.host import OK, PROBLEM, UNKNOWN, Finding, Host, listen_address
from forensics.doctor.metrics import METRIC
from forensics.web import NoAnswerError, Server

MEANS = "Nobody notices when `watch` is dead: its silence looks like health."
NOT_KNOWN = "Whether anything notices that `watch` is gone is not known."
SCRAPE = "Add a scrape job with the target {address} to prometheus.yml."
RULE = 'Add an alert such as `absent(up{{job="{job}"}} == 1)`, for: 5m.'
MOST_NAMED = 5
LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_LOCAL = re.compile(r"https?://(?:[^/@]{0,500}@)?(?:localhost|127\.0\.0\.1|\[::1\])(?=[:/]|$)")
_SCRAPED = re.compile(r"^https?://(\[[^\]]{1,100}\]|[^/:]{1,255}):([0-9]{1,5})(?:/.*)?$", re.DOTALL)
_GONE = re.compile(r"\babsent(?:_over_time)?\s*\(|\bup\b")


def check(host: Host) -> Finding:
    if not host.prometheus:
        return Finding(UNKNOWN, "no Prometheus was named", NOT_KNOWN, "Give --prometheus URL.")
    address = listen_address(host)
    server = Server(host.prometheus, host.token)
    try:
        targets = list(_dicts(server.json("/api/v1/targets?state=active"), "activeTargets"))
        groups = list(_dicts(server.json("/api/v1/rules?type=alert"), "groups"))
    except NoAnswerError as error:
        return Finding(UNKNOWN, f"{server.where} {error}", NOT_KNOWN)
    ours = [target for target in targets if _port_of(target) == address.rpartition(":")[2] != ""]
    here = [target for target in ours if _host_of(target) in _own_names(host, address)]
    if not ours:
        found = f"{server.where} has no target for `watch` ({address or 'no exporter'})"
        return Finding(PROBLEM, found, MEANS, SCRAPE.format(address=address or "HOST:9847"))
    if not here:
        named = ", ".join(f"{_host_of(target)}:{_port_of(target)}" for target in ours[:MOST_NAMED])
        return Finding(UNKNOWN, f"{server.where} scrapes {named}; whether that is this host is not known", NOT_KNOWN)
    return _judged(server.where, here[0], groups)


def _judged(where: str, target: Mapping[str, Any], groups: Iterable[Mapping[str, Any]]) -> Finding:
    """Judge the target of `watch`, and whether a rule notices when it is gone."""
    if target.get("health") != "up":
        found = f"{where} cannot scrape `watch`: {target.get('lastError') or target.get('health')}"
        return Finding(PROBLEM, found, MEANS, "Make the exporter's address reachable from Prometheus.")
    job = str(_dict(target.get("labels")).get("job") or "")
    rules = [str(_dict(rule).get("query")) for group in groups for rule in _list(group.get("rules"))]
    if not any(_notices(rule, job) for rule in rules):
        return Finding(PROBLEM, f"{where} scrapes `watch`, but no rule fires when it is gone", MEANS, RULE.format(job=job))
    return Finding(OK, f"{where} scrapes `watch` and has a rule for when it is gone")


def _own_names(host: Host, address: str) -> set[str]:
    """List the names by which this host may be scraped; by that of the loop back only by a Prometheus that is here too."""
    own = {address.rpartition(":")[0].strip("[]"), os.uname().nodename, os.uname().nodename.partition(".")[0]}
    is_local = _LOCAL.match(host.prometheus) is not None
    return (own | LOOPBACK if is_local else own - LOOPBACK) - {""}


def _host_of(target: Mapping[str, Any]) -> str:
    return _SCRAPED.sub(r"\1", str(target.get("scrapeUrl") or "")).strip("[]")


def _port_of(target: Mapping[str, Any]) -> str:
    return _SCRAPED.sub(r"\2", str(target.get("scrapeUrl") or ""))


def _notices(rule: str, job: str) -> bool:
    """Whether an expression is about the absence of `watch`."""
    return bool(_GONE.search(rule)) and (METRIC in rule or (bool(job) and job in rule))


def _dicts(answer: Any, name: str) -> Iterator[dict[str, Any]]:
    yield from (one for one in _list(_dict(_dict(answer).get("data")).get(name)) if isinstance(one, dict))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
