"""Recognise expressions that look at one unit only, and write them without its name: what they find in many histories is found at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

from forensics.promql import Expression, Selector
from forensics.promql.tree import Aggregation, Binary, Call, Instant, Matching, Node, Range, Subquery, children, walk
from forensics.replay.recorded import mapped

# these depend on other series, on the time of day or on labels that are left out
NOT_ALONE = frozenset(
    {
        "absent", "absent_over_time", "scalar", "vector", "time", "timestamp", "label_replace", "label_join", "minute", "hour",
        "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year", "predict_linear", "deriv", "info",
    }
)  # fmt: skip


UNIT_LABELS = {"name": ("node_systemd_", "systemd_"), "unit": ("tabby_forensics_",)}  # by the metrics that have them


@dataclass(frozen=True, slots=True)
class Template:
    """An expression whose selectors are replaced by `s0`, `s1`, … selectors: the replaced ones."""

    tree: Node
    selectors: tuple[Selector, ...]
    reach_s: float

    @property
    def expression(self) -> Expression:
        return Expression("", self.tree)


def template_of(expression: Expression) -> Template | None:
    """Return the template of an expression; null where its result depends on more than the series of one unit."""
    if not all(map(_is_alone, walk(expression.tree))) or any(selector.metric is None for selector in expression.selectors):
        return None
    selectors = tuple(dict.fromkeys(expression.selectors))
    numbers = {selector: number for number, selector in enumerate(selectors)}
    return Template(_numbered(expression.tree, numbers), selectors, reach_s(expression))


def reach_s(expression: Expression) -> float:
    """Return how far back an evaluation looks at most, beyond the last sample."""
    return _reach(expression.tree) / 1000


def is_beyond_one(expression: Expression) -> bool:
    """Whether series of other units can change what is found about one."""
    return any(_mixes_units(node) for node in walk(expression.tree))


def _is_alone(node: Node) -> bool:
    match node:
        case Subquery():
            return False
        case Call(function=function):
            return function not in NOT_ALONE
        case Instant(fixed=fixed):
            return not fixed
        case _:
            return not _mixes_units(node)


def _mixes_units(node: Node) -> bool:
    """Whether a node puts series of several units together."""
    match node:
        case Aggregation(without=without, labels=labels):
            return _loses_unit(node, labels, kept=not without)
        case Binary(matching=matching) if matching != Matching():
            return _loses_unit(node, matching.labels, kept=matching.on)
        case Call(function=function):
            return function in {"absent", "absent_over_time", "scalar"}
        case _:
            return False


def _loses_unit(node: Node, labels: frozenset[str], *, kept: bool) -> bool:
    """Whether a label that names the unit is lost where only these labels are kept, or are left out."""
    metrics = [part.selector.metric or "" for part in walk(node) if isinstance(part, Instant)]
    named = {label for label, start in UNIT_LABELS.items() if any(metric.startswith(start) for metric in metrics)}
    return not named <= labels if kept else bool(named & labels)


def _numbered(node: Node, numbers: dict[Selector, int]) -> Node:
    match node:
        case Instant(selector=selector):
            return replace(node, selector=Selector(f"s{numbers[selector]}", ()))
        case Range(instant=instant):
            return replace(node, instant=replace(instant, selector=Selector(f"s{numbers[instant.selector]}", ())))
        case _:
            return mapped(node, lambda part: _numbered(part, numbers))


def _reach(node: Node) -> int:
    """Return it in ms."""
    below = max((_reach(child) for child in children(node)), default=0)
    match node:
        case Subquery(length=length, offset=offset):
            return below + length + max(offset, 0)
        case Range(length=length):
            return below + length
        case Instant(offset=offset):
            return max(offset, 0)
        case _:
            return below
