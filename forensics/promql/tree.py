"""Define the syntax tree of an expression; durations are milliseconds, brackets are gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from forensics.promql.selectors import Selector


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Instant:
    """An instant vector selector, such as `up{job="node"} offset 5m`."""

    selector: Selector
    offset: int = 0
    fixed: bool = False  # with the @ modifier


@dataclass(frozen=True, slots=True)
class Range:
    """A range vector selector, such as `up[5m]`."""

    instant: Instant
    length: int


@dataclass(frozen=True, slots=True)
class Subquery:
    """A subquery, such as `(up == 0)[10m:1m]`; without a step it has the global evaluation interval."""

    inner: Node
    length: int
    step: int | None
    offset: int = 0
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Negation:
    inner: Node


@dataclass(frozen=True, slots=True)
class Matching:
    """How the two sides of a binary operator are paired. labels: of on() or, where `on` is false, of ignoring()."""

    on: bool = False
    labels: frozenset[str] = frozenset()
    group: str = ""  # "left" or "right": the side that may have many
    include: tuple[str, ...] = ()
    fill: bool = False


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node
    boolean: bool = False
    matching: Matching = field(default=Matching())


@dataclass(frozen=True, slots=True)
class Call:
    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregation:
    operator: str
    inner: Node
    parameter: Node | None = None
    without: bool = False
    labels: frozenset[str] = frozenset()


Node = Number | Text | Instant | Range | Subquery | Negation | Binary | Call | Aggregation


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Range():
            return (node.instant,)
        case Subquery() | Negation():
            return (node.inner,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case Aggregation():
            return (node.inner,) if node.parameter is None else (node.parameter, node.inner)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, parents first, from left to right."""
    yield node
    for child in children(node):
        yield from walk(child)
