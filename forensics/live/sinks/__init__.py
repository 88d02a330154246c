"""Where alerts go: one module a kind of sink, one line each in KINDS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forensics.live.sinks.alertmanager import Alertmanager
from forensics.live.sinks.base import Sink
from forensics.live.sinks.command import Command
from forensics.live.sinks.discord import Discord
from forensics.live.sinks.loki import Loki
from forensics.live.sinks.ntfy import Ntfy
from forensics.live.sinks.slack import Slack
from forensics.live.sinks.stdout import Stdout
from forensics.live.sinks.webhook import Webhook

# kind → (how it is made, the settings it must have, those it may have)
KINDS: Mapping[str, tuple[Callable[..., Sink], tuple[str, ...], tuple[str, ...]]] = {
    "stdout": (Stdout, (), ("json_lines",)),
    "alertmanager": (Alertmanager, ("url",), ()),
    "webhook": (Webhook, ("url",), ("token",)),
    "discord": (Discord, ("url",), ()),
    "slack": (Slack, ("url",), ()),
    "ntfy": (Ntfy, ("url",), ("token",)),
    "command": (Command, ("command",), ()),
    "loki": (Loki, ("url",), ("tenant",)),
}
