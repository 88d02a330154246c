"""List what people tried during an incident to fix it, and what each try achieved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from forensics.changes.find import RANK
from forensics.incidents.inputs import SECOND, moment, quoted
from forensics.incidents.slice import Case, Ints, starts
from forensics.model.values import FixAttempt
from forensics.wording import plural

ONE_TRY = 600 * SECOND  # actions within ten minutes are one try, unless a manual start of the unit has tested it
NEAR = 20  # attempts before and after that are compared
SAME_ACT = 30 * SECOND  # a manual start this soon after an action belongs to it


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
    """List changes inside the incident that can fix something, and manual starts of the unit that no change explains."""
    until = case.until if case.recovery is not None or case.ongoing else case.until - SECOND  # the stop that ends it is not a try
    inside = [change for change in case.changes if case.start < change.us <= until and not change.read_only]
    tries = [change for change in inside if change.kind not in ("login", "boot")]
    acts = [Act(change.us, change.kind, change.summary, change.row, tests=change.kind == "unit-job") for change in tries]
    times = np.array([act.us for act in acts], dtype=np.int64)
    for us, row in case.by_hand:
        near = times[(times <= us + SECOND) & (times >= us - SAME_ACT)]
        if len(near):
            at = int(np.flatnonzero(times == near[-1])[-1])
            acts[at] = replace(acts[at], tests=True)
        else:
            acts.append(Act(us, "unit-job", f"{case.unit} started manually", row, tests=True))
    return sorted(acts, key=lambda act: (act.us, act.row))


def _tries(acts: list[Act]) -> Iterator[list[Act]]:
    """Group acts into tries."""
    current: list[Act] = []
    for act in acts:
        if current and (act.us - current[0].us > ONE_TRY or (current[-1].tests and act.us - current[-1].us > SAME_ACT)):
            yield current
            current = []
        current.append(act)
    if current:
        yield current


def _anchor(acts: list[Act]) -> Act:
    """Choose the act that dates and proves a try: the start that tests it, else the act of the lowest rank."""
    tested = [act for act in acts if act.tests]
    return tested[-1] if tested else min(acts, key=lambda act: (RANK[act.kind], -act.us))


def _in_short(acts: list[Act]) -> str:
    """Describe a try by its last three acts: they are closest to the test."""
    summaries = list(dict.fromkeys(act.summary for act in acts))
    earlier = [plural(len(summaries) - 3, "earlier action")] if len(summaries) > 3 else []
    return "; ".join([*earlier, *summaries[-3:]])


def _outcome(case: Case, began: Ints, acts: list[Act], next_try: int) -> str:
    """Judge a try: held when one of the next three attempts is the success, else by what attempts on both sides died of."""
    first, last = acts[0].us, acts[-1].us
    before, after, upto = np.searchsorted(began, [first, last - SECOND, next_try]).tolist()
    later = upto - int(np.searchsorted(began, last + SECOND, side="right"))
    if case.recovery is not None and case.recovery < next_try and later <= 2:
        return "held"
    old = case.attempts.slice(max(0, before - NEAR), min(before, NEAR))
    new = case.attempts.slice(after, min(NEAR, max(0, upto - after)))
    return "changed-class" if _differs(_died_of(old), _died_of(new)) else "no-effect"


def _died_of(attempts: pl.DataFrame) -> Counter[str]:
    return Counter(attempts.filter("failed")["signature"].to_list())


def _differs(old: Counter[str], new: Counter[str]) -> bool:
    """Whether the new dominant class was not half as common before; a small shift between two classes does not count."""
    if not old or not new:
        return False
    dominant, count = min(new.items(), key=lambda item: (-item[1], item[0]))
    return old[dominant] / old.total() < 0.5 * count / new.total()
