"""Describe what an Alertmanager does with alerts: routes, receivers, silences, and what it has sent, from its file or a running server.

No address of a receiver is kept: it is mostly a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from re import DOTALL
from re import compile as pattern
from typing import Any

from forensics.audit.inventory.yaml_tree import UnusableError, items, mapping, parse_tree, read_text, strings, text
from forensics.promql.selectors import Matcher
from forensics.rules.durations import parse_duration

DEEPEST, MOST_ROUTES = 50, 10_000
GROUP_WAIT_S = 30.0  # Alertmanager's default
_MATCHER = pattern(r'\s*"?([^\s"=!~{},]+)"?\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^",]*?))\s*(?:,|$)', DOTALL)


@dataclass(frozen=True, slots=True)
class Route:
    receiver: str
    matchers: tuple[Matcher, ...] = ()
    continues: bool = False
    routes: tuple[Route, ...] = ()
    group_wait_s: float = GROUP_WAIT_S
    muted_by: tuple[str, ...] = ()  # names of time intervals


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver with the kinds of its integrations, such as webhook or email. With none it drops all alerts."""

    name: str
    integrations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """An active silence."""

    matchers: tuple[Matcher, ...]
    until: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """How many notifications one kind of integration was given since the start, and how many of them failed."""

    integration: str
    count: float
    failed: float


@dataclass(frozen=True, slots=True)
class AlertTest:
    """What became of the alert of --send-test-alert. holds: null where that could not be seen."""

    holds: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """What there is. problem: why nothing is known. null in a part: it could not be seen, for the reason in `problems`."""

    where: str
    is_running: bool
    problem: str = ""
    route: Route | None = None
    receivers: tuple[Receiver, ...] = ()
    silences: tuple[Silence, ...] | None = None
    why_not_ready: str | None = None  # "" where it is ready
    sent: tuple[Sent, ...] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    test: AlertTest | None = None


def read_alertmanager(file: Path) -> Alertmanager:
    """Describe what an alertmanager.yml would make Alertmanager do."""
    try:
        route, receivers = read_routing(read_text(file))
    except UnusableError as error:
        return Alertmanager(str(file), is_running=False, problem=str(error))
    return Alertmanager(str(file), is_running=False, route=route, receivers=receivers)


def read_routing(content: str) -> tuple[Route, tuple[Receiver, ...]]:
    """Read the text of an alertmanager.yml: the root of its routes, and its receivers. Raises UnusableError."""
    tree = parse_tree(content)
    root = mapping(tree.get("route"))
    if not text(root.get("receiver")):
        raise UnusableError("has no route with a receiver")
    budget = [MOST_ROUTES]
    return _route(root, Route("", group_wait_s=GROUP_WAIT_S), budget, 0), tuple(map(_receiver, map(mapping, items(tree.get("receivers")))))


def parse_matchers(written: str) -> tuple[Matcher, ...]:
    """Parse matchers as they are written in a configuration: `a="b"`, `a=~b`, or several between braces."""
    inside = written.strip().removeprefix("{").removesuffix("}")
    found, at = [], 0
    while at < len(inside):
        match = _MATCHER.match(inside, at)
        if match is None:
            break
        quoted = match[3] if match[3] is None else match[3].replace(r"\"", '"').replace(r"\n", "\n").replace("\\\\", "\\")
        found.append(Matcher(match[1], match[2], match[4] if quoted is None else quoted))
        at = match.end()
    return tuple(found)


def _route(node: Mapping[str, Any], parent: Route, budget: list[int], depth: int) -> Route:
    """Read a route, which takes what it does not set from its parent."""
    budget[0] -= 1
    if budget[0] < 0 or depth > DEEPEST:
        raise UnusableError(f"has more than {MOST_ROUTES:,} routes, or routes more than {DEEPEST} levels deep")
    wait = parse_duration(text(node.get("group_wait")))
    own = Route(
        receiver=text(node.get("receiver")) or parent.receiver,
        matchers=(
            *(Matcher(label, "=", text(value)) for label, value in mapping(node.get("match")).items()),
            *(Matcher(label, "=~", text(value)) for label, value in mapping(node.get("match_re")).items()),
            *(matcher for written in strings(node.get("matchers")) for matcher in parse_matchers(written)),
        ),
        continues=text(node.get("continue")).lower() in {"true", "yes", "on"},
        group_wait_s=parent.group_wait_s if wait is None else wait,
        muted_by=strings(node.get("mute_time_intervals")),
    )
    below = tuple(_route(mapping(child), own, budget, depth + 1) for child in items(node.get("routes")))
    return Route(own.receiver, own.matchers, own.continues, below, own.group_wait_s, own.muted_by)


def _receiver(node: Mapping[str, Any]) -> Receiver:
    kinds = tuple(sorted(name.removesuffix("_configs") for name, value in node.items() if name.endswith("_configs") and items(value)))
    return Receiver(text(node.get("name")), kinds)
