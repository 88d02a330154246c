"""A Discord webhook: the alert as a code block that mentions nobody."""

from dataclasses import dataclass

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.http import post

LONGEST = 2000  # characters of `content`


@dataclass(frozen=True, slots=True)
class Discord:
    url: str

    def send(self, alert: Alert) -> str:
        return post(self.url, {"content": alert.as_code_block(LONGEST), "allowed_mentions": {"parse": []}})
