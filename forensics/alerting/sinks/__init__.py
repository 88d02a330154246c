"""The kinds of sink, one module each, by the name that `watch.toml` uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forensics.alerting.sinks.alertmanager import Alertmanager
from forensics.alerting.sinks.command import Command
from forensics.alerting.sinks.discord import Discord
from forensics.alerting.sinks.loki import Loki
from forensics.alerting.sinks.ntfy import Ntfy
from forensics.alerting.sinks.sink import Sink
from forensics.alerting.sinks.slack import Slack
from forensics.alerting.sinks.stdout import Stdout
from forensics.alerting.sinks.webhook import Webhook

# kind → (constructor, required settings, optional settings)
KINDS: Mapping[str, tuple[Callable[..., Sink], tuple[str, ...], tuple[str, ...]]] = {
    "stdout": (Stdout, (), ("json_lines",)),
    "alertmanager": (Alertmanager, ("url",), ()),
    "webhook": (Webhook, ("url",), ("token",)),
    "discord": (Discord, ("url",), ()),
    "slack": (Slack, ("url",), ()),
    "ntfy": (Ntfy, ("url",), ("token",)),
    "command": (Command, ("command",), ()),
    "loki": (Loki, ("url",), ("tenant", "token")),
}
