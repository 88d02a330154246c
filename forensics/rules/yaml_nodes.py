"""Read hostile YAML into nodes that know their lines: no tag is obeyed; depth, size and what aliases repeat are limited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML without libyaml: 20 times slower, the same events
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

DEEPEST = 100  # a rule file needs 7 levels, a list of Kubernetes resources 10
MOST_NODES = 500_000  # of a file, counted as often as aliases repeat them
_UNFINISHED = -1


class YamlError(Exception):
    """What is wrong with a text as YAML; `line` counts from 1."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(slots=True)
class Scalar:
    """A single value. style: "", or one of ' " | > as it is written. start: its offset in the text."""

    value: str
    line: int
    start: int = 0
    style: str = ""

    @property
    def is_null(self) -> bool:
        return self.style == "" and self.value in {"", "~", "null", "Null", "NULL"}


@dataclass(slots=True)
class Sequence:
    items: list[Node]
    line: int
    start: int = 0


@dataclass(slots=True)
class Mapping:
    """Pairs in their order, also those of a repeated key."""

    pairs: list[tuple[Node, Node]]
    line: int
    start: int = 0

    def get(self, key: str) -> Node | None:
        return next((value for name, value in self.pairs if isinstance(name, Scalar) and name.value == key), None)


Node = Scalar | Sequence | Mapping


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come yet. key: of a mapping, waiting for its value."""

    node: Sequence | Mapping
    anchor: str | None
    key: Node | None = None
    size: int = 1


@dataclass(slots=True)
class _Document:
    """What one document has so far. anchors: each with its node and how many values that has."""

    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, tuple[Node, int]] = field(default_factory=dict)
    root: Node | None = None


def documents(text: str) -> Iterator[Node]:
    """Yield the root of each document that is not empty. Raises YamlError, after the documents before the mistake."""
    document, total = _Document(), 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            total += _add(document, event)
            if total > MOST_NODES:
                raise YamlError(f"has more than {MOST_NODES:,} values, counting what its aliases repeat", _line(event))
            if isinstance(event, yaml.DocumentEndEvent):
                if document.root is not None:
                    yield document.root
                document = _Document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise YamlError(f"is not YAML: {_problem(error)}", mark.line + 1 if mark else None) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise YamlError(f"is not YAML: {str(error).splitlines()[0]}") from None


def _add(document: _Document, event: yaml.Event) -> int:
    """Add an event to its document, and return how many values it adds."""
    match event:
        case yaml.ScalarEvent():
            node = Scalar(event.value, _line(event), _index(event), event.style if event.style in {"'", '"', "|", ">"} else "")
            return _place(document, node, event.anchor, 1)
        case yaml.AliasEvent():
            return _repeat(document, event)
        case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
            _open(document, event)
            return 1
        case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
            _close(document)
    return 0


def _place(document: _Document, node: Node, anchor: str | None, size: int) -> int:
    """Put a node where the document expects one; the size of a collection is added at its end."""
    if anchor:
        document.anchors[anchor] = (node, size)
    if not document.stack:
        document.root = node
        return size
    parent = document.stack[-1]
    parent.size += max(size, 0)
    if isinstance(parent.node, Sequence):
        parent.node.items.append(node)
    elif parent.key is None:
        parent.key = node
    else:
        parent.node.pairs.append((parent.key, node))
        parent.key = None
    return size


def _open(document: _Document, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
    if len(document.stack) >= DEEPEST:
        raise YamlError(f"is nested more than {DEEPEST} levels deep", _line(event))
    kind = Sequence if isinstance(event, yaml.SequenceStartEvent) else Mapping
    node = kind([], _line(event), _index(event))
    _place(document, node, event.anchor, _UNFINISHED)
    document.stack.append(_Open(node, event.anchor))


def _close(document: _Document) -> None:
    closed = document.stack.pop()
    if document.stack:
        document.stack[-1].size += closed.size
    if closed.anchor and document.anchors[closed.anchor][0] is closed.node:
        document.anchors[closed.anchor] = (closed.node, closed.size)


def _repeat(document: _Document, event: yaml.AliasEvent) -> int:
    if event.anchor not in document.anchors:
        raise YamlError(f"is not YAML: there is no anchor for *{event.anchor}", _line(event))
    node, size = document.anchors[event.anchor]
    if size == _UNFINISHED:
        raise YamlError(f"cannot be read: *{event.anchor} contains itself", _line(event))
    return _place(document, node, None, size)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _index(event: yaml.Event) -> int:
    return event.start_mark.index if event.start_mark else 0


def _problem(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(part for part in (error.context, error.problem) if part) or "it cannot be parsed"
