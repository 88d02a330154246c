"""A Slack incoming webhook: the alert as a code block, its control characters escaped."""

from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.base import block, post

LONGEST = 3000  # letters that Slack shows of a text


@dataclass(frozen=True, slots=True)
class Slack:
    url: str

    def send(self, alert: Alert) -> str:
        return post(self.url, {"text": block(alert, LONGEST).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")})
