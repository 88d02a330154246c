"""A known problem of the catalogue, and the catalogue as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forensics.model.frames import EVENTS
from forensics.model.signature import Signature
from forensics.toml_file import Mistake
from forensics.wording import plural

SEVERITIES = ("critical", "high", "medium", "low", "info")
FATAL = ("critical", "high")  # these explain the end of an attempt; medium ones only when nothing else does, the others never
INFORMATIONAL = ("low", "info")  # these accompany failures and are none

RUST, REGEX = "rust", "regex"
ENGINES = (RUST, REGEX)
TIMEOUT_S = 0.25  # for one look-around expression on one text; an ordinary one needs microseconds
MOST_TIMEOUTS = 4  # of one pattern

# A pattern does not depend on the attempt or the time; text is matched by `message`.
COLUMNS = {
    name: dtype
    for name, dtype in EVENTS.items()
    if name not in {"event", "attempt", "time", "until", "text", "root", "last", "pid", "row", "rows"}
}

Value = str | int
Literals = tuple[str, ...]  # ASCII in lower case
Required = tuple[Literals, ...]  # each text that an expression matches contains one of each, in any case; empty when none are known


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
    general: int = (
        0  # 1: a wording of a whole kind, 2: of many kinds; where a less general pattern matches an event as well, that one counts
    )
    examples: tuple[Example, ...] = ()
    counterexamples: tuple[Example, ...] = ()
    literals: tuple[Required, ...] = ()  # of each of `messages`; empty where they were not looked for
    example_keys: tuple[str, ...] = field(default=(), compare=False)  # of `examples`, by `mask`; empty where they were not made

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
    """All known problems, by id.

    refused: the mistakes of the user's files that were left out. timeouts: how often each look-around expression took too long, by id;
    after MOST_TIMEOUTS the pattern is left out too, so that no user's pattern delays the rest for long.
    """

    patterns: tuple[Pattern, ...]
    refused: tuple[Mistake, ...] = ()
    timeouts: dict[str, int] = field(default_factory=dict, compare=False)

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence per pattern that timed out."""
        rest = {id_: " and is left out from then on" for id_, count in self.timeouts.items() if count >= MOST_TIMEOUTS}
        return tuple(
            f"The pattern {id_} timed out on {plural(count, 'text')} after {TIMEOUT_S} s each{rest.get(id_, '')}."
            for id_, count in self.timeouts.items()
        )

    def pattern(self, id_: str) -> Pattern | None:
        """The pattern with this id, null when there is none."""
        return next((pattern for pattern in self.patterns if pattern.id == id_), None)
