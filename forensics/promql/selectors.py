"""Match label sets, as the selectors of an expression do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import regex  # type: ignore[import-untyped]

from forensics.promql.errors import UnsupportedError
from forensics.promql.labels import NAME, Labels, get

LONGEST_MATCH_S = 0.2  # a pattern that backtracks longer on one value is refused
SPECIAL = frozenset("\\.+*?()|[]{}^$")
# what RE2 has not, or reads as something else: look-around, atomic and recursive groups, back references, possessive and fuzzy repeats
NOT_RE2 = regex.compile(r"\(\?(?:[=!>&R0-9|#(]|<[=!]|P[=>])|\\[1-9gkGKXLZ]|[*+?}]\+|\{(?!\d+(?:,\d*)?\})|\{\d+,\d+\}\+")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector. operator: =, !=, =~ or !~."""

    label: str
    operator: str
    value: str

    def accepts(self, value: str) -> bool:
        """Check a label's value; a series without the label has the empty one."""
        equal = matches(self.value, value) if self.operator.endswith("~") else value == self.value
        return equal == (self.operator in {"=", "=~"})


@dataclass(frozen=True, slots=True)
class Selector:
    """What selects series. metric: the name, null where the selector does not give exactly one."""

    metric: str | None
    matchers: tuple[Matcher, ...]  # without the one that gives the metric
    absent: bool = False  # stands inside absent() or absent_over_time()

    def accepts(self, labels: Labels) -> bool:
        return (self.metric is None or get(labels, NAME) == self.metric) and all(
            matcher.accepts(get(labels, matcher.label)) for matcher in self.matchers
        )


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> regex.Pattern[str]:
    r"""Compile an anchored pattern: classes such as \d are ASCII only, as in RE2."""
    if NOT_RE2.search(pattern):
        raise UnsupportedError(f"the regular expression {pattern[:60]!r}")
    try:
        return regex.compile(f"(?:{pattern})", regex.ASCII | regex.VERSION0)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise UnsupportedError(f"the regular expression {pattern[:60]!r}") from error


@lru_cache(maxsize=1 << 16)
def matches(pattern: str, value: str) -> bool:
    if not SPECIAL.intersection(pattern):
        return pattern == value
    try:
        return compiled(pattern).fullmatch(value, timeout=LONGEST_MATCH_S) is not None
    except TimeoutError as error:
        raise UnsupportedError(f"the regular expression {pattern[:60]!r}, which takes too long") from error
