"""A known problem of the catalogue, and the catalogue as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.model.frames import EVENTS
from forensics.model.values import Signature
from forensics.toml_file import Mistake

SEVERITIES = ("critical", "high", "medium", "low", "info")
FATAL = ("critical", "high")  # these explain the end of an attempt; medium ones only when nothing else does, the others never

RUST, REGEX = "rust", "regex"
ENGINES = (RUST, REGEX)

# A pattern does not depend on the attempt or the time; text is matched by `message`.
COLUMNS = {
    name: dtype
    for name, dtype in EVENTS.items()
    if name not in {"event", "attempt", "time", "until", "text", "root", "last", "pid", "row", "rows"}
}

Value = str | int


@dataclass(frozen=True, slots=True)
class Example:
    """An event: its text and, where a pattern requires them, other columns. why is null for an example that must match."""

    message: str
    columns: Mapping[str, Value] = field(default_factory=dict)
    captures: Mapping[str, str] = field(default_factory=dict)
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Pattern:
    """A known problem.

    An event matches when any of `messages` is found in its text and each of `columns` has one of the values; without `messages` the
    columns alone decide.
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


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known problems, by id. refused: the mistakes of the user's files that were left out."""

    patterns: tuple[Pattern, ...]
    refused: tuple[Mistake, ...] = ()

    def pattern(self, id_: str) -> Pattern | None:
        """The pattern with this id, null when there is none."""
        return next((pattern for pattern in self.patterns if pattern.id == id_), None)
