"""Discord, Slack and ntfy: the alert as a short text, in the form that each service takes."""

from dataclasses import dataclass

from forensics.live.alert import Alert
from forensics.live.sinks.base import post

DISCORD_LONGEST = 2000  # characters of `content`
SLACK_LONGEST = 3000
NTFY_LONGEST = 4096  # bytes, a longer one becomes an attachment


@dataclass(frozen=True, slots=True)
class Discord:
    url: str

    def send(self, alert: Alert) -> str:
        return post(self.url, {"content": _block(alert, DISCORD_LONGEST), "allowed_mentions": {"parse": []}})


@dataclass(frozen=True, slots=True)
class Slack:
    url: str

    def send(self, alert: Alert) -> str:
        return post(self.url, {"text": _block(alert, SLACK_LONGEST).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")})


@dataclass(frozen=True, slots=True)
class Ntfy:
    """url: with the topic as its last part."""

    url: str
    token: str = ""

    def send(self, alert: Alert) -> str:
        server, _, topic = self.url.rstrip("/").rpartition("/")
        urgent = {"critical": 5, "warning": 4}.get(alert.severity, 3)
        message = alert.as_text().encode()[:NTFY_LONGEST].decode(errors="ignore")
        body = {"topic": topic, "title": alert.name, "message": message, "priority": urgent}
        return post(server, body, {"Authorization": f"Bearer {self.token}"} if self.token else {})


def _block(alert: Alert, longest: int) -> str:
    """The text as a code block, which no log line can end."""
    fence = "`" * 3
    return f"{fence}\n{alert.as_text().replace(fence, chr(39) * 3)[: longest - 2 * len(fence) - 2]}\n{fence}"
