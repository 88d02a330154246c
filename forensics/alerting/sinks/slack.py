"""A Slack incoming webhook: the alert as a code block, its control characters escaped."""

from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.http import post

LONGEST = 3000  # characters of a text that Slack shows


@dataclass(frozen=True, slots=True)
class Slack:
    url: str

    def send(self, alert: Alert) -> str:
        return post(self.url, {"text": alert.as_code_block(LONGEST).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")})
