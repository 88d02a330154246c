"""Split series into groups that an expression never lets meet, so that each can be evaluated at its own steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from forensics.promql.elementwise import DATES
from forensics.promql.labels import NAME, Labels, drop, keep
from forensics.promql.scraped import Scraped, Selected
from forensics.promql.selectors import Selector
from forensics.promql.tree import Aggregation, Binary, Call, Instant, Node, Text, walk

# of these a result depends on whether there is any row, or adds a row that no series has
OF_ALL_ROWS = frozenset({"absent", "absent_over_time", "scalar", "vector"})
SETS_A_LABEL = frozenset({"label_replace", "label_join"})


@dataclass(frozen=True, slots=True)
class Keys:
    """The labels by whose values series are kept apart. only: null for all labels but those of `without`."""

    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset((NAME,))

    def of(self, labels: Labels) -> Labels:
        return drop(labels, self.without) if self.only is None else keep(labels, self.only - self.without)

    def at_most(self, names: frozenset[str]) -> Keys:
        return Keys(names if self.only is None else self.only & names, self.without)

    def but(self, names: frozenset[str]) -> Keys:
        return Keys(self.only, self.without | names)


TOGETHER = Keys(frozenset())  # all series are one group


def keys_of(tree: Node) -> Keys:
    """Return by which labels rows that differ never meet: they are matched or aggregated by them, and no function changes them."""
    keys = Keys()
    for node in walk(tree):
        match node:
            case Call(function=function, arguments=arguments):
                keys = _keys_of_call(keys, function, arguments)
            case Aggregation():
                keys = keys.but(node.labels) if node.without else keys.at_most(node.labels)
                if isinstance(node.parameter, Text):
                    keys = keys.but(frozenset((node.parameter.value,)))
            case Binary(matching=matching):
                keys = keys.at_most(matching.labels) if matching.on else keys.but(matching.labels)
                keys = keys.but(frozenset(matching.include))
    return keys


def _keys_of_call(keys: Keys, function: str, arguments: tuple[Node, ...]) -> Keys:
    if function in OF_ALL_ROWS or (function in DATES and not arguments):
        return TOGETHER
    if function in SETS_A_LABEL and isinstance(arguments[1], Text):
        return keys.but(frozenset((arguments[1].value,)))
    return keys


def components(tree: Node, scraped: Scraped) -> Iterator[Scraped]:
    """Yield the samples of each group; those of which nothing ever changes are one group."""
    keys = keys_of(tree)
    if keys.only == frozenset():
        yield scraped
        return
    selectors = {node.selector for node in walk(tree) if isinstance(node, Instant)}
    groups: dict[Labels, dict[Selector, Selected]] = {}
    for selector in selectors:
        for labels, samples in scraped.select(selector):
            group = groups.setdefault(keys.of(labels), dict.fromkeys(selectors, ()))
            group[selector] = (*group[selector], (labels, samples))
    steady: dict[Selector, Selected] = dict.fromkeys(selectors, ())
    changing = 0
    for group in groups.values():
        if all(samples.constant for selected in group.values() for _labels, samples in selected):
            steady = {selector: steady[selector] + group[selector] for selector in selectors}
        else:
            changing += 1
            yield Scraped((), scraped.scrapes, group)
    if changing < len(groups) or not groups:
        yield Scraped((), scraped.scrapes, steady)
