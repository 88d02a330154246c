"""Describe the monitors of Uptime Kuma, from its exported backup or its /metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forensics.audit.inventory.metrics_text import samples
from forensics.audit.inventory.prometheus import without_secrets
from forensics.audit.inventory.yaml_tree import UnusableError, mapping, number, read_text, text
from forensics.web import NoAnswerError, Server

MOST_MONITORS = 2000
STATES = {0: "down", 1: "up", 2: "pending", 3: "in maintenance"}


@dataclass(frozen=True, slots=True)
class Monitor:
    """A monitor. notifications: how many are attached; null where that is not shown. state: up, down, …, "" where unknown."""

    name: str
    kind: str  # http, port, keyword, json-query, docker, push, systemd-service …
    address: str = ""  # of what it asks, without secrets
    is_active: bool | None = None
    notifications: int | None = None
    interval_s: float | None = None
    retries: float | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Kuma:
    """What there is. problem: why nothing is known."""

    where: str
    is_running: bool
    problem: str = ""
    monitors: tuple[Monitor, ...] = ()


def read_kuma(file: Path) -> Kuma:
    """Describe the monitors of an exported backup (Settings → Backup → Export)."""
    try:
        tree = json.loads(read_text(file))
    except UnusableError as error:
        return Kuma(str(file), is_running=False, problem=str(error))
    except (ValueError, RecursionError):
        return Kuma(str(file), is_running=False, problem="is not JSON")
    listed = mapping(tree).get("monitorList")
    if not isinstance(listed, list):
        return Kuma(str(file), is_running=False, problem="has no monitorList: it is no backup of Uptime Kuma")
    return Kuma(str(file), False, "", tuple(_monitor(mapping(each)) for each in listed[:MOST_MONITORS]))


def ask_kuma(server: Server) -> Kuma:
    """Describe the monitors that Uptime Kuma's metrics show, which do not show notifications."""
    try:
        found = samples(server.text("/metrics"), ("monitor_status",))
    except NoAnswerError as error:
        return Kuma(server.where, is_running=True, problem=str(error))
    if not found:
        return Kuma(server.where, is_running=True, problem="shows no monitors: it is not Uptime Kuma, or has none")
    return Kuma(server.where, True, "", tuple(_of_sample(each.labels, each.value) for each in found[:MOST_MONITORS]))


def _monitor(node: Mapping[str, Any]) -> Monitor:
    port, attached = node.get("port"), node.get("notificationIDList")
    return Monitor(
        name=text(node.get("name")),
        kind=text(node.get("type")),
        address=_address(text(node.get("url")), text(node.get("hostname")), f"{port}" if isinstance(port, int) else ""),
        is_active=bool(node.get("active")),
        notifications=sum(map(bool, mapping(attached).values())),
        interval_s=number(node.get("interval")),
        retries=number(node.get("maxretries")),
    )


def _of_sample(labels: Mapping[str, str], value: float) -> Monitor:
    known = {name.removeprefix("monitor_"): "" if label == "null" else label for name, label in labels.items()}
    address = _address(known.get("url", ""), known.get("hostname", ""), known.get("port", ""))
    return Monitor(known.get("name", ""), known.get("type", ""), address, is_active=True, state=STATES.get(int(value), ""))


def _address(url: str, host: str, port: str) -> str:
    """Return what a monitor asks: its URL, which is empty but for the scheme in monitors of a host or port."""
    return without_secrets(url) if url.partition("://")[2] else f"{host}:{port}" if port else host
