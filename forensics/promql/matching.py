"""Pair the rows of two vectors by their labels: arithmetic and comparisons, and, or, unless."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forensics.promql.arithmetic import COMPARISONS, makes_new_metric, number
from forensics.promql.errors import RefusedError, UndecidedError
from forensics.promql.labels import NAME, Labels, drop, get, keep, nameless, replaced, shown
from forensics.promql.rows import Row, anywhere, joined, somewhere
from forensics.promql.series import Bools
from forensics.promql.tree import Binary, Matching

SETS = frozenset({"and", "or", "unless"})
Groups = dict[Labels, list[Row]]
NOWHERE = np.zeros((), dtype=np.bool_)


def signature(matching: Matching) -> Callable[[Labels], Labels]:
    """Return what of a label set has to be equal on both sides."""
    if matching.on:
        return lambda labels: keep(labels, matching.labels)
    return lambda labels: drop(labels, matching.labels | {NAME})


def sets(binary: Binary, left: list[Row], right: list[Row]) -> list[Row]:
    """Keep rows by whether the other side has a row of the same signature at that step."""
    key = signature(binary.matching)
    if binary.operator == "or":
        taken = _presence(left, key)
        return joined(somewhere([*left, *(_without(row, taken.get(key(row.labels), NOWHERE)) for row in right)]))
    there = _presence(right, key)
    if binary.operator == "unless":
        return somewhere(_without(row, there.get(key(row.labels), NOWHERE)) for row in left)
    return somewhere(Row(row.labels, row.values, row.present & there.get(key(row.labels), NOWHERE)) for row in left)


def _presence(rows: list[Row], key: Callable[[Labels], Labels]) -> dict[Labels, Bools]:
    return {labels: anywhere(group) for labels, group in grouped(rows, key).items()}


def _without(row: Row, taken: Bools) -> Row:
    return Row(row.labels, row.values, row.present & ~taken)


def grouped(rows: list[Row], key: Callable[[Labels], Labels]) -> Groups:
    groups: Groups = {}
    for row in rows:
        groups.setdefault(key(row.labels), []).append(row)
    return groups


def pairs(binary: Binary, left: list[Row], right: list[Row], version: int, *, whole: bool) -> list[Row]:
    """Apply an operator to the rows of equal signature, one to one, or many to one with group_left and group_right.

    whole: all series are here, not only a group of them.
    """
    key = signature(binary.matching)
    many, one = (right, left) if binary.matching.group == "right" else (left, right)
    partners = grouped(one, key)
    present = anywhere(many)
    for labels, group in partners.items():
        if len(group) > 1:
            _refuse_many(labels, [row.present & present for row in group], group)
            if not whole and _overlap([row.present for row in group]):
                raise UndecidedError  # Prometheus refuses this where any series is on the other side
    result = []
    for labels, group in grouped(many, key).items():
        pairings = [_pair(binary, row, partner, version) for row in group for partner in partners.get(labels, ())]
        _refuse_ambiguous(binary, pairings)
        result += pairings
    return joined(somewhere(result))


def _pair(binary: Binary, many: Row, one: Row, version: int) -> Row:
    left, right = (one, many) if binary.matching.group == "right" else (many, one)
    present = many.present & one.present
    labels = _result_labels(binary, many.labels, one.labels, version)
    if binary.operator in COMPARISONS and not binary.boolean:
        return Row(labels, left.values, present & COMPARISONS[binary.operator](left.values, right.values))
    return Row(labels, number(binary.operator, left.values, right.values), present)


def _result_labels(binary: Binary, many: Labels, one: Labels, version: int) -> Labels:
    matching = binary.matching
    labels = nameless(many) if makes_new_metric(binary.operator, version) else many
    if not matching.group:
        labels = keep(labels, matching.labels) if matching.on else drop(labels, matching.labels)
    for name in matching.include:
        labels = replaced(labels, name, get(one, name))
    return nameless(labels) if binary.boolean else labels


def _refuse_many(labels: Labels, present: list[Bools], rows: list[Row]) -> None:
    """Refuse two rows of one signature, at one step, on the side that may have only one."""
    if _overlap(present):
        named = ", ".join(shown(row.labels) for row in rows[:2])
        raise RefusedError(f"many-to-many matching: {named} are one match group {shown(labels)}")


def _refuse_ambiguous(binary: Binary, pairings: list[Row]) -> None:
    """Refuse two results for one signature that are not told apart by labels."""
    if len(pairings) < 2:
        return
    if not binary.matching.group and _overlap([row.present for row in pairings]):
        raise RefusedError(f"many-to-one matching without group_left or group_right for {shown(pairings[0].labels)}")
    joined(pairings)


def _overlap(masks: list[Bools]) -> bool:
    found: Bools = NOWHERE
    for mask in masks:
        if (found & mask).any():
            return True
        found = found | mask
    return False
