"""Alertmanager's API v2. One alert a request: of a batch that is answered 400 a part is stored all the same.

Alertmanager forgets: an alert without news ends after its resolve_timeout, and all are gone when it restarts. So open ones
are posted again.
"""

import time
from dataclasses import dataclass

from forensics.alerting.alert import Alert, rfc3339
from forensics.alerting.sinks.base import post

REPOST_S = 60


@dataclass(frozen=True, slots=True)
class Alertmanager:
    url: str

    def send(self, alert: Alert) -> str:
        # startsAt always: without it a future endsAt becomes the start. Annotations always: a resolving post without them wipes them.
        ends = alert.ended_at if alert.ended_at is not None else time.time() + 3 * REPOST_S
        element = {
            "labels": alert.labels(),
            "annotations": alert.annotations(),
            "startsAt": rfc3339(min(alert.starts_at, ends)),
            "endsAt": rfc3339(ends),
        }
        return post(f"{self.url.rstrip('/')}/api/v2/alerts", [element])
