"""List what people tried during an incident to fix it, and what each try achieved."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from re import compile as pattern

import numpy as np
import polars as pl

from forensics.changes.effect import moved_by, prepares, puts_into_effect
from forensics.changes.find import RANK, is_routine
from forensics.changes.people import is_about, is_by_person, working_directory
from forensics.changes.shell import commands_of
from forensics.incidents.inputs import SECOND, moment, quoted
from forensics.incidents.slice import Case, CaseChange, Ints, starts
from forensics.incidents.unit_files import UnitFiles, unit_files
from forensics.model.values import FixAttempt
from forensics.wording import plural

ONE_TRY = 600 * SECOND  # actions within ten minutes are one try, unless a manual start of the unit has tested it
NEAR = 20  # attempts before and after that are compared
HANDLES_FILES = pattern(r"^(?:\S*/)?(?:rm|mv|cp|ln|chown|chmod|setfacl|mkdir|truncate|dd|fallocate|tee|install|rsync|tar|unzip)\s")
SAME_ACT = 30 * SECOND  # a manual start this soon after an action belongs to it


@dataclass(frozen=True, slots=True)
class Act:
    us: int
    kind: str
    summary: str
    row: int
    tests: bool  # it started the unit anew
    prepares: bool = False  # the unit does not use yet what it changed
    applies: bool = False  # it puts into effect what was prepared


def fix_attempts(case: Case, entries: pl.DataFrame) -> tuple[FixAttempt, ...]:
    """List the tests of the unit by people, each with all that was prepared for it."""
    began = np.maximum.accumulate(starts(case))
    tries = list(_tries(_acts(case, entries), _all_starts(case, began), case.until))
    nexts = [*(_first_change(later) for later in tries[1:]), case.until + SECOND][: len(tries)]
    anchors = [_anchor(acts) for acts in tries]
    lines = quoted(entries, [anchor.row for anchor in anchors])
    return tuple(
        FixAttempt(moment(anchor.us), _in_short(acts), _outcome(case, began, acts, upto), line)
        for acts, anchor, upto, line in zip(tries, anchors, nexts, lines, strict=True)
    )


def _all_starts(case: Case, began: Ints) -> Ints:
    """Return when the unit was started in the incident, and by the success that ended it."""
    success = case.success["started"].dt.timestamp("us").to_numpy()
    return np.maximum.accumulate(np.concatenate([began, success]).astype(np.int64))


def _acts(case: Case, entries: pl.DataFrame) -> list[Act]:
    """List changes inside the incident that can fix something, and manual starts of the unit that no change explains."""
    until = case.until if case.recovery is not None or case.ongoing else case.until - SECOND  # the stop that ends it is not a try
    inside = [change for change in case.answers if change.us <= until and not change.read_only]
    changes = [change for change in inside if change.kind not in ("login", "boot") and not _by_a_program(change)]
    files = unit_files(case, entries) if changes else UnitFiles(frozenset(), frozenset())
    moved = {path for change in changes for command in commands_of(change.summary) for path in moved_by(command, _directory(change))}
    acts = [_act(change, case.unit, files, moved) for change in changes]
    acts = [act for act, change in zip(acts, changes, strict=True) if act.prepares or act.applies or _may_fix(change, case.unit, files)]
    times = np.array([act.us for act in acts], dtype=np.int64)
    for us, row in manual_starts(case):
        near = times[(times <= us + SECOND) & (times >= us - SAME_ACT)]
        if len(near):
            at = int(np.flatnonzero(times == near[-1])[-1])
            acts[at] = replace(acts[at], tests=True, prepares=False)
        else:
            acts.append(Act(us, "unit-job", f"{case.unit} started manually", row, tests=True))
    return sorted(acts, key=lambda act: (act.us, act.row))


def manual_starts(case: Case) -> list[tuple[int, int]]:
    """List (time, row) of the further starts by hand; none when they are so many that a program makes them."""
    manual = [(us, row) for us, row in case.by_hand if us > case.start]
    return [] if is_routine([us for us, _ in manual]) else manual


def _act(change: CaseChange, unit: str, files: UnitFiles, moved: Collection[str]) -> Act:
    commands, directory = commands_of(change.summary), _directory(change)
    applies = change.kind in ("unit-reload", "system-switch") or any(puts_into_effect(command, unit) for command in commands)
    is_prepared = bool(commands) and not applies and all(prepares(command, directory, files.paths, moved) for command in commands)
    tests = change.kind == "unit-job"
    return Act(change.us, change.kind, change.summary, change.row, tests, is_prepared, applies or tests)


def _directory(change: CaseChange) -> str:
    return working_directory(change.evidence.message)


def _by_a_program(change: CaseChange) -> bool:
    """Whether a reload was requested by something that is not a person's command."""
    message = change.evidence.message
    return change.kind == "unit-reload" and "requested" in message and not is_by_person(change.kind, change.summary, message, None)


def _may_fix(change: CaseChange, unit: str, files: UnitFiles) -> bool:
    """Whether a change can matter to the unit: it is about the unit or the system, or handles files."""
    about = is_about(unit, files.directories, change.kind, change.summary, change.evidence.message)
    return about or any(HANDLES_FILES.search(command) for command in commands_of(change.summary))


def _tries(acts: list[Act], began: Ints, until: int) -> Iterator[list[Act]]:
    """Group acts into tries; what the unit did not use yet waits for the try that puts it into effect."""
    prepared = [act for act in acts if act.prepares]
    current: list[Act] = []
    for act in acts:
        if act.prepares:
            continue
        in_effect = _in_effect(current, began, act.us)
        if in_effect and (act.us - current[0].us > ONE_TRY or (current[-1].tests and act.us - current[-1].us > SAME_ACT)):
            yield _with_prepared(prepared, current[:in_effect])
            current = current[in_effect:]
        current.append(act)
    if in_effect := _in_effect(current, began, until + SECOND):
        yield _with_prepared(prepared, current[:in_effect])


def _in_effect(acts: list[Act], began: Ints, until: int) -> int:
    """Count the first acts that a start of the unit has tested by then; the others still wait for one."""
    before = int(np.searchsorted(began, until))
    last_start = int(began[before - 1]) if before else -1
    return next((at + 1 for at in reversed(range(len(acts))) if acts[at].tests or acts[at].us <= last_start), 0)


def _with_prepared(prepared: list[Act], acts: list[Act]) -> list[Act]:
    """Take from `prepared` what one of the acts puts into effect."""
    applied_at = max((act.us for act in acts if act.applies or act.tests), default=0)
    count = bisect_right(prepared, applied_at, key=lambda act: act.us)
    own = sorted([*prepared[:count], *acts], key=lambda act: (act.us, act.row))
    del prepared[:count]
    return own


def _first_change(acts: list[Act]) -> int:
    """Return when a try first changed what the unit uses."""
    return next((act.us for act in acts if not act.prepares), acts[0].us)


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
    first, last = _first_change(acts), acts[-1].us
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
