"""Assemble and label attempts as they end, by the functions that history uses, over the entries of what still runs.

An attempt is reported once its end has been there for SETTLE_S, so that lines that come just after it (a core dump, the kernel's) count.
Each pass costs about 0.1 s regardless of how much it labels. So a unit that logs only what it has logged before, as in a restart loop,
waits up to ROUTINE_S for a pass; one that logs something new does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import polars as pl
import pyarrow as pa

from forensics.assembly import Assembly, assemble
from forensics.attempt_facts import attempts_of, unit_of, with_facts
from forensics.boots import machine_or_host
from forensics.classes.overrides import Overrides, apply_overrides
from forensics.journal.columns import SCHEMA
from forensics.journal.dictionary import DICTIONARY
from forensics.model.bounds import bounded_entries
from forensics.model.frames import ENTRIES
from forensics.model.own_entries import IDENTIFIER
from forensics.model.values import Signature, UnitKey
from forensics.policy.unit_state import Attempt
from forensics.signatures import Labelled, filled_for, label
from forensics.signatures.candidates import good_so_far
from forensics.signatures.contrast import NO_PAST, remembered
from forensics.signatures.match import may_match
from forensics.signatures.nonfatal import FATAL_ELSEWHERE, WHY, problems, signature_of
from forensics.signatures.pattern import Catalogue
from forensics.watch.batch import BatchFacts, LoggedLines, facts_of
from forensics.watch.kept_lines import kept_lines

SETTLE_S = 0.2
ROUTINE_S = 1.5
NONFATAL_S = 1.5  # after an error a service that still runs has survived it
KEEP_ENDED_S = 2.0  # entries of an attempt that was reported
KEEP_OTHERS_S = 60.0  # entries about no unit: the kernel logs a process before and after its end
MOST_LINES = 1000  # of one attempt that runs, the newest; it also keeps its first FIRST_LINES, and the lines that can explain its end
FIRST_LINES = 50
MOST_GROWN = 5000  # entries that came since entries were last dropped, or as many portions of their text
PORTION = 4096  # bytes
# polars 2.1 leaks 70 KB per table with dictionary columns: a gigabyte in half a day
PLAIN = pa.schema([(field.name, pa.string() if field.type == DICTIONARY else field.type) for field in SCHEMA])
HELD = {**ENTRIES, "arrived": pl.Float64(), "number": pl.Int64(), "loud": pl.Boolean()}  # number: of the entry, in the order of reading


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt that ended. signature: null when it failed neither by itself nor while being stopped. number: of the entry of its end."""

    invocation: str  # the same in every process that reads the attempt
    host: str
    unit: UnitKey
    attempt: Attempt
    signature: Signature | None
    why: str
    line: str
    number: int


@dataclass(frozen=True, slots=True)
class NonfatalError:
    """An error that a running attempt logged and survived. site: where in the program an unknown one was raised."""

    host: str
    unit: UnitKey
    time: datetime
    signature: Signature
    why: str
    line: str
    site: str = ""


@dataclass(slots=True)
class Stream:
    """Holds the entries of running attempts. reported: invocations given out already, with when by a steady clock, oldest first."""

    catalogue: Catalogue
    overrides: Overrides
    reported: dict[str, float] = field(default_factory=dict)
    past: pl.DataFrame = field(default_factory=lambda: NO_PAST)  # what attempts logged, with which later ones are compared (contrast.PAST)
    own_unit: str = ""  # the service that `watch` runs in: its lines quote others', so only a traceback explains its end
    _logged_lines: LoggedLines = field(default_factory=LoggedLines)
    _held: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=HELD))
    _fed: list[pl.DataFrame] = field(default_factory=list)  # since they were added to those that are held
    _read: int = 0  # entries
    _grown: int = 0  # entries and portions since entries were last dropped
    _ending: dict[UnitKey, tuple[float, float]] = field(default_factory=dict)  # arrival of the first and last line of unreported ends
    _news: dict[UnitKey, float] = field(default_factory=dict)  # when the unit last logged something new, since its last reported end
    _errors: dict[UnitKey, float] = field(default_factory=dict)  # when the first error came that is not reported yet
    _ended_at: dict[UnitKey, float] = field(default_factory=dict)  # arrival of the last reported end
    _without_ids: dict[UnitKey, tuple[int, int]] = field(default_factory=dict)  # numbers of the first and last entry of the last reported
    _last_pass: float = float("-inf")

    def feed(self, table: pa.Table, now: float) -> BatchFacts:
        """Take new entries and return what needs no assembling; `settle` gives ends. now: a steady clock."""
        new = bounded_entries(pl.DataFrame(table.cast(PLAIN)).select(pl.col(name).cast(kind) for name, kind in ENTRIES.items()))
        numbers = pl.int_range(self._read, self._read + len(new), eager=True)
        facts = facts_of(new, self._logged_lines, self._read, self._may_match)
        self._read += len(new)
        self._fed.append(new.with_columns(arrived=pl.lit(now, pl.Float64), number=numbers, loud=pl.Series(facts.loud, dtype=pl.Boolean)))
        for unit in facts.ending:
            self._ending[unit] = (self._ending.get(unit, (now, now))[0], now)
        for unit in facts.with_new_errors:
            self._errors.setdefault(unit, now)
        self._news |= dict.fromkeys(facts.with_new_lines, now)
        self._grown += len(new) + int(new["message"].str.len_bytes().sum()) // PORTION
        if self._grown >= MOST_GROWN:
            self._forget(now)
        return facts

    @property
    def due(self) -> float | None:
        """When `settle` has something to do; null when nothing waits."""
        times = [since + NONFATAL_S for since in self._errors.values()]
        for unit, (first, last) in self._ending.items():
            settled = min(last + SETTLE_S, first + 2 * SETTLE_S)  # in a fast loop there is always a newer end
            times.append(settled if unit in self._news else max(settled, self._last_pass + ROUTINE_S))
        return min(times, default=None)

    @property
    def waiting(self) -> frozenset[UnitKey]:
        """Units whose last end is not reported yet."""
        return frozenset(self._ending)

    @property
    def unsettled(self) -> frozenset[UnitKey]:
        """Units with an end or an error that is not reported yet."""
        return frozenset(self._ending.keys() | self._errors.keys())

    def settle(self, now: float, only: frozenset[UnitKey] | None = None) -> tuple[tuple[Ended, ...], tuple[NonfatalError, ...]]:
        """Return the attempts whose end has settled since the last call, by time, and the errors that running ones survived.

        only: of these units. Nothing changes when it raises.
        """
        if only is None and (self.due is None or now < self.due):
            return (), ()
        chosen = self.unsettled if only is None else only
        with_errors = {unit for unit, since in self._errors.items() if unit in chosen and now - since >= NONFATAL_S}
        held = self._about((self._ending.keys() & chosen) | with_errors)
        entries = held.select(list(ENTRIES))
        assembly = assemble(entries, include_running=bool(with_errors))
        new = self._unreported(held, assembly.attempts)
        over = new.filter(pl.col("since") <= now - SETTLE_S)
        ended = self._labelled(entries, assembly, over) if len(over) else ()
        nonfatal = self._nonfatal(assembly, with_errors) if with_errors else ()
        self.reported |= dict.fromkeys(over["name"], now)
        self._remember_without_ids(over)
        until = _by_unit(over.select("machine", "manager", "unit", "since").sort("since"))  # what was logged before an end is reported
        self._ended_at |= until
        self._errors = {u: at for u, at in self._errors.items() if u not in with_errors and at > until.get(u, float("-inf"))}
        self._news = {u: at for u, at in self._news.items() if at > until.get(u, float("-inf"))}
        waiting = new.filter(pl.col("since") > now - SETTLE_S)
        ends = waiting.group_by("machine", "manager", "unit").agg(first=pl.col("since").min(), last=pl.col("since").max())
        others = {unit: arrivals for unit, arrivals in self._ending.items() if unit not in chosen}
        self._ending = others | {UnitKey(*key): (first, last) for *key, first, last in ends.iter_rows()}
        self._last_pass = now
        self._forget(now)
        return ended, nonfatal

    def pass_over(self, now: float) -> None:
        """Treat what has ended so far as reported."""
        held = self._about(set(self._ending))
        over = self._unreported(held, assemble(held.select(list(ENTRIES))).attempts)
        self.reported |= dict.fromkeys(over["name"], now)
        self._remember_without_ids(over)
        self._ending, self._errors, self._news = {}, {}, {}

    def give_up(self, units: frozenset[UnitKey] | None = None) -> frozenset[UnitKey]:
        """Drop the entries of units, of all that wait when none are named; return these units."""
        units = self.unsettled if units is None else units
        self._merge()
        names = {unit.unit for unit in units}
        self._held = self._held.filter(~pl.col("unit").cast(pl.String).is_in(names).fill_null(value=False))
        self._ending = {unit: arrivals for unit, arrivals in self._ending.items() if unit.unit not in names}
        self._errors = {unit: at for unit, at in self._errors.items() if unit.unit not in names}
        return units

    def remember_running(self) -> None:
        """Add to `past` what attempts that run logged in a good time so far: their entries may not be read again."""
        assembly = assemble(self._about(None).select(list(ENTRIES)), include_running=True)
        self.past = remembered(self.past, good_so_far(assembly.attempts, assembly.events))

    def _about(self, units: set[UnitKey] | None) -> pl.DataFrame:
        """Select held entries about units of these names (None: all) and about none, boot after boot, in a boot as recorded."""
        self._merge()
        names = sorted({unit.unit for unit in units or ()})
        wanted = pl.col("unit").is_null() | pl.col("unit").cast(pl.String).is_in(names)
        entries = self._held if units is None else self._held.filter(wanted)
        order = pl.int_range(pl.len()).min().over("host", "machine", "boot")
        return entries.sort(order, maintain_order=True).rechunk()

    def _unreported(self, held: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
        """Select ended attempts that were not reported, with `name`, `number`, and `since`, when the entry of the end arrived."""
        ended = attempts.filter(~pl.col("outcome").is_in(["running", "cut"]))  # "cut" only by the end of what has been read
        at = pl.coalesce("ended", "started").cast(pl.Int64).cast(pl.String)
        unnamed = pl.concat_str(pl.col("boot", "unit").cast(pl.String), at, separator="/")
        named = ended.with_columns(name=pl.coalesce(pl.col("invocation").cast(pl.String), unnamed))
        # without ids, the restart that is left of a reported attempt looks like another one whose end is not known
        known = named.filter(pl.col("invocation").is_not_null() | pl.col("result").is_not_null())
        new = known.filter(pl.Series([name not in self.reported for name in known["name"]], dtype=pl.Boolean))
        number, since = (held[name].gather(new["last_row"]) for name in ("number", "arrived"))
        return new.with_columns(since=since, number=number, first=held["number"].gather(new["first_row"])).filter(
            self._is_later(new, number)
        )

    def _is_later(self, attempts: pl.DataFrame, numbers: pl.Series) -> pl.Series:
        """Whether each attempt ended after the last reported one of its unit, where the unit has no invocation ids."""
        rows = zip(attempts.select("machine", "manager", "unit", "invocation").iter_rows(), numbers, strict=True)
        later = [row[3] is not None or number > self._without_ids.get(UnitKey(*row[:3]), (0, -1))[1] for row, number in rows]
        return pl.Series(later, dtype=pl.Boolean)

    def _remember_without_ids(self, over: pl.DataFrame) -> None:
        rows = over.filter(pl.col("invocation").is_null()).sort("number").select("machine", "manager", "unit", "first", "number")
        self._without_ids |= {
            UnitKey(machine or "", manager or "", unit): (first, last) for machine, manager, unit, first, last in rows.iter_rows()
        }

    def _nonfatal(self, assembly: Assembly, with_errors: set[UnitKey]) -> tuple[NonfatalError, ...]:
        still = pl.col("outcome").is_in(["running", "cut"]) & pl.col("unit").is_in([unit.unit for unit in with_errors])
        running = assembly.attempts.filter(still).select("attempt", "host", "machine", "manager", "unit")
        others = pl.col("identifier").ne_missing(IDENTIFIER)  # what this program prints anywhere is about other units
        events = assembly.events.filter(others).join(running, on="attempt", how="semi", maintain_order="left")
        candidates = problems(events, self.catalogue).filter(pl.col("rule") != FATAL_ELSEWHERE)
        best = candidates.sort("rule").unique("event", keep="first", maintain_order=True)
        logged = (
            best.join(running, on="attempt")
            .sort("row")
            .join(events.select("event", "text", "last", "time"), on="event", maintain_order="left")
        )
        rows = logged.iter_rows(named=True)
        return tuple(self._nonfatal_error(row) for row in rows if unit_of(row) in with_errors)

    def _nonfatal_error(self, row: dict[str, Any]) -> NonfatalError:
        signature = signature_of(row, self.catalogue)
        shown = self.overrides.shown_as(signature.id)
        named = replace(signature, id=shown, title=self.overrides.titles.get(shown, signature.title))
        line = row["last"] or row["text"]
        return NonfatalError(str(row["host"] or ""), unit_of(row), row["time"], named, WHY[row["rule"]], line, row["site"])

    def _labelled(self, entries: pl.DataFrame, assembly: Assembly, over: pl.DataFrame) -> tuple[Ended, ...]:
        wanted = over.select("attempt")
        events, attempts = (frame.join(wanted, on="attempt", how="semi") for frame in (assembly.events, assembly.attempts))
        own = attempts.filter(pl.col("unit") == self.own_unit)["attempt"]
        events = events.filter(~pl.col("attempt").is_in(own.implode()) | (pl.col("kind") != "line"))
        found = label(events, attempts, self.catalogue, self.past)
        self.past = remembered(self.past, found.logged)
        labelled = apply_overrides(found, self.overrides)
        facts = with_facts(attempts, assembly.lifecycle, labelled.labels, entries)
        extra = over.select("attempt", "name", "number").join(labelled.labels.select("attempt", "why"), on="attempt", how="left")
        ended = facts.join(extra, on="attempt").sort("ended", "attempt")
        pairs = zip(attempts_of(ended), ended.iter_rows(named=True), strict=True)
        return tuple(_ended(attempt, row, entries, _signature_of(row, labelled, events)) for attempt, row in pairs)

    def _may_match(self, texts: pl.Series) -> pl.Series:
        return may_match(texts, self.catalogue.patterns)

    def _of_units(self, values: Mapping[UnitKey, float]) -> pl.Series:
        """Return for each held entry the value of its unit; 0 for none."""
        keys = ["machine", "manager", "unit"]
        rows = [(unit.machine, unit.manager, unit.unit, value) for unit, value in values.items()]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(keys, pl.String) | {"value": pl.Float64}, orient="row")
        held = self._held.select(machine_or_host(), pl.col("manager", "unit").cast(pl.String))
        return held.join(frame, on=keys, how="left", maintain_order="left")["value"].fill_null(0.0)

    def _merge(self) -> None:
        if self._fed:
            self._held = pl.concat([self._held, *self._fed])
            self._fed = []

    def _forget(self, now: float) -> None:
        """Drop the entries that no running attempt needs."""
        self._merge()
        invocations = self._held["invocation"].unique().drop_nulls().cast(pl.String)
        reported = pl.col("invocation").cast(pl.String).is_in([invocation for invocation in invocations if invocation in self.reported])
        age, kept = now - pl.col("arrived"), pl.col("kept")
        without_ids = pl.col("unit").is_not_null() & pl.col("invocation").is_null().all().over("boot", "unit")  # before systemd 232
        of_none = pl.col("unit").is_null() | pl.col("invocation").is_null()
        keep = (
            pl.when(without_ids)
            .then((pl.col("number") >= self._of_units({unit: first for unit, (first, _) in self._without_ids.items()})) & kept)
            .when(of_none)
            .then(age < KEEP_OTHERS_S)
            .when(reported)
            # with RestartMode=direct a service's lines carry the id of an attempt that was reported long ago
            .then((age < KEEP_ENDED_S) | (kept & (pl.col("arrived") > self._of_units(self._ended_at))))
            .otherwise(kept)
        )
        self._held = self._held.with_columns(kept=kept_lines(FIRST_LINES, MOST_LINES)).filter(keep).drop("kept").rechunk()
        self._grown = 0
        names = set(self._held["unit"].unique().cast(pl.String).drop_nulls())
        self._ended_at = {unit: at for unit, at in self._ended_at.items() if unit.unit in names}
        self._without_ids = {unit: numbers for unit, numbers in self._without_ids.items() if unit.unit in names}


def _by_unit(rows: pl.DataFrame) -> dict[UnitKey, float]:
    return {UnitKey(machine or "", manager or "", unit): value for machine, manager, unit, value in rows.iter_rows()}


def _signature_of(row: dict[str, Any], labelled: Labelled, events: pl.DataFrame) -> Signature | None:
    signature = labelled.signatures.get(row["signature"])
    return None if signature is None else filled_for(signature, row["attempt"], labelled, events)


def _ended(attempt: Attempt, row: dict[str, Any], entries: pl.DataFrame, signature: Signature | None) -> Ended:
    at = row["proof"] if row["proof"] is not None else row["last_row"]
    return Ended(
        invocation=row["name"],
        host=row["host"] or "",
        unit=unit_of(row),
        attempt=attempt,
        signature=signature if attempt.failed or attempt.failed_stopping else None,
        why=row["why"] or "",
        line=entries["message"][at] or "",
        number=row["number"],
    )
