"""Folders of pattern files in, the catalogue out; and the promises a catalogue makes about its examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from forensics.errors import UsageError
from forensics.model.frames import EVENTS
from forensics.signatures.match import find_hits
from forensics.signatures.pattern import Catalogue, Example, Mistake, Pattern
from forensics.signatures.pattern_file import id_of_path, read_pattern

__all__ = ["Catalogue", "Mistake", "check", "load", "told"]


def load(folders: Sequence[Path]) -> Catalogue:
    """The patterns of all folders; a later folder's pattern replaces one with the same id.

    Raises UsageError with every mistake of the first folder, the shipped one. Of later folders only the files with mistakes are
    refused: `refused` has all their mistakes, and the others are there.
    """
    mistakes: list[Mistake] = []
    refused: list[Mistake] = []
    patterns: dict[str, Pattern] = {}
    spoiled: set[str] = set()
    for folder in folders:
        found = mistakes if folder == folders[0] else refused
        if not folder.is_dir():
            found.append(Mistake(folder, None, "", "is not a folder of patterns"))
        for file in sorted(folder.rglob("*.toml")):
            pattern, wrong = read_pattern(file, folder)
            found += wrong
            if pattern is None:
                spoiled.add(id_of_path(file, folder))
            else:
                patterns[pattern.id] = pattern
    if not mistakes:
        for unknown in list(_unknown_consequences(patterns, spoiled)):
            (mistakes if unknown.file.is_relative_to(folders[0]) else refused).append(unknown)
    if mistakes:
        raise UsageError(told(mistakes))
    bad = {mistake.file for mistake in refused}
    return Catalogue(tuple(patterns[id_] for id_ in sorted(patterns) if patterns[id_].file not in bad), tuple(refused))


def told(mistakes: Sequence[Mistake]) -> str:
    """All mistakes as one message for the user."""
    lines = "\n".join(f"  {mistake}" for mistake in mistakes)
    return f"{len(mistakes)} {'mistake' if len(mistakes) == 1 else 'mistakes'} in the pattern files:\n{lines}"


def _unknown_consequences(patterns: dict[str, Pattern], spoiled: set[str]) -> Iterator[Mistake]:
    """What a pattern claims to explain and is nobody's id. A file with mistakes still is somebody: they are told already."""
    for pattern in patterns.values():
        for id_ in pattern.explains:
            if id_ not in patterns and id_ not in spoiled:
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
