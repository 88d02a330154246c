"""One alert, as a sink sends it: as text, as labels and annotations, as JSON."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from forensics.alerting.stored_values import rebuilt
from forensics.model.own_entries import is_drill
from forensics.model.values import UnitKey
from forensics.sanitize import cut, one_line, sanitizer
from forensics.wording import reflowed

NEW, LOOP, FUTILE, RECOVERED, LOSS = "NewFailureSignature", "RestartLoop", "FutileRestart", "ServiceRecovered", "JournalLoss"
DOWN, JOB, BREAKER = "UnitDown", "JobFailing", "BreakerOpened"
REMEDY_STARTED, REMEDY_ENDED = "RemedyStarted", "RemedyEnded"
TEST = "TestAlert"
LONGEST_LINE = 1000
LONGEST_PARAGRAPHS = 2000
LONGEST_LABEL = 200  # characters: Alertmanager and Prometheus accept more, nobody reads it


@dataclass(frozen=True, slots=True)
class Alert:
    """Times are seconds since 1970. state: of the class (new, ongoing, regressed, escalating); empty for an alert without a class."""

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
    fails_of: str = ""  # of a loop: the class of its last failure, not part of its identity
    ended_at: float | None = None  # when it was resolved
    raised_at: float | None = None  # when `watch` queued it for its sinks
    machine: str = ""  # with manager and unit what the alert is about: host is only a label
    manager: str = "system"
    restart_helps_when: str = ""

    @property
    def key(self) -> str:
        """Identify the subject: two alerts with the same key are one alert at two moments."""
        return f"{self.name}/{self.machine or self.host}/{self.unit}/{self.signature}" + (
            f"/{self.manager}" if self.manager != "system" else ""
        )

    @property
    def unit_key(self) -> UnitKey:
        return UnitKey(self.machine, self.manager, self.unit)

    @property
    def is_drill(self) -> bool:
        """Whether it is about a unit that failed only to try the alerts."""
        return is_drill(self.unit)

    @property
    def id(self) -> str:
        """Identify this alert in this state: equal for every delivery, so that receivers can drop duplicates."""
        moment = f"{self.key}/{self.starts_at:.6f}/{self.ended_at is not None}"
        return hashlib.sha256(moment.encode()).hexdigest()[:16]

    @property
    def report_command(self) -> str:
        """The command that shows more."""
        return f"tabby-forensics report --since 1d --unit {shlex.quote(self.unit)}" if self.unit else "tabby-forensics report --since 1d"

    def labels(self) -> dict[str, str]:
        """Labels, none of them empty: Alertmanager drops empty ones, and the identity of the alert with them."""
        labels = {"alertname": self.name, "unit": self.unit, "host": self.host, "signature": self.signature, "severity": self.severity}
        labels |= {"machine": self.machine, "manager": "" if self.manager == "system" else self.manager}
        labels |= {"drill": "true"} if self.is_drill else {}
        return {name: value[:LONGEST_LABEL] for name, value in labels.items() if value}

    def annotations(self) -> dict[str, str]:
        annotations = {
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
            "restart_helps_when": self.restart_helps_when,
            "command": self.report_command,
        }
        return {name: value for name, value in annotations.items() if value}

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
        """The alert for people: one line of summary, then the details."""
        return f"{'RESOLVED ' if self.ended_at is not None else ''}{self.name}: {self.summary}\n{self.details()}"

    def as_code_block(self, longest: int) -> str:
        """The text as a Markdown code block of at most `longest` characters, which no log line can close."""
        fence = "`" * 3
        return f"{fence}\n{self.as_text().replace(fence, chr(39) * 3)[: longest - 2 * len(fence) - 2]}\n{fence}"

    def details(self) -> str:
        """The lines below the summary."""
        facts = ["a drill"] if self.is_drill else []
        facts += [f"class {self.signature or self.fails_of}"] if self.signature or self.fails_of else []
        facts += [f"state {self.state}"] if self.state else []
        facts += [f"host {self.host}"] if self.host else []
        facts += [f"first seen {rfc3339(self.first_seen)}"] if self.first_seen is not None else []
        facts += [f"count {self.count}"] if self.count else []
        lines = [f"  {', '.join(facts)}"] if facts else []
        lines += [f"  evidence: {self.evidence}"] if self.evidence else []
        lines += [f"  cause: {self.cause}"] if self.cause else []
        if self.ended_at is None:
            lines += ["  restarting does not help"] if self.restart_helps is False else []
            lines += [f"  a restart helps: {self.restart_helps_when}"] if self.restart_helps_when else []
            lines += ["  remedy:", *(f"    {line}" for line in self.remedy.splitlines())] if self.remedy else []
        return "\n".join([*lines, f"  more: {self.report_command}"])

    def stored(self) -> str:
        """JSON for `restored`."""
        return json.dumps(asdict(self))


def restored(text: Any) -> Alert:
    """Read what `Alert.stored` wrote, also another version of it. Raises ValueError."""
    try:
        alert: Alert = rebuilt(Alert, json.loads(text))
    except (TypeError, RecursionError, OverflowError) as error:
        raise ValueError(str(error)) from error
    return alert


def harmless(values: Mapping[str, str]) -> dict[str, str]:
    """Sanitize texts of a log and put each on one line."""
    safe = sanitizer(values.values(), redact=True, longest=LONGEST_LINE)
    return {name: one_line(safe(value)) for name, value in values.items()}


def paragraphs(text: str) -> str:
    """Sanitize a text of the catalogue, one line per paragraph or list item; it is not redacted."""
    return cut(reflowed(sanitizer((), redact=False)(text)), LONGEST_PARAGRAPHS)


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
