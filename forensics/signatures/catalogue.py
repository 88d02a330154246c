"""Load the pattern files into a catalogue, and check each pattern against its own examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from forensics import toml_file
from forensics.errors import UsageError
from forensics.model.frames import EVENTS
from forensics.resources import folder
from forensics.sanitize.placeholders import groups
from forensics.signatures import kept_patterns, likeness
from forensics.signatures.match import find_hits
from forensics.signatures.pattern import Catalogue, Example, Pattern
from forensics.toml_file import Mistake

_GROUP = re.compile(r"\(\?P?<(\w+)>")

__all__ = ["Catalogue", "Mistake", "check", "format_mistakes", "load"]


def load(directories: Sequence[Path], *, distrust: bool = False) -> Catalogue:
    """Load the patterns of all directories; a later pattern without mistakes replaces an earlier one with the same id.

    distrust: compile the expressions that ship with the program, too, as its tests and `patterns check` do: 0.1 s.

    Raises UsageError with every mistake of the first directory, the shipped one. Of later directories only the files with mistakes
    are left out: `refused` has all their mistakes.
    """
    mistakes: list[Mistake] = []
    refused: list[Mistake] = []
    patterns: dict[str, list[Pattern]] = {}
    unreadable: set[str] = set()
    shipped = folder("patterns")
    for directory in directories:
        of_directory = mistakes if directory == directories[0] else refused
        trusted = directory == shipped and directory.is_dir() and not distrust
        read, of_files = _read_shipped(directory) if trusted else _read(directory, compiles=False)
        of_directory += of_files
        unreadable |= {_id_of(mistake.file, directory) for mistake in of_files if mistake.file != directory}
        for pattern in read:
            patterns.setdefault(pattern.id, []).append(pattern)
    if not mistakes:
        for mistake in list(_unknown_consequences(patterns, unreadable)):
            (mistakes if mistake.file.is_relative_to(directories[0]) else refused).append(mistake)
    if mistakes:
        raise UsageError(format_mistakes(mistakes))
    bad = {mistake.file for mistake in refused}
    sound = ([pattern for pattern in patterns[id_] if pattern.file not in bad] for id_ in sorted(patterns))
    return Catalogue(tuple(of_id[-1] for of_id in sound if of_id), tuple(refused))


def _read_shipped(directory: Path) -> tuple[tuple[Pattern, ...], list[Mistake]]:
    """As `_read`, but from what was kept of an earlier start where the files are the same."""
    stamp = kept_patterns.stamp(directory)
    if (kept := kept_patterns.read(stamp, directory)) is not None:
        return kept, []
    patterns, mistakes = _read(directory, compiles=True)
    if not mistakes:
        patterns = tuple(replace(pattern, example_keys=tuple(likeness.keys_of(pattern))) for pattern in patterns)
        kept_patterns.write(stamp, patterns, directory)
    return patterns, mistakes


def _id_of(file: Path, directory: Path) -> str:
    from forensics.signatures.pattern_file import id_of_path  # noqa: PLC0415 - as in `_read`

    return id_of_path(file, directory)


def _read(directory: Path, *, compiles: bool) -> tuple[tuple[Pattern, ...], list[Mistake]]:
    """Read the patterns without mistakes, and the mistakes of all others."""
    from forensics.signatures.pattern_file import read_pattern  # noqa: PLC0415 - 10 ms that a start with kept patterns does not need

    if not directory.is_dir():
        return (), [Mistake(directory, None, "", "is not a directory")]
    results = [read_pattern(file, directory, compiles=compiles) for file in sorted(directory.rglob("*.toml"))]
    return tuple(pattern for pattern, _ in results if pattern is not None), [mistake for _, mistakes in results for mistake in mistakes]


def format_mistakes(mistakes: Sequence[Mistake]) -> str:
    """Format all mistakes of the pattern files as one message, a line each."""
    return toml_file.format_mistakes(mistakes, "the pattern files")


def _unknown_consequences(patterns: Mapping[str, Sequence[Pattern]], unreadable: set[str]) -> Iterator[Mistake]:
    """Find ids in `explains` that no pattern has; the mistakes of unreadable patterns are reported already."""
    for pattern in (pattern for of_id in patterns.values() for pattern in of_id):
        for id_ in pattern.explains:
            if id_ not in patterns and id_ not in unreadable:
                yield Mistake(pattern.file, None, "explains", f"there is no pattern {id_!r}")


def check(catalogue: Catalogue) -> list[Mistake]:
    """Check that each example matches its pattern and no other, that no counterexample does, and that it is said when a restart helps."""
    cases = [
        (pattern, f"{kind}[{number}]", example)
        for pattern in catalogue.patterns
        for kind, examples in (("example", pattern.examples), ("counterexample", pattern.counterexamples))
        for number, example in enumerate(examples)
    ]
    hits = find_hits(examples_as_events([example for _, _, example in cases]), catalogue)
    captures_of: dict[int, dict[str, dict[str, str]]] = {}
    for event, id_, captures in hits.select("event", "signature", "captures").iter_rows():
        captures_of.setdefault(event, {})[id_] = {capture["name"]: capture["value"] for capture in captures}
    mistakes = [
        Mistake(pattern.file, None, "restart_helps_when", 'is missing: says when a restart helps, such as "once the port is free"')
        for pattern in catalogue.patterns
        if pattern.restart_helps and not pattern.signature.restart_helps_when
    ]
    mistakes += (mistake for pattern in catalogue.patterns for mistake in _unknown_groups(pattern))
    for number, (pattern, key, example) in enumerate(cases):
        mistakes += (Mistake(pattern.file, None, key, text) for text in _broken_promises(pattern, example, captures_of.get(number, {})))
    return sorted(mistakes, key=lambda mistake: (mistake.file, mistake.key))


def _unknown_groups(pattern: Pattern) -> Iterator[Mistake]:
    """Find values that the texts are to show and that no message captures."""
    captured = {name for message in pattern.messages for name in _GROUP.findall(message)}
    for name in sorted(set(groups(pattern.signature)) - captured):
        yield Mistake(pattern.file, None, "remedy", f"shows {{{name}|…}}, but no message has a group {name!r}")


def _broken_promises(pattern: Pattern, example: Example, matching: dict[str, dict[str, str]]) -> Iterator[str]:
    """matching: the captures of each pattern that matches the example."""
    if example.why is not None:
        if pattern.id in matching:
            yield f"matches, but must not: {example.why}"
        return
    if pattern.id not in matching:
        yield "does not match its own pattern"
    else:
        for name, value in example.captures.items():
            if (captured := matching[pattern.id].get(name)) != value:
                yield f"captures {name} = {captured!r}, not {value!r}"
    for other in sorted(matching.keys() - {pattern.id}):
        yield f"also matches {other}"


def examples_as_events(examples: Sequence[Example]) -> pl.DataFrame:
    """Make EVENTS of examples, numbered in their order: kind "line" unless stated, null for every other column not stated."""
    rows = [{"event": number, "kind": "line", "text": example.message, **example.columns} for number, example in enumerate(examples)]
    return pl.DataFrame(rows, schema=EVENTS) if rows else EVENTS.to_frame()
