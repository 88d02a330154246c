"""Extract the literals of a regular expression that every match contains."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection, Iterable
from re import _constants as op  # type: ignore[attr-defined]  # the parser of `re`: its tree is the simplest reliable analysis of a pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Literals = frozenset[str]

# Word boundaries of the Rust dialect that `re` takes for literals: \< \> \b{start}.
DIFFERENT = re.compile(r"\\(?:[<>]|[bB]\{)")

SHORTEST = 3  # shorter literals are in so many texts that searching for them first saves nothing
MOST = 3  # sets


def plain(text: str) -> str:
    """Make a text comparable with literals: in lower case, and with the letters that the Rust dialect takes for k and s, too."""
    return text.lower().replace("\u017f", "s")  # the lower case of the Kelvin sign is k


def required(pattern: str) -> tuple[tuple[str, ...], ...]:
    """Sets of ASCII literals, in lower case: each text that the pattern matches contains at least one of each set, in any case.

    The most telling set comes first. None when nothing is known: then the pattern has to be tried on every text.
    """
    sets = {tuple(sorted(literals)) for literals in _of_pattern(pattern) if min(map(len, literals)) >= SHORTEST}
    return tuple(sorted(sets, key=lambda literals: (*(-worth for worth in _worth(literals)), literals))[:MOST])


def _of_pattern(pattern: str) -> list[Literals]:
    if DIFFERENT.search(pattern):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # where `re` warns, its reading of the pattern differs from the Rust dialect's
        try:
            tree = parser.parse(pattern)
        except (parser.error, Warning, OverflowError, RecursionError):
            return []  # valid in the Rust dialect but not for `re`: nothing is known
    return _of_sequence(tree)


def _of_sequence(items: Iterable[Any]) -> list[Literals]:
    """The sets of each element of a sequence; characters that follow each other are one literal."""
    sets: list[Literals] = []
    piece = ""
    for code, value in [*items, (op.AT, None)]:
        character = _required_character(code, value)
        if character is not None:
            piece += character
            continue
        if piece:
            sets.append(frozenset({piece}))
        piece = ""
        sets += _of_element(code, value)
    return sets


def _required_character(code: Any, value: Any) -> str | None:
    """The character in lower case that an element requires: `f`, and `[fF]`."""
    if code is op.IN:
        members = {_required_character(*member) for member in value}
        return members.pop() if len(members) == 1 else None
    return chr(value).lower() if code is op.LITERAL and value <= 127 else None


def _of_element(code: Any, value: Any) -> list[Literals]:
    if code is op.SUBPATTERN:
        return _of_sequence(value[3])
    if code is op.BRANCH:
        branches = [max(_of_sequence(branch), key=_worth, default=None) for branch in value[1]]
        known = [literals for literals in branches if literals is not None]
        return [frozenset().union(*known)] if len(known) == len(branches) else []
    if code in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT} and value[0] >= 1:
        return _of_sequence(value[2])
    return []


def _worth(literals: Collection[str]) -> tuple[int, int]:
    return min(map(len, literals)), -len(literals)
