"""Define what an audit is about: the unit, its incident, and what the journal shows of controls acting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from forensics.model.controls import Replayed
from forensics.wording import instant


@dataclass(frozen=True, slots=True)
class FailedClass:
    """A failure class of the incident. cycle_s: the median time from one start to the next."""

    signature: str
    title: str
    failures: int
    restarts: int = 0
    cycle_s: float | None = None
    restart_helps: bool | None = None

    @property
    def area(self) -> str:
        """Return loader of loader.libstdcxx-missing, "" of a class that no pattern names."""
        return "" if ":" in self.signature else self.signature.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is audited. incident: its id; null where the unit has none. reason: why this unit."""

    unit: str
    reason: str
    manager: str = "system"
    machine: str = ""
    host: str = ""
    incident: str | None = None
    kind: str = ""
    start: datetime | None = None
    end: datetime | None = None
    restarts: int = 0
    failures: int = 0
    classes: tuple[FailedClass, ...] = ()
    others: tuple[str, ...] = ()  # other units with incidents

    @property
    def stem(self) -> str:
        """Return the unit's name without its type and instance."""
        return self.unit.rpartition(".")[0].partition("@")[0]


@dataclass(frozen=True, slots=True)
class Signs:
    """How often the journal shows something, with its last line."""

    count: int = 0
    last: datetime | None = None
    text: str = ""

    @property
    def shown(self) -> str:
        """Return the last time with its line, for a sentence."""
        when = "" if self.last is None else f"last {instant(self.last)} UTC"
        return ": ".join(part for part in (when, self.text) if part)


@dataclass(frozen=True, slots=True)
class AfterSwitch:
    """A deployment, and the units that were started within half an hour after it."""

    time: datetime
    summary: str
    started: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Journal:
    """What the journal shows about the unit's controls. problem: why nothing is known."""

    since: datetime | None = None
    until: datetime | None = None
    problem: str = ""
    systemd: int | None = None  # version, of its last boot on record
    ports: tuple[int, ...] = ()  # that the unit's lines name, most frequent first
    alerts: Signs = Signs()  # programs that report to have sent an alert about the unit
    refused: Signs = Signs()  # starts refused by the start limit
    on_failure: Signs = Signs()
    gate: Signs = Signs()
    failed_commands: Mapping[str, Signs] = field(default_factory=dict)  # ExecStartPre, ExecCondition, ExecStartPost → failed starts
    skipped: Signs = Signs()  # starts that a condition skipped
    switches: tuple[AfterSwitch, ...] = ()
    started: Mapping[str, Signs] = field(default_factory=dict)  # other units, by name
    replayed: tuple[Replayed, ...] = ()  # of the incident: rules, limits and probes that are there
