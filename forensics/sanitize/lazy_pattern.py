"""Compile an expression when it is first needed: the hundreds of the tables take 0.2 s, and most lines need none of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class LazyPattern:
    """An expression that is compiled at its first use. flags: of `re`."""

    source: str
    flags: int = 0

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.source, self.flags)

    def search(self, text: str, at: int = 0) -> re.Match[str] | None:
        return self.compiled.search(text, at)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return self.compiled.finditer(text)
