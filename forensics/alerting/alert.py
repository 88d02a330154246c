"""What a sink is given: one alert, harmless and without secrets, as text, as labels and annotations, as JSON."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from forensics.sanitize.redact import redactor
from forensics.sanitize.text import cut, one_line, reflowed, shown, without_controls

NEW, LOOP, FUTILE, RECOVERED, LOSS = "NewFailureSignature", "RestartLoop", "FutileRestart", "ServiceRecovered", "JournalLoss"
TEST = "TestAlert"
LONGEST_LINE = 1000
SEARCHED = 2 * LONGEST_LINE  # of a text, for secrets: more is never shown
LONGEST_LABEL = 200  # letters: Alertmanager and Prometheus take more, people do not read it


@dataclass(frozen=True, slots=True)
class Alert:
    """Times are seconds since 1970. state: of the class: new, ongoing, regressed, escalating; empty where it is about no class."""

    name: str
    unit: str
    host: str
    severity: str  # critical, warning, info
    summary: str
    starts_at: float
    signature: str = ""
    state: str = ""
    title: str = ""
    cause: str = ""
    remedy: str = ""
    evidence: str = ""
    why: str = ""
    first_seen: float | None = None
    count: int = 0
    restart_helps: bool | None = None
    fails_of: str = ""  # of a loop: the class of the last failure, which is no part of its identity
    ended_at: float | None = None  # resolved
    raised_at: float | None = None  # when `watch` told its sinks; null before

    @property
    def key(self) -> str:
        """What it is about: two alerts with the same key are one alert at two moments."""
        return f"{self.name}/{self.host}/{self.unit}/{self.signature}"

    @property
    def id(self) -> str:
        """The same for every delivery of this alert in this state, so that a receiver can drop what it has."""
        moment = f"{self.key}/{self.starts_at:.6f}/{self.ended_at is not None}"
        return hashlib.sha256(moment.encode()).hexdigest()[:16]

    @property
    def more(self) -> str:
        """The command that shows more."""
        return f"tabby-forensics report --since 1d --unit {shlex.quote(self.unit)}" if self.unit else "tabby-forensics report --since 1d"

    def labels(self) -> dict[str, str]:
        """Never an empty value: Alertmanager drops those, and with them the identity of the alert."""
        found = {"alertname": self.name, "unit": self.unit, "host": self.host, "signature": self.signature, "severity": self.severity}
        return {name: value[:LONGEST_LABEL] for name, value in found.items() if value}

    def annotations(self) -> dict[str, str]:
        found = {
            "summary": self.summary,
            "title": self.title,
            "class": self.signature or self.fails_of,
            "cause": self.cause,
            "remedy": self.remedy,
            "evidence": self.evidence,
            "why": self.why,
            "state": self.state,
            "count": str(self.count) if self.count else "",
            "first_seen": rfc3339(self.first_seen) if self.first_seen is not None else "",
            "restart_helps": {True: "yes", False: "no", None: ""}[self.restart_helps],
            "command": self.more,
        }
        return {name: value for name, value in found.items() if value}

    def as_json(self) -> dict[str, Any]:
        """The body of a webhook."""
        return {
            "id": self.id,
            "status": "firing" if self.ended_at is None else "resolved",
            "labels": self.labels(),
            "annotations": self.annotations(),
            "startsAt": rfc3339(self.starts_at),
            "endsAt": None if self.ended_at is None else rfc3339(self.ended_at),
        }

    def as_text(self) -> str:
        """A few lines for people."""
        return f"{'RESOLVED ' if self.ended_at is not None else ''}{self.name}: {self.summary}\n{self.details()}"

    def details(self) -> str:
        """What stands under the summary."""
        known = [f"class {self.signature or self.fails_of}"] if self.signature or self.fails_of else []
        known += [f"state {self.state}"] if self.state else []
        known += [f"host {self.host}"] if self.host else []
        known += [f"first seen {rfc3339(self.first_seen)}"] if self.first_seen is not None else []
        known += [f"count {self.count}"] if self.count else []
        lines = [f"  {', '.join(known)}"] if known else []
        lines += [f"  evidence: {self.evidence}"] if self.evidence else []
        lines += [f"  cause: {self.cause}"] if self.cause else []
        if self.ended_at is None:
            lines += ["  restarting it does not help"] if self.restart_helps is False else []
            lines += ["  remedy:", *(f"    {line}" for line in self.remedy.splitlines())] if self.remedy else []
        return "\n".join([*lines, f"  more: {self.more}"])

    def stored(self) -> str:
        return json.dumps(asdict(self))


def restored(text: str) -> Alert:
    return Alert(**json.loads(text))


def harmless(values: Mapping[str, str]) -> dict[str, str]:
    """Texts of a log → the same on one line each, without controls, hidden characters and secrets."""
    plain = {name: without_controls(value)[:SEARCHED] for name, value in values.items()}
    hide = redactor(plain.values())
    return {name: one_line(shown(hide(value)), LONGEST_LINE) for name, value in plain.items()}


def paragraphs(text: str) -> str:
    """A catalogue's text with its line breaks, cut."""
    return cut(reflowed(shown(without_controls(text))), 2000)


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
