"""One known problem of the catalogue as a value, and the mistakes a pattern file can make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.model.frames import EVENTS
from forensics.model.values import Signature

SEVERITIES = ("critical", "high", "medium", "low", "info")
FATAL = ("critical", "high")  # these explain the end of an attempt; medium ones only when nothing else does, the others never

RUST, REGEX = "rust", "regex"
ENGINES = (RUST, REGEX)

# Which run and when is not what a pattern is about; text is matched by `message`.
COLUMNS = {
    name: dtype
    for name, dtype in EVENTS.items()
    if name not in {"event", "attempt", "time", "until", "text", "root", "last", "pid", "row", "rows"}
}

Value = str | int


@dataclass(frozen=True, slots=True)
class Example:
    """An event: its text and, where a pattern asks for them, other columns. why is null for an example that must match."""

    message: str
    columns: Mapping[str, Value] = field(default_factory=dict)
    captures: Mapping[str, str] = field(default_factory=dict)
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A known problem. An event matches when any of `messages` is found in its text (all texts, when there are none)
    and each of `columns` has one of the values given.
    """

    signature: Signature
    file: Path
    messages: tuple[str, ...]
    columns: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    engine: str = RUST
    explains: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    counterexamples: tuple[Example, ...] = ()

    @property
    def id(self) -> str:
        return self.signature.id

    @property
    def title(self) -> str:
        return self.signature.title

    @property
    def severity(self) -> str:
        return self.signature.severity

    @property
    def restart_helps(self) -> bool | None:
        return self.signature.restart_helps

    @property
    def is_fatal(self) -> bool:
        return self.severity in FATAL


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong in which file, at which key; line is null where the file's text does not show it."""

    file: Path
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else f"{self.file}"
        return f"{where}: {self.key}: {self.text}" if self.key else f"{where}: {self.text}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known problems, by id; and what stands against the user's files that were left out."""

    patterns: tuple[Pattern, ...]
    refused: tuple[Mistake, ...] = ()
