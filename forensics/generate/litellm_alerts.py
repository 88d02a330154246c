"""Send alerts about the breakers of LiteLLM to the kinds of sinks that `watch` has, each from a thread of its own."""

import contextlib
import json
import logging
import queue
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

MOST_ALERTS, MOST_TRIES = 100, 12
REPOST_S, LONGEST_DELAY_S, POST_S = 60.0, 60.0, 10.0
TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})

log = logging.getLogger("tabby_breaker")


@dataclass(frozen=True)
class Alert:
    """A deployment that is not asked. Times are seconds since 1970."""

    deployment: str
    unit: str
    host: str
    why: str
    starts_at: float
    ended_at: float | None = None

    @property
    def labels(self) -> dict[str, str]:
        named = {"alertname": "BreakerOpened", "severity": "critical", "deployment": self.deployment, "unit": self.unit, "host": self.host}
        return {name: value for name, value in named.items() if value}

    @property
    def summary(self) -> str:
        if self.ended_at is not None:
            return f"LiteLLM asks {self.deployment} again: {self.why}"
        return f"LiteLLM no longer asks {self.deployment}: {self.why}; its fallbacks answer"

    @property
    def status(self) -> str:
        return "firing" if self.ended_at is None else "resolved"


Request = tuple[str, Any, dict[str, str]]  # URL, body, headers


def _alertmanager(sink: Mapping[str, str], alert: Alert) -> Request:
    ends = time.time() + 3 * REPOST_S if alert.ended_at is None else alert.ended_at
    times: dict[str, Any] = {"startsAt": rfc3339(min(alert.starts_at, ends)), "endsAt": rfc3339(ends)}
    return f"{sink['url'].rstrip('/')}/api/v2/alerts", [{"labels": alert.labels, "annotations": {"summary": alert.summary}, **times}], {}


def _webhook(sink: Mapping[str, str], alert: Alert) -> Request:
    id_ = f"{alert.host}/{alert.deployment}/{alert.starts_at:.3f}/{alert.status}"
    body: dict[str, Any] = {"id": id_, "status": alert.status, "labels": alert.labels, "annotations": {"summary": alert.summary}}
    body |= {"startsAt": rfc3339(alert.starts_at), "endsAt": None if alert.ended_at is None else rfc3339(alert.ended_at)}
    return sink["url"], body, {"Idempotency-Key": id_, **_bearer(sink)}


def _ntfy(sink: Mapping[str, str], alert: Alert) -> Request:
    server, _, topic = sink["url"].rstrip("/").rpartition("/")
    priority, tag = (5, "rotating_light") if alert.ended_at is None else (3, "white_check_mark")
    return server, {"topic": topic, "title": alert.summary, "message": "BreakerOpened", "priority": priority, "tags": [tag]}, _bearer(sink)


def _bearer(sink: Mapping[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {sink['token']}"} if sink.get("token") else {}


SINKS: Mapping[str, Callable[[Mapping[str, str], Alert], Request]] = {
    "alertmanager": _alertmanager,
    "webhook": _webhook,
    "ntfy": _ntfy,
    "slack": lambda sink, alert: (sink["url"], {"text": alert.summary}, {}),
    "discord": lambda sink, alert: (sink["url"], {"content": alert.summary, "allowed_mentions": {"parse": []}}, {}),
}


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Return redirects as they are: they would carry tokens elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ask(request: urllib.request.Request, within_s: float, *handlers: urllib.request.BaseHandler) -> int:
    """Return the status of an answer; 0 where there is none."""
    try:
        with urllib.request.build_opener(_NoRedirects, *handlers).open(request, timeout=within_s) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except Exception:  # noqa: BLE001 - whatever a server sends must not end the thread
        return 0


def send(sink: Mapping[str, str], alert: Alert) -> None:
    """Send an alert until it is taken, a few minutes long; only this sink's own thread waits."""
    for number in range(MOST_TRIES):
        url, body, headers = SINKS[sink["kind"]](sink, alert)
        headers = {"Content-Type": "application/json", "User-Agent": "tabby-breaker", **headers}
        status = ask(urllib.request.Request(url, json.dumps(body).encode(), headers), POST_S)  # noqa: S310 - read_settings checks it
        if status and status not in TEMPORARY:
            break
        time.sleep(min(2.0**number, LONGEST_DELAY_S))
    if status not in range(200, 300):
        log.warning("the alert about %s was not taken by the %s: HTTP %s", alert.deployment, sink["kind"], status or "no answer")


def deliver(sink: Mapping[str, str], waiting: "queue.Queue[Alert]") -> None:
    """Send a sink's alerts in their order, and open ones again to Alertmanager, which resolves what is not repeated."""
    firing: dict[str, Alert] = {}
    while True:
        with contextlib.suppress(queue.Empty):
            alert = waiting.get(timeout=REPOST_S)
            send(sink, alert)
            firing = {name: each for name, each in firing.items() if name != alert.deployment}
            firing |= {alert.deployment: alert} if alert.ended_at is None else {}
            continue
        for alert in firing.values() if sink["kind"] == "alertmanager" else ():
            send(sink, alert)


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")  # noqa: UP017
