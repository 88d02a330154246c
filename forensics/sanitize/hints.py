"""Choose the expressions that can match a text by literals, one of which is in each of their matches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def by_hint(hints: Iterable[Sequence[str]]) -> dict[str, list[int]]:
    """Index expressions, given by the hints of each, by hint: hint → numbers of the expressions."""
    index: dict[str, list[int]] = {}
    for number, of_expression in enumerate(hints):
        for hint in of_expression:
            index.setdefault(hint, []).append(number)
    return index


def hinted(index: Mapping[str, Sequence[int]], lower: str) -> list[int]:
    """List the numbers of the expressions that have a hint in a text in lower case."""
    return sorted({number for hint in [hint for hint in index if hint in lower] for number in index[hint]})
