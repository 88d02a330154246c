"""Read Alertmanager's routes and decide when the first notification about an alert reaches a receiver that delivers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.errors import UsageError
from forensics.files import NotReadableError, read_bounded
from forensics.promql.selectors import Matcher
from forensics.rules.yaml_fields import Fields
from forensics.rules.yaml_nodes import Mapping as YamlMapping
from forensics.rules.yaml_nodes import Scalar, Sequence, YamlError, documents
from forensics.toml_file import Mistake

GROUP_WAIT_S = 30.0  # Alertmanager's default (dispatch/route.go)
LONGEST_FILE = 8 << 20
MOST_SHOWN = 10  # mistakes
_MATCHER = re.compile(
    r'\s*([\w:.\-]+|"(?:[^"\\]|\\.)*")\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|(?:[^,{}\s]++(?:\s++[^,{}\s]++)*+)?)\s*(?:,|$)'
)


@dataclass(frozen=True, slots=True)
class Route:
    """A node of the routing tree, with what it inherits. waits_for: time intervals that mute it or make it active."""

    receiver: str
    group_wait_s: float = GROUP_WAIT_S
    matchers: tuple[Matcher, ...] = ()
    goes_on: bool = False  # continue: true
    routes: tuple[Route, ...] = ()
    waits_for: tuple[str, ...] = ()

    def matching(self, labels: Mapping[str, str]) -> Iterator[Route]:
        """Yield the routes that an alert with these labels takes (dispatch/route.go, Match)."""
        if not all(matcher.accepts(labels.get(matcher.label, "")) for matcher in self.matchers):
            return
        matched = False
        for route in self.routes:
            below = list(route.matching(labels))
            yield from below
            matched |= bool(below)
            if below and not route.goes_on:
                return
        if not matched:
            yield self


@dataclass(frozen=True, slots=True)
class Routing:
    """A configuration. receivers: the kinds of integrations that each has, such as webhook; with none it drops all alerts."""

    file: str
    root: Route
    receivers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """How long after it fires an alert is sent; null when it reaches nobody, and why."""

    wait_s: float | None
    why: str = ""
    assumptions: tuple[str, ...] = ()


def delivery(routing: Routing | None, labels: Mapping[str, str]) -> Delivery:
    """Route an alert; without a configuration Alertmanager's default is assumed."""
    if routing is None:
        return Delivery(GROUP_WAIT_S, assumptions=(f"Alertmanager waits {GROUP_WAIT_S:g} s for a new group, its default, and delivers",))
    routes = list(routing.root.matching(labels))
    reaching = [route for route in routes if routing.receivers.get(route.receiver)]
    if not reaching:
        receivers = ", ".join(f"'{route.receiver}'" for route in routes)
        return Delivery(None, f"Alertmanager routes it to {receivers}, which has no integration: it is delivered to nobody")
    first = min(reaching, key=lambda route: route.group_wait_s)
    muted = (f"the time intervals {', '.join(first.waits_for)} let it through",) if first.waits_for else ()
    wait = f"it is the first alert of its group: receiver '{first.receiver}' gets it after group_wait, {first.group_wait_s:g} s"
    return Delivery(first.group_wait_s, assumptions=(wait, *muted))


def read_routing(file: Path) -> Routing:
    """Read alertmanager.yml. Raises UsageError with every mistake of what routing needs."""
    try:
        return parse_routing(read_bounded(file, LONGEST_FILE).decode("utf-8", "replace"), file)
    except NotReadableError as error:
        raise UsageError(f"'{file}' {error}.") from None


def parse_routing(text: str, file: Path) -> Routing:
    """Read the text of a configuration. Raises UsageError with every mistake of what routing needs."""
    try:
        roots = list(documents(text))
    except YamlError as error:
        raise UsageError(f"{Mistake(file, error.line, '', str(error))}.") from None
    if not roots or not isinstance(roots[0], YamlMapping):
        raise UsageError(f"'{file}' is not a configuration of Alertmanager: 'route:' is expected in it.")
    config = Fields(file, text, roots[0].line, {}).below(roots[0], "")
    if "route" not in config.values:
        config.refuse("there is no 'route:'")
    root = _route(config.mapping("route"), Route(""))
    receivers = {receiver.string("name"): _integrations(receiver) for receiver in config.mappings("receivers", "a receiver")}
    for name in sorted({route.receiver for route in _all(root)} - receivers.keys()):
        config.refuse(f"the receiver '{name}' of a route is not among the receivers")
    if config.mistakes:
        raise UsageError("; ".join(str(mistake) for mistake in config.mistakes[:MOST_SHOWN]) + ".")
    return Routing(str(file), root, receivers)


def _route(fields: Fields, parent: Route) -> Route:
    wait = fields.seconds("group_wait")
    goes_on = fields.string("continue") == "true"
    intervals = (*_texts(fields, "mute_time_intervals"), *_texts(fields, "active_time_intervals"))
    own = Route(fields.string("receiver") or parent.receiver, parent.group_wait_s if wait is None else wait, _matchers(fields), goes_on)
    routes = tuple(_route(below, own) for below in fields.mappings("routes", "a route"))
    return Route(own.receiver, own.group_wait_s, own.matchers, goes_on, routes, intervals)


def _matchers(fields: Fields) -> tuple[Matcher, ...]:
    """Read the three notations of matchers."""
    exact = [Matcher(name, "=", value) for name, value in fields.strings("match").items()]
    patterns = [Matcher(name, "=~", value) for name, value in fields.strings("match_re").items()]
    return (*exact, *patterns, *(matcher for text in _texts(fields, "matchers") for matcher in _parsed(text, fields)))


def _parsed(text: str, fields: Fields) -> Iterator[Matcher]:
    body, at = text.strip().removeprefix("{").removesuffix("}"), 0
    while at < len(body):
        match = _MATCHER.match(body, at)
        if match is None or match.end() == at:
            fields.refuse(f"'{text[:60]}' is not a matcher such as severity=\"critical\"")
            return
        yield Matcher(_unquoted(match[1]), match[2], _unquoted(match[3]))
        at = match.end()


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def _texts(fields: Fields, key: str) -> list[str]:
    node = fields.values.get(key)
    items = node.items if isinstance(node, Sequence) else [node] if node is not None else []
    return [item.value for item in items if isinstance(item, Scalar) and not item.is_null]


def _integrations(receiver: Fields) -> tuple[str, ...]:
    """Return the kinds of a receiver's integrations: of lists such as webhook_configs with something in them."""
    lists = [key for key, node in receiver.values.items() if key.endswith("_configs") and isinstance(node, Sequence) and node.items]
    return tuple(sorted(key.removesuffix("_configs") for key in lists))


def _all(route: Route) -> Iterator[Route]:
    yield route
    for below in route.routes:
        yield from _all(below)
