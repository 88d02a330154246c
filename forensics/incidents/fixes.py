"""List what people tried during an incident, and what came of each attempt to fix it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from forensics.changes.find import RANK
from forensics.incidents.inputs import SECOND, moment, quoted
from forensics.incidents.slice import Case, Ints, starts
from forensics.model.values import FixAttempt

ONE_TRY = 600 * SECOND  # actions within ten minutes are one try, unless a start of the unit by hand has put it to the test
NEAR = 20  # attempts before and after that are compared
SAME_HAND = 30 * SECOND  # a start this soon after an action belongs to it


@dataclass(frozen=True, slots=True)
class Act:
    us: int
    kind: str
    summary: str
    row: int
    tests: bool  # it started the unit anew


def fix_attempts(case: Case, entries: pl.DataFrame) -> tuple[FixAttempt, ...]:
    tries = list(_tries(_acts(case)))
    nexts = [*(later[0].us for later in tries[1:]), case.until + SECOND][: len(tries)]
    began = np.maximum.accumulate(starts(case))
    anchors = [_anchor(acts) for acts in tries]
    lines = quoted(entries, [anchor.row for anchor in anchors])
    return tuple(
        FixAttempt(moment(anchor.us), _in_short(acts), _outcome(case, began, acts, upto), line)
        for acts, anchor, upto, line in zip(tries, anchors, nexts, lines, strict=True)
    )


def _acts(case: Case) -> list[Act]:
    """Changes inside the incident that can repair something, and starts of the unit by hand that no change accounts for."""
    until = case.until if case.recovery is not None or case.ongoing else case.until - SECOND  # the stop that ends it is no try
    inside = [s for s in case.changes if case.start < s.us <= until and not s.read_only and s.kind not in ("login", "boot")]
    acts = [Act(s.us, s.kind, s.summary, s.row, tests=s.kind == "unit-job") for s in inside]
    known = np.array([act.us for act in acts], dtype=np.int64)
    for us, row in case.by_hand:
        near = known[(known <= us + SECOND) & (known >= us - SAME_HAND)] if len(known) else known
        if len(near):
            at = int(np.flatnonzero(known == near[-1])[-1])
            acts[at] = Act(acts[at].us, acts[at].kind, acts[at].summary, acts[at].row, tests=True)
        else:
            acts.append(Act(us, "unit-job", f"{case.unit} started by hand", row, tests=True))
    return sorted(acts, key=lambda act: (act.us, act.row))


def _tries(acts: list[Act]) -> Iterator[list[Act]]:
    one: list[Act] = []
    for act in acts:
        if one and (act.us - one[0].us > ONE_TRY or (one[-1].tests and act.us - one[-1].us > SAME_HAND)):
            yield one
            one = []
        one.append(act)
    if one:
        yield one


def _anchor(acts: list[Act]) -> Act:
    """What dates and proves a try: the start that puts it to the test, else its weightiest act."""
    tested = [act for act in acts if act.tests]
    return tested[-1] if tested else min(acts, key=lambda act: (RANK[act.kind], -act.us))


def _in_short(acts: list[Act]) -> str:
    """The last three acts: they are closest to the test."""
    words = list(dict.fromkeys(act.summary for act in acts))
    return "; ".join([f"{len(words) - 3} acts before", *words[-3:]] if len(words) > 3 else words)


def _outcome(case: Case, began: Ints, acts: list[Act], next_try: int) -> str:
    """held: the next attempt (or one of the two after it) is the success; else what the attempts on both sides died of decides."""
    first, last = acts[0].us, acts[-1].us
    behind, after, upto = np.searchsorted(began, [first, last - SECOND, next_try]).tolist()
    later = upto - int(np.searchsorted(began, last + SECOND, side="right"))
    if case.recovery is not None and case.recovery < next_try and later <= 2:
        return "held"
    old = case.attempts.slice(max(0, behind - NEAR), min(behind, NEAR))
    new = case.attempts.slice(after, min(NEAR, max(0, upto - after)))
    return "changed-class" if _differs(_died_of(old), _died_of(new)) else "no-effect"


def _died_of(attempts: pl.DataFrame) -> Counter[str]:
    return Counter(attempts.filter("failed")["signature"].to_list())


def _differs(old: Counter[str], new: Counter[str]) -> bool:
    """The new dominant class was not half as common before: a tie of two classes that tips over is no change."""
    if not old or not new:
        return False
    dominant, times = min(new.items(), key=lambda item: (-item[1], item[0]))
    return old[dominant] / old.total() < 0.5 * times / new.total()
