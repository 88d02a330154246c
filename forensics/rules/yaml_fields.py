"""Take the values of a YAML mapping by name, and collect every mistake with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from forensics.rules.durations import parse_duration
from forensics.rules.template_marks import template_at, template_in
from forensics.rules.yaml_nodes import Mapping, Node, Scalar, Sequence
from forensics.sanitize import brief
from forensics.toml_file import Mistake

_MERGE = "<<"


@dataclass(frozen=True, slots=True)
class Fields:
    """The pairs of a mapping. A getter that finds something else adds a mistake and returns an empty value.

    text: the whole file. subject: the rule or group that a mistake is about.
    """

    file: Path
    text: str
    line: int
    values: dict[str, Node]
    mistakes: list[Mistake] = field(default_factory=list)  # shared by all fields of the file
    subject: str = ""

    def refuse(self, sentence: str, line: int | None = None) -> None:
        self.mistakes.append(Mistake(self.file, line or self.line, brief(self.subject, 100), sentence))

    def refuse_unknown_keys(self, allowed: Collection[str]) -> None:
        for key, node in self.values.items():
            if key not in allowed:
                self.refuse(f"unknown key '{brief(key, 60)}'; expected {', '.join(allowed)}", node.line)

    def string(self, key: str) -> str:
        """Return a value as it is written, "" where it is missing or null."""
        node = self.values.get(key)
        if isinstance(node, Scalar):
            return "" if node.is_null else node.value
        if node is not None:
            self._refuse_kind(key, node, "a string")
        return ""

    def seconds(self, key: str) -> float | None:
        """Return a duration; None where it is missing or wrong."""
        node = self.values.get(key)
        if node is None or (isinstance(node, Scalar) and node.is_null):
            return None
        parsed = parse_duration(node.value) if isinstance(node, Scalar) else None
        if parsed is None:
            self._refuse_kind(key, node, "a duration such as 5m or 1h30m")
        return parsed

    def number(self, key: str) -> None:
        """Check that a value is an integer."""
        node = self.values.get(key)
        if node is not None and not (isinstance(node, Scalar) and (node.is_null or node.value.lstrip("+-").isdecimal())):
            self._refuse_kind(key, node, "a whole number")

    def strings(self, key: str) -> dict[str, str]:
        """Return a mapping of strings, such as labels."""
        below = self.mapping(key)
        return {name: below.string(name) for name in below.values}

    def mapping(self, key: str) -> Fields:
        """Return the fields of a mapping, none where it is missing."""
        node = self.values.get(key)
        if isinstance(node, Mapping):
            return self.below(node, self.subject)
        if node is not None and not (isinstance(node, Scalar) and node.is_null):
            self._refuse_kind(key, node, "a mapping")
        return Fields(self.file, self.text, self.line, {}, self.mistakes, self.subject)

    def mappings(self, key: str, subject: str) -> Iterator[Fields]:
        """Yield the fields of each mapping of a list, none where it is missing."""
        node = self.values.get(key)
        if isinstance(node, Sequence):
            for item in node.items:
                if isinstance(item, Mapping):
                    yield self.below(item, subject)
                else:
                    self._refuse_kind(f"{key}[]", item, "a mapping")
        elif node is not None and not (isinstance(node, Scalar) and node.is_null):
            self._refuse_kind(key, node, "a list")

    def below(self, node: Mapping, subject: str) -> Fields:
        """Return the fields of another mapping of the file."""
        fields = Fields(self.file, self.text, node.line, {}, self.mistakes, subject)
        for key, value in _merged(node, fields):
            fields.values.setdefault(key, value)
        return fields

    def _refuse_kind(self, key: str, node: Node, expected: str) -> None:
        template = template_in(node.value) if isinstance(node, Scalar) else template_at(self.text, node.start)
        self.refuse(template or f"'{brief(key, 60)}' must be {expected}", node.line)


def _merged(node: Mapping, fields: Fields) -> Iterator[tuple[str, Node]]:
    """Yield the pairs of a mapping, then those that `<<` merges into it; refuse keys that are repeated or no strings."""
    names: set[str] = set()
    merged: list[Node] = []
    for key, value in node.pairs:
        if not isinstance(key, Scalar):
            fields.refuse(template_at(fields.text, node.start) or "has a key that is not a string", key.line)
        elif key.value == _MERGE and not key.style:
            merged += value.items if isinstance(value, Sequence) else [value]
        elif key.value in names:
            fields.refuse(f"'{brief(key.value, 60)}' is there twice", key.line)
        else:
            names.add(key.value)
            yield key.value, value
    for part in merged:
        if isinstance(part, Mapping):
            yield from _merged(part, fields)
        else:
            fields.refuse("'<<' must be an alias of a mapping", part.line)
