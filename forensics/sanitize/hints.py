"""Choose the expressions that can match a text by literals, one of which is in each of their matches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Index = tuple[tuple[str, tuple[int, ...], tuple[tuple[str, tuple[int, ...]], ...]], ...]

_ROOTS = (
    "=",
    "k",
    "in",
    "cr",
    "as",
    "if",
    "cl",
    "co",
    "_",
    "so",
    "se",
)  # that are no hints, but parts of many; chosen by how few log lines have them


def by_hint(hints: Iterable[Sequence[str]]) -> Index:
    """Index expressions, given by the hints of each: (hint, numbers of its expressions, longer hints that have it in them).

    Most texts have few of the shortest hints, so that the longer ones are looked for in few.
    """
    numbers: dict[str, list[int]] = {root: [] for root in _ROOTS}
    for number, of_expression in enumerate(hints):
        for hint in of_expression:
            numbers.setdefault(hint, []).append(number)
    shortest = [hint for hint in numbers if not any(other != hint and other in hint for other in numbers)]
    longer: dict[str, list[str]] = {hint: [] for hint in shortest}
    for hint in numbers:
        if hint not in longer:
            longer[next(root for root in shortest if root in hint)].append(hint)
    return tuple((root, tuple(numbers[root]), tuple((hint, tuple(numbers[hint])) for hint in longer[root])) for root in shortest)


def hinted(index: Index, lower: str) -> list[int]:
    """List the numbers of the expressions that have a hint in a text in lower case."""
    found: set[int] = set()
    for _root, numbers, longer in [entry for entry in index if entry[0] in lower]:
        found.update(numbers)
        for hint, more in longer:
            if hint in lower:
                found.update(more)
    return sorted(found)
