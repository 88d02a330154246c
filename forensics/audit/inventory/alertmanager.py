"""Describe what an Alertmanager does with alerts: routes, receivers, silences, and what it has sent, from its file or a running server.

No address of a receiver is kept: it is mostly a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.audit.inventory.yaml_tree import UnusableError, read_text
from forensics.errors import UsageError
from forensics.promql import Matcher
from forensics.replay.alertmanager import Routing, parse_routing


@dataclass(frozen=True, slots=True)
class Silence:
    """An active silence."""

    matchers: tuple[Matcher, ...]
    until: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """How many notifications one kind of integration was given since the start, and how many of them failed."""

    integration: str
    count: float
    failed: float


@dataclass(frozen=True, slots=True)
class AlertTest:
    """What became of the alert of --send-test-alert. holds: null where that could not be seen."""

    holds: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """What there is. problem: why nothing is known. null in a part: it could not be seen, for the reason in `problems`."""

    where: str
    is_running: bool
    problem: str = ""
    routing: Routing | None = None
    silences: tuple[Silence, ...] | None = None
    why_not_ready: str | None = None  # "" where it is ready
    sent: tuple[Sent, ...] | None = None
    problems: Mapping[str, str] = field(default_factory=dict)
    test: AlertTest | None = None


def read_alertmanager(file: Path) -> Alertmanager:
    """Describe what an alertmanager.yml would make Alertmanager do."""
    try:
        return Alertmanager(str(file), is_running=False, routing=parse_routing(read_text(file), file))
    except UsageError as error:
        return Alertmanager(str(file), is_running=False, problem=f"has mistakes: {error}".rstrip("."))
    except UnusableError as error:
        return Alertmanager(str(file), is_running=False, problem=str(error))
