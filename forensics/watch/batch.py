"""Read what needs no assembling from a batch of new entries: the manager's statements, new lines, boots, lost lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from forensics.attempts import asks_to_stop, lifecycle_of
from forensics.boots import machine_or_host
from forensics.model.moments import Moment
from forensics.model.values import UnitKey
from forensics.signatures import line_level, mask
from forensics.speakers import Speaker, speakers

# a statement of any other kind can be about an end
OURS = {"gate-opened", "gate-probed", "gate-closed", "remedy-started", "remedy-ended"}
NO_ENDS = {"starting", "started", "stopping", "restart", "reloading", *OURS}
MayMatch = Callable[[pl.Series], pl.Series]
MOST_REMEMBERED = 50_000  # lines
LONGEST = 300  # characters of a line that decide whether it is new
NUMBERED = re.compile(r"\b[^\W\d]*\d\w*")


@dataclass(frozen=True, slots=True)
class Statement:
    """A row of LIFECYCLE. number: of the entry, in the order of reading. text, priority, wait_s: of an entry of this program's own."""

    unit: UnitKey
    kind: str
    at: Moment
    invocation: str
    asks_to_stop: bool
    counter: int | None
    number: int
    about: str = ""
    text: str = ""
    priority: int = 6
    wait_s: int | None = None


@dataclass(frozen=True, slots=True)
class Boot:
    """last: its newest entry in the batch."""

    machine: str
    host: str
    last: Moment


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """What a batch shows at once."""

    statements: tuple[Statement, ...] = ()
    boots: tuple[Boot, ...] = ()  # in order of their first entry
    ending: frozenset[UnitKey] = frozenset()  # units with a statement that can be about an end
    with_new_lines: frozenset[UnitKey] = frozenset()
    with_new_errors: frozenset[UnitKey] = frozenset()  # those of them that log an error of their own
    jobs: frozenset[UnitKey] = frozenset()  # the services of timers that an entry is about
    dropped: int = 0  # lines that journald reports as lost
    loud: tuple[bool, ...] = ()  # of each entry: whether it is a service's line that looks like an error or like a known problem


@dataclass(slots=True)
class LoggedLines:
    """Remembers which lines each unit has logged, and which of them are loud; words with a digit in them count as the same."""

    _loud: dict[int, bool] = field(default_factory=dict)

    def add(self, unit: UnitKey, text: str | None) -> tuple[int, bool]:
        """Return the number of a line, and whether it is new."""
        line = hash((unit, NUMBERED.sub("0", (text or "")[:LONGEST])))
        if line in self._loud:
            return line, False
        if len(self._loud) >= MOST_REMEMBERED:
            self._loud.clear()
        self._loud[line] = False
        return line, True

    def mark_loud(self, lines: Iterable[int]) -> None:
        """Remember that lines look like an error or like a known problem."""
        self._loud |= dict.fromkeys(lines, True)

    def is_loud(self, line: int) -> bool:
        return self._loud.get(line, False)


def _no_problem(texts: pl.Series) -> pl.Series:
    return pl.repeat(value=False, n=len(texts), eager=True)


def facts_of(entries: pl.DataFrame, lines: LoggedLines, first_number: int = 0, may_match: MayMatch = _no_problem) -> BatchFacts:
    """Read the facts of new ENTRIES, the first of which has `first_number`; 4 µs per row, and a busy host writes hundreds per second.

    may_match: whether texts can be known problems.
    """
    by = speakers(entries)
    statements = _statements(entries, first_number) if by.is_in([int(Speaker.MANAGER), int(Speaker.OURS)]).any() else ()
    with_new_lines = {statement.unit for statement in statements if statement.kind in OURS}
    jobs: set[UnitKey] = set()
    new_texts: list[tuple[UnitKey, int, str | None]] = []
    own: list[tuple[int, int]] = []  # row and line of services' entries
    columns = (
        entries.select("machine", "host", "manager", "unit", "message", by=by).with_row_index("row").filter(pl.col("unit").is_not_null())
    )
    keyed = columns.with_columns(machine_or_host()).select(pl.col("machine", "manager", "unit").cast(pl.String), "message", "by", "row")
    for machine, manager, unit, text, speaker, row in keyed.iter_rows():
        key = UnitKey(machine or "", manager or "", unit)
        line, is_new = lines.add(key, text)
        if speaker == Speaker.SERVICE:
            own.append((row, line))
        if is_new:
            with_new_lines.add(key)
            if unit.endswith(".timer") and speaker == Speaker.MANAGER:
                jobs.add(key._replace(unit=unit.removesuffix(".timer") + ".service"))
            if speaker == Speaker.SERVICE:
                new_texts.append((key, line, text))
    with_new_errors = _with_errors(new_texts, lines, may_match)
    loud_rows = {row for row, line in own if lines.is_loud(line)}
    return BatchFacts(
        statements=statements,
        boots=boots_of(entries),
        ending=frozenset(statement.unit for statement in statements if statement.kind not in NO_ENDS),
        with_new_lines=frozenset(with_new_lines),
        with_new_errors=with_new_errors,
        jobs=frozenset(jobs),
        dropped=int(entries["dropped"].filter(by == Speaker.JOURNALD).sum() or 0),
        loud=tuple(row in loud_rows for row in range(len(entries))),
    )


def _statements(entries: pl.DataFrame, first_number: int) -> tuple[Statement, ...]:
    columns = (
        "machine",
        "manager",
        "unit",
        "kind",
        pl.col("time").dt.timestamp("us"),
        "monotonic",
        "boot",
        "invocation",
        asks_to_stop().alias("asks_to_stop"),
        "counter",
        "row",
        "about",
    )
    rows = lifecycle_of(entries).sort("row").select(columns).iter_rows()
    statements = (_statement(row, first_number) for row in rows)
    return tuple(_with_text(each, entries, first_number) if each.kind in OURS else each for each in statements)


def _statement(row: tuple[Any, ...], first_number: int) -> Statement:
    machine, manager, unit, kind, time, clock, boot, invocation, asks, counter, number, about = row
    key, at = UnitKey(machine or "", manager, unit), Moment(time, clock, boot or "")
    return Statement(key, kind, at, invocation or "", asks, counter, first_number + number, about or "")


def _with_text(statement: Statement, entries: pl.DataFrame, first_number: int) -> Statement:
    text, priority, wait_s = entries.select("message", "priority", "exit_status").row(statement.number - first_number)
    return replace(statement, text=text or "", priority=statement.priority if priority is None else priority, wait_s=wait_s)


def boots_of(entries: pl.DataFrame) -> tuple[Boot, ...]:
    """List the boots of ENTRIES, in order of their first entry."""
    last = (
        entries.select("machine", "host", "boot", pl.col("time").dt.timestamp("us"), "monotonic")
        .group_by("machine", "boot", maintain_order=True)
        .agg(pl.col("host").drop_nulls().last(), pl.col("time", "monotonic").last())
    )
    rows = last.with_columns(machine_or_host()).select("machine", pl.col("host", "boot").cast(pl.String), "time", "monotonic").iter_rows()
    return tuple(Boot(machine or "", host or "", Moment(time, clock, boot or "")) for machine, host, boot, time, clock in rows)


def _with_errors(new: list[tuple[UnitKey, int, str | None]], lines: LoggedLines, may_match: MayMatch) -> frozenset[UnitKey]:
    """Select the units with a new line that looks like an error; mark the lines that can explain an end."""
    if not new:
        return frozenset()
    texts = pl.Series("text", [text or "" for _, _, text in new], dtype=pl.String)
    start = pl.col("text").str.slice(0, mask.LONGEST)  # as `signatures.nonfatal` reads it
    errors = texts.to_frame().select(line_level.reports_error(start) | line_level.complains(start)).to_series()
    lines.mark_loud(line for (_, line, _), is_loud in zip(new, errors | may_match(texts), strict=True) if is_loud)
    return frozenset(key for (key, _, _), is_error in zip(new, errors, strict=True) if is_error)
