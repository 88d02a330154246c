"""Batches of new entries in, ended attempts with their failure class out: `report`'s own functions over the entries of what still runs.

An attempt is told once its end has been there for SETTLE_S, so that lines that come just after it (a core dump, the kernel's words) count.
A naming costs about 0.1 s however little it names. So a unit that says only what it has said before, as in a restart loop, is looked at
once in ROUTINE_S; one that says something new at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from forensics.assembly import Assembly, assemble
from forensics.classes.overrides import Overrides, apply_overrides
from forensics.journal.columns import SCHEMA
from forensics.journal.dictionary import DICTIONARY
from forensics.model.frames import ENTRIES
from forensics.model.values import Signature
from forensics.signatures import label
from forensics.signatures.naming import mined_signature
from forensics.signatures.nonfatal import FATAL_ELSEWHERE, WHY, problems
from forensics.signatures.pattern import Catalogue
from forensics.watch.batch import Ears, Seen

SETTLE_S = 0.2
ROUTINE_S = 1.5
SURVIVES_S = 1.5  # after a line of trouble a service that still runs goes on
KEEP_ENDED_S = 2.0  # entries of an attempt that was told of
KEEP_OTHERS_S = 60.0  # entries about no unit: the kernel speaks of a process before and after its end
MOST_LINES = 1000  # of one attempt that runs, the newest; it also keeps its first FIRST_LINES
FIRST_LINES = 50
MOST_GROWN = 5000  # entries that came since the last look at what can be forgotten
# polars 2.1 keeps 70 KB of each table for ever that has dictionary columns: a gigabyte in half a day
PLAIN = pa.schema([(field.name, pa.string() if field.type == DICTIONARY else field.type) for field in SCHEMA])
HELD = {**ENTRIES, "arrived": pl.Float64()}


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that ended. signature: null when it did not fail."""

    run: str  # the same in every process that sees the attempt
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


@dataclass(slots=True)
class Stream:
    """Holds the entries of running attempts. told: runs that were given out already, with when by a steady clock, oldest first."""

    catalogue: Catalogue
    overrides: Overrides
    told: dict[str, float] = field(default_factory=dict)
    _ears: Ears = field(default_factory=Ears)
    _held: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HELD))
    _fed: list[pl.DataFrame] = field(default_factory=list)  # since they were put to those that are held
    _ending: dict[str, tuple[float, float]] = field(default_factory=dict)  # unit → when the first and the last word came of untold ends
    _unheard: dict[str, float] = field(default_factory=dict)  # unit → when it last said something new, since its last end that was told
    _alarmed: dict[str, float] = field(default_factory=dict)  # unit → since when a line of trouble waits
    _looked: float = float("-inf")

    def feed(self, table: pa.Table, now: float) -> Seen:
        """Take new entries in; what they say at once comes back; `settle` gives ends. now: a steady clock."""
        new = pl.DataFrame(table.cast(PLAIN)).select(pl.col(name).cast(kind) for name, kind in ENTRIES.items())
        self._fed.append(new.with_columns(arrived=pl.lit(now, pl.Float64)))
        seen = self._ears.listen(new)
        for unit in seen.ending:
            self._ending[unit] = (self._ending.get(unit, (now, now))[0], now)
        for unit in seen.alarming:
            self._alarmed.setdefault(unit, now)
        self._unheard |= dict.fromkeys(seen.news, now)
        if sum(map(len, self._fed)) >= MOST_GROWN:
            self._forget(now)
        return seen

    @property
    def due(self) -> float | None:
        """When `settle` has something to do; null when nothing waits."""
        times = [since + SURVIVES_S for since in self._alarmed.values()]
        for unit, (first, last) in self._ending.items():
            settled = min(last + SETTLE_S, first + 2 * SETTLE_S)  # in a fast loop there is always a newer one
            times.append(settled if unit in self._unheard else max(settled, self._looked + ROUTINE_S))
        return min(times, default=None)

    @property
    def waiting(self) -> frozenset[str]:
        """Units whose last end is not told of yet."""
        return frozenset(self._ending)

    def settle(self, now: float) -> tuple[tuple[Ended, ...], tuple[Survived, ...]]:
        """The attempts whose end has settled since the last call, in order of time, and the problems that running ones tell of."""
        if self.due is None or now < self.due:
            return (), ()
        alarmed = {unit for unit, since in self._alarmed.items() if now - since >= SURVIVES_S}
        held = self._about(self._ending.keys() | alarmed)
        entries = held.drop("arrived")
        assembly = assemble(entries, include_running=bool(alarmed))
        new = self._untold(held, assembly.attempts)
        over = new.filter(pl.col("since") <= now - SETTLE_S)
        found = self._named(entries, assembly, over) if len(over) else ()
        self.told |= dict.fromkeys(over["run"], now)
        survived = self._survived(assembly, alarmed) if alarmed else ()
        until = dict(over.select(pl.col("unit").cast(pl.String), "since").sort("since").iter_rows())  # what was said before an end is told
        self._alarmed = {u: at for u, at in self._alarmed.items() if u not in alarmed and at > until.get(u, float("-inf"))}
        self._unheard = {u: at for u, at in self._unheard.items() if at > until.get(u, float("-inf"))}
        waiting = new.filter(pl.col("since") > now - SETTLE_S).select(pl.col("unit").cast(pl.String), "since")
        ends = waiting.group_by("unit").agg(first=pl.col("since").min(), last=pl.col("since").max())
        self._ending = {unit: (first, last) for unit, first, last in ends.iter_rows()}
        self._looked = now
        self._forget(now)
        return found, survived

    def pass_over(self, now: float) -> None:
        """What has ended so far was told of by others."""
        held = self._about(set(self._ending))
        self.told |= dict.fromkeys(self._untold(held, assemble(held.drop("arrived")).attempts)["run"], now)
        self._ending, self._alarmed, self._unheard = {}, {}, {}

    def give_up(self) -> frozenset[str]:
        """Forget what the units said that were to be looked at, and say which."""
        units = frozenset(self._ending.keys() | self._alarmed.keys())
        self._put_together()
        self._held = self._held.filter(~pl.col("unit").cast(pl.String).is_in(list(units)).fill_null(value=False))
        self._ending, self._alarmed = {}, {}
        return units

    def _about(self, units: set[str]) -> pl.DataFrame:
        """HELD entries about these units and about none, a host's boots one after the other, in a boot as recorded."""
        self._put_together()
        entries = self._held.filter(pl.col("unit").is_null() | pl.col("unit").cast(pl.String).is_in(list(units)))
        place = pl.int_range(pl.len()).min().over("host", "machine", "boot")
        return entries.sort(place, maintain_order=True).rechunk()

    def _untold(self, held: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
        """The attempts that ended and were not told of, with `run`, and `since`: when the entry that shows the end arrived."""
        ended = attempts.filter(~pl.col("outcome").is_in(["running", "cut"]))  # "cut" by the end of what has been read is no end
        unnamed = pl.concat_str(pl.col("boot", "unit").cast(pl.String), pl.col("started").cast(pl.Int64).cast(pl.String), separator="/")
        known = ended.with_columns(run=pl.coalesce(pl.col("invocation").cast(pl.String), unnamed))
        new = known.filter(pl.Series([run not in self.told for run in known["run"]], dtype=pl.Boolean))
        return new.with_columns(since=held["arrived"].gather(new["last_row"]))

    def _survived(self, assembly: Assembly, alarmed: set[str]) -> tuple[Survived, ...]:
        still = pl.col("outcome").is_in(["running", "cut"]) & pl.col("unit").cast(pl.String).is_in(list(alarmed))
        going_on = assembly.attempts.filter(still).select("attempt", "host", "unit")
        events = assembly.events.join(going_on, on="attempt", how="semi", maintain_order="left")
        candidates = problems(events, self.catalogue).filter(pl.col("rule") != FATAL_ELSEWHERE)
        best = candidates.sort("rule").unique("event", keep="first", maintain_order=True)
        found = best.join(going_on, on="attempt").sort("row")
        known = {pattern.id: pattern.signature for pattern in self.catalogue.patterns}
        rows = found.join(events.select("event", "text", "last", "time"), on="event", maintain_order="left").iter_rows(named=True)
        return tuple(self._one_survived(row, known) for row in rows)

    def _one_survived(self, row: dict[str, Any], known: dict[str, Signature]) -> Survived:
        signature = known.get(row["signature"]) or mined_signature(row["signature"], row["title"])
        shown = self.overrides.shown_as(signature.id)
        named = replace(signature, id=shown, title=self.overrides.titles.get(shown, signature.title))
        return Survived(str(row["host"] or ""), row["unit"], row["time"], named, WHY[row["rule"]], row["last"] or row["text"])

    def _named(self, entries: pl.DataFrame, assembly: Assembly, over: pl.DataFrame) -> tuple[Ended, ...]:
        wanted = over.select("attempt")
        events, attempts = (frame.join(wanted, on="attempt", how="semi") for frame in (assembly.events, assembly.attempts))
        labelled = apply_overrides(label(events, attempts, self.catalogue), self.overrides)
        rows = over.join(labelled.labels, on="attempt", how="left").sort("ended", "attempt").iter_rows(named=True)
        return tuple(_ended(row, entries, labelled.signatures.get(row["signature"])) for row in rows)

    def _put_together(self) -> None:
        if self._fed:
            self._held = pl.concat([self._held, *self._fed])
            self._fed = []

    def _forget(self, now: float) -> None:
        """Drop the entries that no attempt that runs needs."""
        self._put_together()
        runs = self._held["invocation"].unique().drop_nulls().cast(pl.String)
        told = pl.col("invocation").cast(pl.String).is_in([run for run in runs if run in self.told])
        whole = ["boot", "unit", "invocation"]
        turn, size = pl.int_range(pl.len()).over(whole), pl.len().cast(pl.Int64).over(whole)
        newest = (turn < FIRST_LINES) | (turn >= size - MOST_LINES)
        age = now - pl.col("arrived")
        of_none = pl.col("unit").is_null() | pl.col("invocation").is_null()
        keep = pl.when(of_none).then(age < KEEP_OTHERS_S).when(told).then(age < KEEP_ENDED_S).otherwise(newest)
        self._held = self._held.filter(keep).rechunk()


def _ended(row: dict[str, object], entries: pl.DataFrame, signature: Signature | None) -> Ended:
    at = row["row"] if row["row"] is not None else row["last_row"]
    return Ended(
        run=str(row["run"]),
        host=str(row["host"] or ""),
        unit=str(row["unit"]),
        time=row["ended"] or row["started"],  # type: ignore[arg-type]
        outcome=str(row["outcome"]),
        uptime_s=row["uptime_s"],  # type: ignore[arg-type]
        signature=signature if row["failed"] else None,
        why=str(row["why"] or ""),
        line=entries["message"][at] or "",  # type: ignore[call-overload]
    )
