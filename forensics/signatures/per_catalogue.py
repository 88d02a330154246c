"""Remember what is computed of a whole catalogue: `watch` asks for it with each attempt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from forensics.signatures.pattern import Pattern

Made = TypeVar("Made")
MOST = 4  # catalogues


class PerCatalogue(Generic[Made]):
    """A function of the patterns of a catalogue, which are never changed, computed once for each of the newest few."""

    def __init__(self, make: Callable[[Sequence[Pattern]], Made]) -> None:
        self._make = make
        self._newest: list[tuple[Sequence[Pattern], Made]] = []

    def __call__(self, patterns: Sequence[Pattern]) -> Made:
        for known, made in self._newest:
            if known is patterns:
                return made
        made = self._make(patterns)
        self._newest = [(patterns, made), *self._newest][:MOST]
        return made
