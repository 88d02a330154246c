"""Batches of new entries in, ended attempts with their failure class out: `report`'s own functions over the entries of what still runs.

An attempt is told once its end has been there for SETTLE_S, so that lines that come just after it (a core dump, the kernel's words) count.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from forensics.attempts import Assembly, assemble
from forensics.attempts.says import BY_MESSAGE_ID, Says
from forensics.decisions import Decisions, applied
from forensics.model import ENTRIES, Signature
from forensics.signatures import label, mask, tone
from forensics.signatures.mask import LONGEST
from forensics.signatures.naming import mined_signature
from forensics.signatures.pattern import Catalogue
from forensics.signatures.survived import FATAL_ELSEWHERE, WHY, problems

SETTLE_S = 0.2
BEGINS = next(id_ for id_, says in BY_MESSAGE_ID.items() if says == Says.STARTING)  # nothing ends with it
SURVIVES_S = 1.5  # after a line of trouble a service that still runs goes on
MOST_HEARD = 50_000
KEEP_ENDED_S = 2.0  # entries of an attempt that was told of
KEEP_OTHERS_S = 60.0  # entries about no unit: the kernel speaks of a process before and after its end
MOST_LINES = 2000  # of one attempt that runs, the newest; it also keeps its first FIRST_LINES
FIRST_LINES = 50
# "Stopped" is also said between an end and its restart; then the job is no stop
SPOKEN = {id_: says for id_, says in BY_MESSAGE_ID.items() if says in {Says.RESTART, Says.STARTED, Says.STOPPED}}


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that ended. signature: null when it did not fail."""

    key: str  # the same in every run that sees the attempt
    host: str
    unit: str
    time: datetime
    outcome: str
    uptime_s: float | None
    signature: Signature | None
    why: str
    line: str


@dataclass(frozen=True, slots=True)
class Survived:
    """A problem that a running attempt tells of."""

    host: str
    unit: str
    time: datetime
    signature: Signature
    why: str
    line: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What a batch brought."""

    restarts: tuple[tuple[str, datetime], ...]  # (unit, time)
    started: tuple[str, ...]
    stopped: tuple[tuple[str, datetime], ...]  # on request, also while it waited for its restart
    host: str
    dropped: int  # lines that journald says it lost


@dataclass(slots=True)
class Stream:
    """Holds the entries of running attempts. told: keys of attempts that were given out already, with when, oldest first."""

    catalogue: Catalogue
    decisions: Decisions
    told: dict[str, float] = field(default_factory=dict)
    entries: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema={**ENTRIES, "arrived": pl.Float64()}))
    unsettled: bool = False
    alarmed: float | None = None  # since when a line waits that sounds like trouble and was never heard before
    heard: set[str] = field(default_factory=set)  # masked texts of such lines

    @property
    def is_busy(self) -> bool:
        """Whether `settle` has something to do, now or soon."""
        return self.unsettled or self.alarmed is not None

    def feed(self, table: pa.Table, now: float) -> Seen:
        """Take new entries in; what they say at once (restarts, starts, losses) comes back; `settle` gives ends. now: a steady clock."""
        new = pl.DataFrame(table).select(pl.col(name).cast(kind) for name, kind in ENTRIES.items())
        self.entries = pl.concat([self.entries, new.with_columns(arrived=pl.lit(now, pl.Float64))])
        spoken = new.filter(pl.col("message_id").is_not_null() & pl.col("unit").is_not_null())
        self.unsettled |= not spoken.filter(pl.col("message_id").cast(pl.String) != BEGINS).is_empty()
        if self.alarmed is None and self._is_alarming(new):
            self.alarmed = now
        said = spoken.filter(pl.col("message_id").cast(pl.String).is_in(list(SPOKEN))).select(
            pl.col("message_id", "unit", "job_type").cast(pl.String), "time"
        )
        rows = [(SPOKEN[id_], unit, job, time) for id_, unit, job, time in said.iter_rows()]
        return Seen(
            restarts=tuple((unit, time) for says, unit, _, time in rows if says == Says.RESTART),
            started=tuple(unit for says, unit, _, _ in rows if says == Says.STARTED),
            stopped=tuple((unit, time) for says, unit, job, time in rows if says == Says.STOPPED and job == "stop"),
            host=str(new["host"].drop_nulls().last() or "") if new["host"].count() else "",
            dropped=int(new["dropped"].sum() or 0),
        )

    def _is_alarming(self, new: pl.DataFrame) -> bool:
        """Whether a service says something of trouble that it never said in these words."""
        own = new.filter(pl.col("unit").is_not_null() & (pl.col("pid") != 1) & pl.col("message").is_not_null())
        words = own.select(pl.col("message").str.slice(0, LONGEST).unique())
        loud = words.filter(tone.reports_error(pl.col("message")) | tone.complains(pl.col("message")))["message"]
        fresh = set(mask.keys(loud)) - self.heard if len(loud) else set()
        self.heard = fresh if len(self.heard) > MOST_HEARD else self.heard | fresh
        return bool(fresh)

    def settle(self, now: float, wall: float) -> tuple[tuple[Ended, ...], tuple[Survived, ...]]:
        """The attempts whose end has settled since the last call, in order of time, and the problems that running ones tell of.

        now: a steady clock; wall: what `told` remembers.
        """
        due = self.alarmed is not None and now - self.alarmed >= SURVIVES_S
        if not self.unsettled and not due:
            return (), ()
        self.entries = _by_boot(self.entries)
        arrived = self.entries["arrived"]
        entries = self.entries.drop("arrived").rechunk()
        assembly = assemble(entries, told_by_running=due)
        keyed = assembly.attempts.with_columns(
            key=_key(pl.coalesce("invocation", pl.col("started").cast(pl.Int64).cast(pl.String))),
            since=arrived.gather(assembly.attempts["last_row"]),
        )
        # "cut" by the end of what has been read so far is no end
        new = keyed.filter(~pl.col("outcome").is_in(["running", "cut"]) & ~pl.col("key").is_in(list(self.told)))
        over = new.filter(pl.col("since") <= now - SETTLE_S)
        self.unsettled = len(over) < len(new)
        found = self._named(entries, assembly.events, assembly.attempts, over) if len(over) else ()
        self.told |= dict.fromkeys(over["key"], wall)
        survived = self._survived(assembly) if due else ()
        self.alarmed = None if due else self.alarmed
        self._forget(now)
        return found, survived

    def _survived(self, assembly: Assembly) -> tuple[Survived, ...]:
        going_on = assembly.attempts.filter(pl.col("outcome").is_in(["running", "cut"])).select("attempt", "host", "unit")
        events = assembly.events.join(going_on, on="attempt", how="semi", maintain_order="left")
        candidates = problems(events, self.catalogue).filter(pl.col("rule") != FATAL_ELSEWHERE)
        best = candidates.sort("rule").unique("event", keep="first", maintain_order=True)
        found = best.join(going_on, on="attempt").sort("row")
        known = {pattern.id: pattern.signature for pattern in self.catalogue.patterns}
        rows = found.join(events.select("event", "text", "last", "time"), on="event", maintain_order="left").iter_rows(named=True)
        return tuple(self._one_survived(row, known) for row in rows)

    def _one_survived(self, row: dict[str, Any], known: dict[str, Signature]) -> Survived:
        signature = known.get(row["signature"]) or mined_signature(row["signature"], row["title"])
        shown = self.decisions.shown_as(signature.id)
        named = replace(signature, id=shown, title=self.decisions.titles.get(shown, signature.title))
        return Survived(str(row["host"] or ""), row["unit"], row["time"], named, WHY[row["rule"]], row["last"] or row["text"])

    def _named(self, entries: pl.DataFrame, events: pl.DataFrame, attempts: pl.DataFrame, over: pl.DataFrame) -> tuple[Ended, ...]:
        wanted = over.select("attempt")
        labelled = applied(
            label(events.join(wanted, on="attempt", how="semi"), attempts.join(wanted, on="attempt", how="semi"), self.catalogue),
            self.decisions,
        )
        rows = over.join(labelled.labels, on="attempt", how="left").sort("ended", "attempt").iter_rows(named=True)
        return tuple(_ended(row, entries, labelled.signatures.get(row["signature"])) for row in rows)

    def _forget(self, now: float) -> None:
        """Drop the entries that no attempt that runs needs."""
        told = _key(pl.col("invocation")).is_in(list(self.told)).fill_null(value=False)
        whole = ["boot", "unit", "invocation"]
        turn, size = pl.int_range(pl.len()).over(whole), pl.len().over(whole)
        newest = (turn < FIRST_LINES) | (turn >= size - MOST_LINES)
        age = now - pl.col("arrived")
        of_none = pl.col("unit").is_null() | pl.col("invocation").is_null()
        keep = pl.when(told).then(age < KEEP_ENDED_S).when(of_none).then(age < KEEP_OTHERS_S).otherwise(newest)
        self.entries = self.entries.filter(keep)


def _key(run: pl.Expr) -> pl.Expr:
    """What names an attempt; null where one of its parts is."""
    return pl.concat_str(pl.col("boot", "unit").cast(pl.String), run, separator="/")


def _ended(row: dict[str, object], entries: pl.DataFrame, signature: Signature | None) -> Ended:
    at = row["row"] if row["row"] is not None else row["last_row"]
    return Ended(
        key=str(row["key"]),
        host=str(row["host"] or ""),
        unit=str(row["unit"]),
        time=row["ended"] or row["started"],  # type: ignore[arg-type]
        outcome=str(row["outcome"]),
        uptime_s=row["uptime_s"],  # type: ignore[arg-type]
        signature=signature if row["failed"] else None,
        why=str(row["why"] or ""),
        line=entries["message"][at] or "",  # type: ignore[call-overload]
    )


def _by_boot(entries: pl.DataFrame) -> pl.DataFrame:
    """Canonical order: a host's boots one after the other, in a boot as recorded."""
    place = pl.int_range(pl.len()).min().over("host", "machine", "boot")
    return entries.sort(place, maintain_order=True)
