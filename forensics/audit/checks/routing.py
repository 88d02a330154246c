"""Walk Alertmanager's routes with the labels of an alert, as far as they are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forensics.audit.inventory.alertmanager import Silence
from forensics.promql import Matcher, UnsupportedError
from forensics.replay.alertmanager import Route, Routing


def routes_of(route: Route, labels: Mapping[str, str], *, assume: bool | None = None) -> list[Route]:
    """Return the routes that an alert takes: the deepest ones that match, more than one with `continue`.

    assume: whether a matcher on a label that is not among `labels` matches; None: such a label is empty, as in Alertmanager.
    """
    found: list[Route] = []
    for child in route.routes:
        if accepts(child.matchers, labels, assume=assume):
            found += routes_of(child, labels, assume=assume)
            if not child.goes_on:
                break
    return found or [route]


def accepts(matchers: Sequence[Matcher], labels: Mapping[str, str], *, assume: bool | None = None) -> bool:
    """Whether all matchers accept the labels; one that cannot be evaluated does not."""
    return all(_accepts(matcher, labels, assume) for matcher in matchers)


def _accepts(matcher: Matcher, labels: Mapping[str, str], assume: bool | None) -> bool:
    if matcher.label not in labels and assume is not None:
        return assume
    try:
        return matcher.accepts(labels.get(matcher.label, ""))
    except UnsupportedError:
        return bool(assume)


def receivers_of(routing: Routing, labels: Mapping[str, str], *, assume: bool | None = None) -> dict[str, tuple[str, ...]]:
    """Return the receivers that an alert with these labels goes to, with the kinds of their integrations."""
    names = [route.receiver for route in routes_of(routing.root, labels, assume=assume)]
    return {name: routing.receivers.get(name, ()) for name in names}


def silence_of(silences: Sequence[Silence], labels: Mapping[str, str], *, assume: bool | None = None) -> Silence | None:
    """Return the first active silence that matches the labels."""
    return next((silence for silence in silences if silence.matchers and accepts(silence.matchers, labels, assume=assume)), None)
