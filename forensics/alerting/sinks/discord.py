"""A Discord webhook: the alert as a code block, in which nobody is mentioned."""

from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.base import block, post

LONGEST = 2000  # letters of `content`


@dataclass(frozen=True, slots=True)
class Discord:
    url: str

    def send(self, alert: Alert) -> str:
        return post(self.url, {"content": block(alert, LONGEST), "allowed_mentions": {"parse": []}})
