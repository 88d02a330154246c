"""Alertmanager's API v2, one alert per request: it stores part of a batch even when it answers 400.

Alertmanager resolves an alert that is not posted again, and loses all of them in a restart: open alerts are reposted.
"""

import time
from dataclasses import dataclass

from forensics.alerting.alert import Alert, rfc3339
from forensics.alerting.sinks.http import post

REPOST_S = 60


@dataclass(frozen=True, slots=True)
class Alertmanager:
    url: str

    def send(self, alert: Alert) -> str:
        # always with startsAt, or a future endsAt becomes the start; always with annotations, or resolving wipes them
        ends = alert.ended_at if alert.ended_at is not None else time.time() + 3 * REPOST_S
        element = {
            "labels": alert.labels(),
            "annotations": alert.annotations(),
            "startsAt": rfc3339(min(alert.starts_at, ends)),
            "endsAt": rfc3339(ends),
        }
        return post(f"{self.url.rstrip('/')}/api/v2/alerts", [element])
