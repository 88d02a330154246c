"""ntfy, push notifications for phones: the summary is the title, the details are the message."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from forensics.alerting.alert import Alert
from forensics.alerting.sinks.http import post

LONGEST = 4096  # bytes of a message; a longer one becomes an attachment
PRIORITIES = {"critical": 5, "warning": 4}  # of 1 … 5; 3 is the default


@dataclass(frozen=True, slots=True)
class Ntfy:
    """url: ends with the topic. Raises ValueError without one."""

    url: str
    token: str = ""

    def __post_init__(self) -> None:
        if not urlsplit(self.url).path.strip("/"):
            raise ValueError("'url' ends without a topic")

    def send(self, alert: Alert) -> str:
        server, _, topic = self.url.rstrip("/").rpartition("/")
        resolved = alert.ended_at is not None
        body = {
            "topic": topic,
            "title": f"{'Resolved: ' if resolved else ''}{alert.summary}",
            "message": f"{alert.name}\n{alert.details()}".encode()[:LONGEST].decode(errors="ignore"),
            "priority": 3 if resolved else PRIORITIES.get(alert.severity, 3),
            "tags": ["white_check_mark" if resolved or alert.severity == "info" else "rotating_light"],
        }
        return post(server, body, {"Authorization": f"Bearer {self.token}"} if self.token else {})
