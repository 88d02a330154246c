"""POST each alert as JSON; the header Idempotency-Key is the same for every delivery of one alert."""

from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.http import post


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    token: str = ""

    def send(self, alert: Alert) -> str:
        authorization = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return post(self.url, alert.as_json(), {"Idempotency-Key": alert.id, **authorization})
