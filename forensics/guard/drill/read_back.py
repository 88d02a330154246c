"""Read back from receivers whether the alert about a drill has arrived: at Alertmanager, at ntfy, or on a page."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from forensics.alerting.sinks.alertmanager import Alertmanager
from forensics.alerting.sinks.ntfy import Ntfy
from forensics.alerting.sinks.sink import Sink
from forensics.errors import UsageError
from forensics.guard.drill.links import Arrival, Probe
from forensics.guard.drill.unit import Started
from forensics.sanitize import safe_line
from forensics.web import NoAnswerError, Server

EVERY_S = 0.25
MOST_NAMED = 5
QUESTION_S = 3.0
MISSING = "it answers, and has nothing about the unit"
LABEL = ("drill", "true")
_COUNTER = re.compile(r"^alertmanager_notifications(_failed)?_total(?:\{.{0,2000}\})? ([0-9.e+]{1,30})$", re.MULTILINE)


def read_back(name: str, sink: Sink, started: Started, sent: Mapping[str, tuple[float, float]]) -> Iterator[Probe]:
    """List the questions to a sink's receiver. sent: what each Alertmanager had sent, and in vain, before the drill."""
    if isinstance(sink, Alertmanager):
        yield Probe(f"{name}, read back", lambda: _in_alertmanager(sink.url, started.unit), EVERY_S, lambda: _why(sink.url) or MISSING)
        if name in sent:
            before = sent[name]
            yield Probe(
                f"{name}, notification",
                lambda: _sent_by_alertmanager(sink.url, started.unit, before),
                EVERY_S,
                lambda: _why_unsent(sink.url, before),
            )
    if isinstance(sink, Ntfy):
        yield Probe(f"{name}, read back", lambda: _in_ntfy(sink, started), EVERY_S, lambda: _why(sink.url) or MISSING)


def page(number: int, url: str, unit: str) -> Probe:
    """Ask a page that shows what a receiver got, until it names the unit of the drill; its path may be a secret."""
    parts = urlsplit(Server(url).where)
    return Probe(f"page {number}, {parts.scheme}://{parts.netloc}", lambda: _on_page(url, unit), EVERY_S, lambda: _why(url) or MISSING)


def notifications(sink: Sink) -> tuple[float, float] | None:
    """Return how many notifications an Alertmanager has sent, and how many in vain; null where it cannot be asked."""
    if not isinstance(sink, Alertmanager):
        return None
    try:
        text = _server(sink.url).text("/metrics")
    except (NoAnswerError, UsageError):
        return None
    counts = [(bool(failed), float(value)) for failed, value in _COUNTER.findall(text)]
    return (sum(n for failed, n in counts if not failed), sum(n for failed, n in counts if failed)) if counts else None


def _server(url: str, token: str = "") -> Server:
    return Server(url, token, QUESTION_S)


def _in_alertmanager(url: str, unit: str) -> Arrival | None:
    matcher = quote(f'unit="{unit}"')
    found = _asked(url, f"/api/v2/alerts?filter={matcher}")
    alerts = [alert for alert in _list(found) if isinstance(alert, dict)]
    if not alerts:
        return None
    labels, status = _mapping(alerts[0].get("labels")), _mapping(alerts[0].get("status"))
    receivers = [safe_line(str(_mapping(one).get("name"))) for one in _list(alerts[0].get("receivers"))[:MOST_NAMED]]
    text = f"for the receiver {', '.join(receivers)}" if receivers else "for no receiver"
    if status.get("state") == "suppressed":
        return Arrival(time.time(), f"{text}, but silenced or inhibited there: nobody is notified", is_right=False)
    if labels.get(LABEL[0]) != LABEL[1]:
        text += f', without the label {LABEL[0]}="{LABEL[1]}"'
    return Arrival(time.time(), text)


def _sent_by_alertmanager(url: str, unit: str, before: tuple[float, float]) -> Arrival | None:
    """Compare its counters, once it has the alert: another alert's notification in the same seconds cannot be distinguished."""
    now = notifications(Alertmanager(url)) if _in_alertmanager(url, unit) is not None else None
    if now is None or now[0] - now[1] <= before[0] - before[1]:
        return None
    return Arrival(time.time(), "it has sent a notification since")


def _why_unsent(url: str, before: tuple[float, float]) -> str:
    now = notifications(Alertmanager(url))
    if now is not None and now[1] > before[1]:
        return "its notifications fail: see its log"
    return "it has sent no notification: its group_wait may be longer, its route may lead nowhere, or it has notified of this group already"


def _in_ntfy(sink: Ntfy, started: Started) -> Arrival | None:
    server, _, topic = sink.url.rstrip("/").rpartition("/")
    try:
        text = _server(server, sink.token).text(f"/{topic}/json?poll=1&since={int(started.at) - 5}")
    except (NoAnswerError, UsageError):
        return None
    for line in text.splitlines():
        with suppress(ValueError):
            message = _mapping(json.loads(line))
            if any(started.unit in str(message.get(part)) for part in ("title", "message")):
                return Arrival(time.time(), "the topic has it; whether a phone shows it cannot be read back")
    return None


def _on_page(url: str, unit: str) -> Arrival | None:
    parts = urlsplit(url)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        return Arrival(time.time(), "it names the unit") if unit in _server(origin).text(path) else None
    except NoAnswerError:
        return None


def _asked(url: str, path: str) -> Any:
    try:
        return _server(url.rstrip("/")).json(path)
    except (NoAnswerError, UsageError):
        return None


def _why(url: str) -> str:
    """Return why a server has no answer; "" where it has one."""
    parts = urlsplit(url)
    try:
        _server(f"{parts.scheme}://{parts.netloc}").text(parts.path or "/")
    except NoAnswerError as error:
        return f"its server {error}"
    return ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
