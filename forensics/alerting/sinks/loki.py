"""Loki's push API: the alert as a log line; labels of many values become structured metadata."""

import json
import time
from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.http import post


@dataclass(frozen=True, slots=True)
class Loki:
    url: str
    tenant: str = ""
    token: str = ""

    def send(self, alert: Alert) -> str:
        labels = {"service_name": "tabby-forensics", "source": "alert", "unit": alert.unit or "none", "host": alert.host or "unknown"}
        metadata = {"alertname": alert.name, "severity": alert.severity, "id": alert.id}
        metadata |= {"signature": alert.signature} if alert.signature else {}
        # not the alert's start: a stream refuses lines an hour older than its newest. The same in a retry, so that Loki drops the duplicate
        at = alert.raised_at if alert.raised_at is not None else time.time()
        values = [[str(int(at * 1e6) * 1000), json.dumps(alert.as_json()), metadata]]
        headers = {"X-Scope-OrgID": self.tenant} if self.tenant else {}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return post(f"{self.url.rstrip('/')}/loki/api/v1/push", {"streams": [{"stream": labels, "values": values}]}, headers)
