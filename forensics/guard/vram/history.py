"""Find the shortages of GPU memory in a history, and the configurations of the attempts that held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from forensics.boots import machine_or_host
from forensics.guard.vram import configuration, shortage
from forensics.guard.vram.configuration import Configuration, find_configuration, is_known
from forensics.guard.vram.shortage import Shortage, find_shortage, merged
from forensics.incidents.inputs import quote
from forensics.model.values import Evidence
from forensics.pipeline import History
from forensics.policy.limits import HELD_S

FOLLOWING, WITHIN_US = 12, 2_000_000  # lines that a wrapped message takes, and how soon they come
LONGEST_LINE = 2000
OF_ONE_FAILURE_S = 60.0  # several lines about one
MOST = 50_000  # lines about either that are read, the newest: 0.4 ms each

Found = dict[int, list[tuple[int, Shortage]]]  # by attempt: the row of each shortage
Known = dict[int, tuple[int, Configuration]]  # by attempt: the row of the first line about its configuration


@dataclass(frozen=True, slots=True)
class Failure:
    """A shortage, where it is in the journal, and what the attempt had been asked to load. ended: whether the attempt failed."""

    time: datetime
    shortage: Shortage
    configuration: Configuration
    evidence: Evidence | None
    ended: bool


@dataclass(frozen=True, slots=True)
class Held:
    """A configuration that held. times: how often; longest_s: its longest attempt, whose line is the evidence."""

    configuration: Configuration
    times: int
    longest_s: float
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class OfUnit:
    """All that is known of one unit: its failures, the oldest first, and what held, the largest first."""

    host: str
    manager: str
    unit: str
    failures: tuple[Failure, ...]
    held: tuple[Held, ...]


def find_vram(history: History) -> tuple[OfUnit, ...]:
    """Return the units of a history that were short of GPU memory."""
    attempts = history.assembly.attempts
    short = _lines(history, shortage.MENTIONS)
    found = _shortages(history.entries, short)
    units = sorted({attempts.row(attempt, named=True)["unit"] for attempt in found})
    if not units:
        return ()
    known = _configurations(history.entries, _lines(history, configuration.MENTIONS, units))
    keys = (
        attempts.filter(pl.col("attempt").is_in(list(found)))
        .select("machine", "host", "manager", "unit")
        .unique()
        .sort("unit", "host", "manager")
    )
    return tuple(_of_unit(history, key, found, known) for key in keys.iter_rows(named=True))


def _lines(history: History, mentions: str, units: Sequence[str] | None = None) -> pl.DataFrame:
    """Return the services' own lines with these words: row, message, attempt; of some units only."""
    asked = history.entries if history.asked is None else history.asked
    text = pl.col("message").str.contains(mentions)
    own = pl.col("unit").is_not_null() & pl.col("message_id").is_null() & text
    columns = ("manager", "unit", "message", "machine", "host")
    rows = asked.lazy().select(*columns, "message_id").with_row_index("row").filter(own)
    rows = rows.with_columns(machine_or_host(), pl.col("manager").cast(pl.String), pl.col("unit").cast(pl.String))
    rows = rows if units is None else rows.filter(pl.col("unit").is_in(list(units)))
    spans = history.assembly.attempts.select("machine", "manager", "unit", "attempt", "first_row", "last_row").sort("first_row")
    by = ["machine", "manager", "unit"]
    joined = rows.tail(MOST).collect().sort("row").join_asof(spans, left_on="row", right_on="first_row", by=by, check_sortedness=False)
    return joined.filter(pl.col("attempt").is_not_null()).select("row", "message", "attempt")


def _shortages(entries: pl.DataFrame, lines: pl.DataFrame) -> Found:
    """Read the shortages of each attempt: (row, what it says), several lines about one failure as one."""
    found: Found = {}
    for row, message, attempt in lines.iter_rows():
        one = find_shortage(_with_following(entries, row, message))
        if one is None:
            continue
        of_attempt = found.setdefault(attempt, [])
        if of_attempt and _seconds(entries, of_attempt[-1][0], row) < OF_ONE_FAILURE_S and of_attempt[-1][1].server == one.server:
            of_attempt[-1] = (of_attempt[-1][0], merged(of_attempt[-1][1], one))
        else:
            of_attempt.append((row, one))
    return found


def _with_following(entries: pl.DataFrame, row: int, message: str) -> str:
    """Return a line with those that the same process logged just after it: rich wraps at 80 columns."""
    near = entries.select("time", "unit", "pid", "message").slice(row, FOLLOWING * 4)
    first = near.row(0)
    end = first[0].timestamp() * 1e6 + WITHIN_US
    same = [text for time, unit, pid, text in near.iter_rows() if (unit, pid) == (first[1], first[2]) and time.timestamp() * 1e6 <= end]
    return "\n".join((text or "")[:LONGEST_LINE] for text in [message, *same[1:FOLLOWING]])


def _seconds(entries: pl.DataFrame, first: int, second: int) -> float:
    return float((entries["time"][second] - entries["time"][first]).total_seconds())


def _configurations(entries: pl.DataFrame, lines: pl.DataFrame) -> Known:
    """Read the configuration of each attempt: (row of its first line, what it was)."""
    found = {}
    for attempt, rows, messages in lines.group_by("attempt", maintain_order=True).agg("row", "message").iter_rows():
        one = find_configuration(_unwrapped(entries, row, text)[:LONGEST_LINE] for row, text in zip(rows, messages, strict=True))
        if is_known(one):
            found[attempt] = (rows[0], one)
    return found


def _unwrapped(entries: pl.DataFrame, row: int, message: str) -> str:
    """Join a line that announces something with what follows: a long path is on the next line."""
    return " ".join(_with_following(entries, row, message).split()) if message.rstrip().endswith(":") else message


def _of_unit(history: History, key: dict[str, str], found: Found, known: Known) -> OfUnit:
    same = [pl.col(name) == key[name] for name in ("machine", "manager", "unit")]
    attempts = history.assembly.attempts.filter(*same).sort("first_row")
    failures = tuple(_failures(history, attempts, found, known))
    return OfUnit(key["host"], key["manager"], key["unit"], failures, tuple(_held(history, attempts, found, known)))


def _failures(history: History, attempts: pl.DataFrame, found: Found, known: Known) -> Iterator[Failure]:
    for attempt, outcome in attempts.select("attempt", "outcome").iter_rows():
        for row, one in found.get(attempt, ()):
            evidence = quote(history.entries, row)
            if evidence is not None:
                _, loaded = known.get(attempt, (row, Configuration()))
                yield Failure(evidence.time, one, loaded, evidence, outcome == "failed")


def _held(history: History, attempts: pl.DataFrame, found: Found, known: Known) -> list[Held]:
    """Return the configurations of the attempts that were long enough up without a shortage, the largest first."""
    times: dict[Configuration, list[tuple[float, int]]] = {}
    for attempt, started, uptime_s in attempts.select("attempt", "started", "uptime_s").iter_rows():
        if attempt in known and _without_shortage_s(history.entries, started, uptime_s, found.get(attempt, ())) >= HELD_S:
            times.setdefault(_identity(known[attempt][1]), []).append((uptime_s, known[attempt][0]))
    held = [Held(one, len(of), max(of)[0], quote(history.entries, max(of)[1])) for one, of in times.items()]
    return sorted(held, key=_largeness, reverse=True)


def _without_shortage_s(
    entries: pl.DataFrame, started: datetime | None, uptime_s: float | None, found: Sequence[tuple[int, Shortage]]
) -> float:
    """Return how long an attempt was up before its first shortage: a server may go on without its model."""
    if started is None or uptime_s is None:
        return 0.0
    return min([uptime_s, *(float((entries["time"][row] - started).total_seconds()) for row, _ in found)])


def _identity(one: Configuration) -> Configuration:
    """Leave out what differs from start to start of one configuration."""
    return Configuration(one.profile, one.model, one.context, one.cache_tokens, one.cache, one.weights, one.layers, one.split, one.required)


def _largeness(held: Held) -> tuple[float, float, float, float]:
    one = held.configuration
    return (float(one.size or one.required or 0), one.parameters or 0.0, float(one.context or one.cache_tokens or 0), held.longest_s)
