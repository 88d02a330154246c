"""Read what needs no assembling from a batch of new entries: the manager's statements, new lines, boots, lost lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

from forensics.attempts import asks_to_stop, lifecycle_of
from forensics.boots import machine_or_host
from forensics.model.moments import Moment
from forensics.model.values import UnitKey
from forensics.signatures import line_level
from forensics.speakers import Speaker, speakers

# a statement of any other kind can be about an end
NO_ENDS = {"starting", "started", "stopping", "restart", "reloading"}
MOST_REMEMBERED = 50_000  # lines
LONGEST = 300  # characters of a line that decide whether it is new
NUMBERED = re.compile(r"\b[^\W\d]*\d\w*")


@dataclass(frozen=True, slots=True)
class Statement:
    """A row of LIFECYCLE. number: of the entry, in the order of reading."""

    unit: UnitKey
    kind: str
    at: Moment
    invocation: str
    asks_to_stop: bool
    counter: int | None
    number: int


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


@dataclass(slots=True)
class LoggedLines:
    """Remembers which lines each unit has logged; words with a digit in them count as the same."""

    _hashes: set[int] = field(default_factory=set)

    def add(self, unit: UnitKey, text: str | None) -> bool:
        """Whether the line is new."""
        line = hash((unit, NUMBERED.sub("0", (text or "")[:LONGEST])))
        if line in self._hashes:
            return False
        if len(self._hashes) >= MOST_REMEMBERED:
            self._hashes.clear()
        self._hashes.add(line)
        return True


def facts_of(entries: pl.DataFrame, lines: LoggedLines, first_number: int = 0) -> BatchFacts:
    """Read the facts of new ENTRIES, the first of which has `first_number`; 4 µs per row, and a busy host writes hundreds per second."""
    by = speakers(entries)
    statements = _statements(entries, first_number) if (by == int(Speaker.MANAGER)).any() else ()
    with_new_lines: set[UnitKey] = set()
    jobs: set[UnitKey] = set()
    new_texts: list[tuple[UnitKey, str | None]] = []
    columns = entries.select("machine", "host", "manager", "unit", "message", by=by).filter(pl.col("unit").is_not_null())
    keyed = columns.with_columns(machine_or_host()).select(pl.col("machine", "manager", "unit").cast(pl.String), "message", "by")
    for machine, manager, unit, text, speaker in keyed.iter_rows():
        key = UnitKey(machine or "", manager or "", unit)
        if lines.add(key, text):
            with_new_lines.add(key)
            if unit.endswith(".timer") and speaker == Speaker.MANAGER:
                jobs.add(key._replace(unit=unit.removesuffix(".timer") + ".service"))
            if speaker == Speaker.SERVICE:
                new_texts.append((key, text))
    return BatchFacts(
        statements=statements,
        boots=boots_of(entries),
        ending=frozenset(statement.unit for statement in statements if statement.kind not in NO_ENDS),
        with_new_lines=frozenset(with_new_lines),
        with_new_errors=_with_errors(new_texts),
        jobs=frozenset(jobs),
        dropped=int(entries["dropped"].filter(by == Speaker.JOURNALD).sum() or 0),
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
    )
    rows = lifecycle_of(entries).sort("row").select(columns).iter_rows()
    return tuple(
        Statement(
            UnitKey(machine or "", manager, unit),
            kind,
            Moment(time, clock, boot or ""),
            invocation or "",
            asks,
            counter,
            first_number + row,
        )
        for machine, manager, unit, kind, time, clock, boot, invocation, asks, counter, row in rows
    )


def boots_of(entries: pl.DataFrame) -> tuple[Boot, ...]:
    """List the boots of ENTRIES, in order of their first entry."""
    last = (
        entries.select("machine", "host", "boot", pl.col("time").dt.timestamp("us"), "monotonic")
        .group_by("machine", "boot", maintain_order=True)
        .agg(pl.col("host").drop_nulls().last(), pl.col("time", "monotonic").last())
    )
    rows = last.with_columns(machine_or_host()).select("machine", pl.col("host", "boot").cast(pl.String), "time", "monotonic").iter_rows()
    return tuple(Boot(machine or "", host or "", Moment(time, clock, boot or "")) for machine, host, boot, time, clock in rows)


def _with_errors(texts: list[tuple[UnitKey, str | None]]) -> frozenset[UnitKey]:
    if not texts:
        return frozenset()
    frame = pl.DataFrame({"text": [text for _, text in texts]}, schema={"text": pl.String})
    loud = frame.select(line_level.reports_error(pl.col("text")) | line_level.complains(pl.col("text"))).to_series().fill_null(value=False)
    return frozenset(key for (key, _), is_loud in zip(texts, loud, strict=True) if is_loud)
