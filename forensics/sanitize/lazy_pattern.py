"""Compile an expression when it is first needed: the hundreds of the tables take 0.3 s, and most lines need none of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

Match = re.Match[str]


@dataclass(frozen=True)
class LazyPattern:
    """An expression that is compiled at its first use; from then on its methods are those of the compiled one. flags: of `re`."""

    source: str
    flags: int = 0

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        return re.compile(self.source, self.flags)

    @cached_property
    def search(self) -> Callable[..., Match | None]:
        return self.compiled.search

    @cached_property
    def match(self) -> Callable[..., Match | None]:
        return self.compiled.match

    @cached_property
    def fullmatch(self) -> Callable[..., Match | None]:
        return self.compiled.fullmatch

    @cached_property
    def finditer(self) -> Callable[..., Iterator[Match]]:
        return self.compiled.finditer

    @cached_property
    def findall(self) -> Callable[..., list[Any]]:
        return self.compiled.findall

    @cached_property
    def sub(self) -> Callable[..., str]:
        return self.compiled.sub

    @cached_property
    def split(self) -> Callable[..., list[Any]]:
        return self.compiled.split
