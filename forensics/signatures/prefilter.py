"""Extract the literals of a regular expression of which every match contains at least one."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from re import _constants as op  # type: ignore[attr-defined]  # the parser of `re`: its tree is the simplest reliable analysis of a pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Literals = frozenset[str]

# Word boundaries of the Rust dialect that `re` takes for literals: \< \> \b{start}.
_DIFFERENT = re.compile(r"\\(?:[<>]|[bB]\{)")

SHORTEST = 4  # shorter literals are in so many texts that searching for them first saves nothing


def required(pattern: str) -> tuple[str, ...] | None:
    """ASCII literals, in lower case and order, of which each text that the pattern matches contains at least one, in any case.

    null when no such set is known: then the pattern has to be tried on every text.
    """
    found = _of_pattern(pattern)
    return None if found is None else tuple(sorted(found))


def _of_pattern(pattern: str) -> Literals | None:
    if _DIFFERENT.search(pattern):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # where `re` warns, its reading of the pattern differs from the Rust dialect's
        try:
            tree = parser.parse(pattern)
        except (parser.error, Warning, OverflowError, RecursionError):
            return None  # valid in the Rust dialect but not for `re`: nothing is known
    return _of_sequence(tree, ignore_case=bool(tree.state.flags & op.SRE_FLAG_IGNORECASE))


def _of_sequence(items: Iterable[Any], *, ignore_case: bool) -> Literals | None:
    """The best set of any element of a sequence: the one whose shortest literal is longest."""
    sets: list[Literals] = []
    piece = ""
    for code, value in items:
        character = _required_character(code, value, ignore_case=ignore_case)
        if character is not None:
            piece += character
            continue
        sets.append(frozenset({piece}))
        piece = ""
        if (inner := _of_element(code, value, ignore_case=ignore_case)) is not None:
            sets.append(inner)
    sets.append(frozenset({piece}))
    best = max(sets, key=_worth)
    return best if _worth(best)[0] >= SHORTEST else None


def _required_character(code: Any, value: Any, *, ignore_case: bool) -> str | None:
    if code is not op.LITERAL or value > 127:
        return None
    character = chr(value).lower()
    # Without regard to case, the Rust dialect's k and s also match U+212A and U+017F.
    return None if ignore_case and character in "ks" else character


def _of_element(code: Any, value: Any, *, ignore_case: bool) -> Literals | None:
    if code is op.SUBPATTERN:
        _, added, removed, body = value
        ignore_case = (ignore_case or bool(added & op.SRE_FLAG_IGNORECASE)) and not removed & op.SRE_FLAG_IGNORECASE
        return _of_sequence(body, ignore_case=ignore_case)
    if code is op.BRANCH:
        return _union([_of_sequence(branch, ignore_case=ignore_case) for branch in value[1]])
    if code in {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT} and value[0] >= 1:
        return _of_sequence(value[2], ignore_case=ignore_case)
    return None


def _union(sets: Sequence[Literals | None]) -> Literals | None:
    known = [literals for literals in sets if literals is not None]
    return frozenset().union(*known) if known and len(known) == len(sets) else None


def _worth(literals: Literals) -> tuple[int, int]:
    return min(map(len, literals)), -len(literals)
