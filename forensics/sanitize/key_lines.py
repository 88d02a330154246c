"""Find the lines of a private key that are texts of their own, each in what a logger puts around it: a time, a name, JSON."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from forensics.sanitize import key_blocks
from forensics.sanitize.lazy_pattern import LazyPattern
from forensics.sanitize.value_forms import Span

_BODY = r"(?P<s>[A-Za-z0-9+/]{1,100}={0,2}|=[A-Za-z0-9+/]{4})"
_RUN = LazyPattern(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{16,100}={0,2}(?![A-Za-z0-9+/])")
_NUMBERS = LazyPattern(r"[0-9]+")
_LONGEST_PREFIX, _BEHIND = 300, 3  # characters before a line of the block, and of what is behind it
_OF_A_BLOCK = 32  # characters that only a line of the block has


@lru_cache(maxsize=64)
def _wrapped(before: str, behind: str) -> LazyPattern:
    """Expression of a line in the same place; numbers, such as those of the time, may be others."""
    prefix = "[0-9]+".join(map(re.escape, _NUMBERS.split(before)))
    end = rf"{re.escape(behind)}|\s{{0,8}}\Z" if behind else r"\s{0,8}\Z"
    return LazyPattern(rf"{prefix}\s{{0,8}}{_BODY}(?={end})")


@dataclass(frozen=True, slots=True)
class OpenBlock:
    """A block that has begun: what is before and behind each of its lines, and how many may follow."""

    before: str
    behind: str
    lines: int = key_blocks.MOST_LINES

    def body(self, line: str) -> Span | None:
        """Where the key material of a line is; nothing in a header, or in a line of something else."""
        if len(line) > 2 * _LONGEST_PREFIX:
            return None
        if (match := _wrapped(self.before, self.behind).match(line)) is not None:
            return match.span("s")
        if key_blocks.is_body(line):
            start = len(line) - len(line.lstrip())
            return start, start + len(line.strip())
        return next((match.span() for match in _RUN.finditer(line) if _is_key(match[0])), None)

    def after(self, line: str, span: Span | None) -> OpenBlock:
        """The block behind a line: the next is wrapped as this one is."""
        if span is None or span[0] > _LONGEST_PREFIX or span[1] - span[0] < _OF_A_BLOCK:
            return OpenBlock(self.before, self.behind, self.lines - 1)
        return OpenBlock(line[: span[0]], _suffix(line[span[1] :]), self.lines - 1)


def opened(text: str, begin: re.Match[str]) -> OpenBlock:
    """Return the block that begins in the last line of a text."""
    before = text[text.rfind("\n", 0, begin.start()) + 1 : begin.start()]
    return OpenBlock(before[-_LONGEST_PREFIX:] if len(before) <= _LONGEST_PREFIX else "", _suffix(text[begin.end() :].partition("\n")[0]))


def bodies(text: str, block: OpenBlock) -> tuple[list[Span], OpenBlock]:
    """List the spans of key material in a text that follows the beginning of a block; and the block behind it."""
    spans, at = [], 0
    for line in text.split("\n"):
        if block.lines <= 0 or key_blocks.ends(line):
            break
        if (span := block.body(line)) is not None:
            spans.append((at + span[0], at + span[1]))
        block = block.after(line, span)
        at += len(line) + 1
    return spans, block


def _suffix(behind: str) -> str:
    return behind.rstrip()[:_BEHIND]


def _is_key(run: str) -> bool:
    """Whether a run of base64 changes its case as key material does, and no path or name."""
    changes = [(a.islower() and b.isupper(), a.isupper() and b.islower()) for a, b in pairwise(run)]
    return all(sum(of_kind) > 1 for of_kind in zip(*changes, strict=True))
