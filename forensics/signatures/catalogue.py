"""Folders of pattern files in, the catalogue out; and the promises a catalogue makes about its examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from forensics.errors import UsageError
from forensics.model import EVENTS
from forensics.signatures.match import find_hits
from forensics.signatures.pattern import Catalogue, Example, Mistake, Pattern
from forensics.signatures.reading import read_pattern

__all__ = ["Catalogue", "Mistake", "check", "load"]


def load(folders: Sequence[Path]) -> Catalogue:
    """The patterns of all folders; a later folder's pattern replaces one with the same id.

    Raises UsageError with every mistake of every file.
    """
    mistakes: list[Mistake] = []
    patterns: dict[str, Pattern] = {}
    for folder in folders:
        if not folder.is_dir():
            mistakes.append(Mistake(folder, None, "", "is not a folder of patterns"))
        for file in sorted(folder.rglob("*.toml")):
            pattern, wrong = read_pattern(file, folder)
            mistakes += wrong
            if pattern is not None:
                patterns[pattern.id] = pattern
    if not mistakes:
        mistakes = list(_unknown_consequences(patterns))
    if mistakes:
        lines = "\n".join(f"  {mistake}" for mistake in mistakes)
        raise UsageError(f"{len(mistakes)} {'mistake' if len(mistakes) == 1 else 'mistakes'} in the pattern files:\n{lines}")
    return Catalogue(tuple(patterns[id_] for id_ in sorted(patterns)))


def _unknown_consequences(patterns: dict[str, Pattern]) -> Iterator[Mistake]:
    for pattern in patterns.values():
        for id_ in pattern.explains:
            if id_ not in patterns:
                yield Mistake(pattern.file, None, "explains", f"{id_!r} is no pattern's id")


def check(catalogue: Catalogue) -> list[Mistake]:
    """What the catalogue's own examples say against it: an example must match its pattern and no other, with the captures it states;
    a counterexample must not match its pattern.
    """
    cases = [
        (pattern, f"{kind}[{number}]", example)
        for pattern in catalogue.patterns
        for kind, examples in (("example", pattern.examples), ("counterexample", pattern.counterexamples))
        for number, example in enumerate(examples)
    ]
    hits = find_hits(examples_as_events([example for _, _, example in cases]), catalogue).frame
    found: dict[int, dict[str, dict[str, str]]] = {}
    for event, id_, captures in hits.select("event", "signature", "captures").iter_rows():
        found.setdefault(event, {})[id_] = {one["name"]: one["value"] for one in captures}
    mistakes: list[Mistake] = []
    for number, (pattern, key, example) in enumerate(cases):
        mistakes += (Mistake(pattern.file, None, key, text) for text in _broken_promises(pattern, example, found.get(number, {})))
    return sorted(mistakes, key=lambda mistake: (mistake.file, mistake.key))


def _broken_promises(pattern: Pattern, example: Example, found: dict[str, dict[str, str]]) -> Iterator[str]:
    if example.why is not None:
        if pattern.id in found:
            yield f"matches, but must not: {example.why}"
        return
    if pattern.id not in found:
        yield "does not match its own pattern"
    else:
        for name, value in example.captures.items():
            if (got := found[pattern.id].get(name)) != value:
                yield f"captures {name} = {got!r}, not {value!r}"
    for other in sorted(found.keys() - {pattern.id}):
        yield f"also matches {other}"


def examples_as_events(examples: Sequence[Example]) -> pl.DataFrame:
    """Examples as a frame of model.EVENTS, numbered in their order; what an example does not say is null, its kind is "line"."""
    rows = [{"event": number, "kind": "line", "text": example.message, **example.columns} for number, example in enumerate(examples)]
    return pl.DataFrame(rows, schema=EVENTS) if rows else EVENTS.to_frame()
