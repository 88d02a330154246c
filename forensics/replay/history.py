"""Gather the starts of a unit as arrays: what every control is replayed on, and what a limiter leaves of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.model.values import LOST, UnitKey
from forensics.policy.limits import HELD_S
from forensics.policy.templates import INSTANCE, TEMPLATE
from forensics.replay.machine import Machine

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]
UNIT = ("machine", "manager", "unit")
MOST_INSTANCES = 100  # of a template whose incident is replayed
MOST_LOST = 2000  # rows for the starts that one jump of the counter shows
_PER_START = (
    "began", "ready", "stopping", "ended", "lived_s", "restart", "counter", "clock", "boot", "row", "automatic", "counts",
    "announced", "failed", "ended_failed", "refused", "outcome", "result", "signature", "weight",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnitHistory:
    """The starts of one unit in the journal's order, an array element per start; times are seconds since 1970, NaN: not recorded."""

    unit: UnitKey
    host: str
    began: Floats
    ready: Floats
    stopping: Floats
    ended: Floats
    lived_s: Floats
    restart: Floats  # when the restart that followed was scheduled
    counter: Floats  # N_RESTARTS of that restart
    clock: Floats  # began, in seconds by the boot's own clock where that can be trusted
    boot: Ints  # the number of its boot
    row: Ints  # of ENTRIES: its first
    automatic: Flags
    counts: Flags  # for a start limit: it got past its conditions and dependencies
    announced: Flags  # the manager logs `Starting`, and `Started` when it is ready
    failed: Flags  # by itself: by its end or its last lines
    ended_failed: Flags  # systemd calls its end a failure
    refused: Flags  # the restart that followed was refused by the start limit
    outcome: Texts  # as in ATTEMPTS
    result: Texts
    signature: Texts
    weight: Ints  # how many starts the row counts for: more than one where very many lines are lost
    restarts: Floats  # when each recorded restart was scheduled, sorted
    restart_counts: Ints  # of each: more than one where the counter jumped over lost ones
    stops: Floats  # when a client stopped the unit
    is_oneshot: bool
    boot_begins: Floats

    @property
    def held(self) -> Flags:
        return self.lived_s >= HELD_S

    @property
    def pause_s(self) -> float:
        """The median time from a failure to the next restart, which is RestartSec=; NaN where nothing was restarted."""
        pauses = (self.restart - self.ended)[~np.isnan(self.restart - self.ended)]
        return float(np.median(pauses)) if len(pauses) else float("nan")

    def only(self, rows: Flags | Ints) -> UnitHistory:
        """Keep some of the starts."""
        return replace(self, **{name: getattr(self, name)[rows] for name in _PER_START})

    def restarts_within(self, since: float, until: float) -> int:
        """Count the recorded restarts between two times."""
        lo, hi = np.searchsorted(self.restarts, [since, until], side="left")
        return int(self.restart_counts[lo:hi].sum())


@dataclass(frozen=True, slots=True)
class Frames:
    """What histories are made of."""

    attempts: pl.DataFrame
    restarts: pl.DataFrame
    lifecycle: pl.DataFrame
    labels: pl.DataFrame
    clock: pl.Series  # `monotonic` of ENTRIES


def histories(units: Iterable[UnitKey], frames: Frames, machines: Mapping[str, Machine]) -> dict[UnitKey, list[UnitHistory]]:
    """Gather the histories of these units; of a template whose instances are its runs, those of the first instances."""
    wanted = pl.DataFrame([*dict.fromkeys(units)], schema=dict.fromkeys(UNIT, pl.String), orient="row")
    restarts = _of_units(frames.restarts, wanted).sort(*UNIT, "row")
    about = _of_units(frames.lifecycle, wanted)
    attempts = _described(_of_units(frames.attempts, wanted), restarts, about, frames)
    columns = _columns(_numbered(attempts, machines))
    of_restarts = _times_of(restarts)
    counts = restarts["count"].to_numpy()
    lost = restarts.filter("lost").select(*UNIT, "row", "count").rows()
    stops = about.filter(_asks_to_stop()).sort(*UNIT, "time")
    of_stops = _times_of(stops)
    found: dict[UnitKey, list[UnitHistory]] = {}
    for key, part in _parts(attempts).items():
        machine = machines.get(key.machine)
        of_template = found.setdefault(key._replace(unit=attempts["followed"][part.start]), [])
        if machine is None or len(of_template) >= MOST_INSTANCES:
            continue
        restarted = of_restarts.get(key, (slice(0, 0), np.empty(0)))
        history = UnitHistory(
            unit=key,
            host=next(iter(attempts["host"][part].drop_nulls().to_list()[-1:]), ""),
            **{name: values[part] for name, values in columns.items()},
            restarts=_ascending(restarted[1]),
            restart_counts=counts[restarted[0]],
            stops=of_stops.get(key, (slice(0, 0), np.empty(0)))[1],
            is_oneshot=bool(attempts["finished"][part].any()),
            boot_begins=np.array(machine.begins, dtype=np.float64),
        )
        history = replace(history, began=_ascending(history.began))
        of_template.append(with_lost_starts(history, [(row, count) for *unit, row, count in lost if tuple(unit) == key]))
    return found


def with_lost_starts(history: UnitHistory, lost: Sequence[tuple[int, int]]) -> UnitHistory:
    """Insert the starts that only jumps of the restart counter show, evenly spaced. lost: rows of the jumps, and how many are lost."""
    for row, count in reversed(lost):
        after = int(np.searchsorted(history.row, row, side="right")) - 1
        if after >= 1 and count > 0:
            history = _inserted(history, after, count)
    return history


def _inserted(history: UnitHistory, after: int, count: int) -> UnitHistory:
    """Insert `count` lost starts before the start number `after`, as rows that count for more than one where there are many."""
    before, rows = after - 1, min(count, MOST_LOST)
    begin = float(np.nanmax([history.began[before], history.ended[before], history.restart[before]]))
    until = max(float(history.began[after]), begin)
    began = np.linspace(begin, until, rows, endpoint=False)
    cycle_s = (until - begin) / rows
    lived_s = min(float(history.lived_s[before]), 0.9 * cycle_s)
    values: dict[str, Any] = {
        "began": began, "ended": began + lived_s, "restart": began + cycle_s, "clock": history.clock[after] - (until - began),
        "lived_s": lived_s, "counter": history.counter[after] - np.arange(rows, 0, -1) * (count / rows), "ready": np.nan,
        "stopping": np.nan, "automatic": True, "counts": True, "failed": True, "ended_failed": True, "refused": False,
        "outcome": "failed", "signature": LOST.id, "weight": np.diff(np.linspace(0, count, rows + 1).astype(np.int64)),
    }  # fmt: skip
    values |= {"announced": history.announced[before], "result": history.result[before]}
    values |= {"row": history.row[after], "boot": history.boot[after]}
    columns: dict[str, Any] = {
        name: np.insert(getattr(history, name), after, np.broadcast_to(value, rows)) for name, value in values.items()
    }
    return replace(history, **columns)


def _of_units(rows: pl.DataFrame, wanted: pl.DataFrame) -> pl.DataFrame:
    """Select the rows about the wanted units and the instances of wanted templates; `followed`: the wanted name."""
    keys = list(UNIT)
    exact = rows.join(wanted, on=keys, how="semi", nulls_equal=True).with_columns(pl.col("unit").alias("followed"))
    templates = wanted.filter(pl.col("unit").str.ends_with(TEMPLATE))
    if templates.is_empty():
        return exact
    instances = rows.filter(pl.col("unit").str.contains(INSTANCE)).join(wanted, on=keys, how="anti", nulls_equal=True)
    named = instances.with_columns(pl.col("unit").str.replace(INSTANCE, TEMPLATE).alias("followed"))
    of_templates = named.join(templates, left_on=["machine", "manager", "followed"], right_on=keys, how="semi", nulls_equal=True)
    return pl.concat([exact, of_templates])


def _asks_to_stop() -> pl.Expr:
    return pl.col("kind").is_in(["stopping", "stopped"]) & (pl.col("job") == "stop").fill_null(value=False)


def _described(attempts: pl.DataFrame, restarts: pl.DataFrame, lifecycle: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """Add to attempts what the other frames hold about each."""
    scheduled = restarts.filter(~pl.col("lost")).group_by("attempt").agg(pl.col("time").first().alias("restart"))
    stated = lifecycle.drop_nulls("attempt").group_by("attempt").agg(
        (pl.col("kind") == "starting").any().alias("announced"),
        (pl.col("kind") == "finished").any().alias("finished"),
        pl.col("time").filter(pl.col("kind") == "stopping").first().alias("stopping"),
        ((pl.col("kind") == "restart") & pl.col("requested")).any().alias("at_once"),  # since 257: a client's start in place of the wait
    )  # fmt: skip
    labels = frames.labels.select("attempt", "signature", by_label="failed").unique("attempt", keep="first")
    joined = attempts.sort(*UNIT, "first_row")
    for more in (scheduled, stated, labels):
        joined = joined.join(more, on="attempt", how="left", maintain_order="left")
    own_end = pl.col("outcome").is_in(["failed", "clean"])
    asked_for = pl.col("at_once").shift(1).over(UNIT).fill_null(value=False)
    return joined.with_columns(
        (pl.col("automatic") & ~asked_for).alias("automatic"),
        frames.clock.gather(joined["first_row"]).alias("clock"),
        (own_end & pl.coalesce("by_label", pl.col("outcome") == "failed")).alias("failed"),
        ((pl.col("outcome") == "failed") | pl.col("failed_stopping")).alias("ended_failed"),
        (pl.int_range(pl.len()).over(UNIT) == 0).alias("is_first"),
        *(pl.col(name).fill_null(value=False) for name in ("announced", "finished", "refused")),
    )


def _numbered(attempts: pl.DataFrame, machines: Mapping[str, Machine]) -> pl.DataFrame:
    """Add the number of each attempt's boot, and its clock: the boot's own, or the wall clock where a start lacks it or it is useless."""
    rows = [(name, boot, number) for name, machine in machines.items() for number, boot in enumerate(machine.boots)]
    boots = pl.DataFrame(rows, schema={"machine": pl.String, "boot": pl.String, "boot_number": pl.Int64}, orient="row")
    useless = [boot for machine in machines.values() for boot in machine.useless_clocks]
    unusable = pl.col("clock").is_null().any().over("machine", "boot") | pl.col("boot").is_in(useless) | pl.col("boot").is_null()
    wall = pl.col("started").dt.timestamp("us")
    numbered = attempts.join(boots, on=["machine", "boot"], how="left", maintain_order="left")
    return numbered.with_columns(pl.col("boot_number").fill_null(-1), pl.when(unusable).then(wall).otherwise("clock").alias("clock"))


def _columns(rows: pl.DataFrame) -> dict[str, Any]:
    """Convert the attempts of all units to arrays."""
    before_the_data = rows["is_first"] & rows["automatic"].is_null()
    return {
        "began": _seconds(rows["started"]),
        "ready": _seconds(rows["ready"]),
        "stopping": _seconds(rows["stopping"]),
        "ended": _seconds(rows["ended"]),
        "lived_s": rows["uptime_s"].fill_null(0.0).to_numpy(),
        "restart": _seconds(rows["restart"]),
        "counter": rows["restart_counter"].cast(pl.Float64).fill_null(float("nan")).to_numpy(),
        "clock": (rows["clock"].cast(pl.Float64) / 1e6).to_numpy(),
        "boot": rows["boot_number"].to_numpy(),
        "row": rows["first_row"].cast(pl.Int64).to_numpy(),
        "automatic": (rows["automatic"].fill_null(value=True) & ~before_the_data).to_numpy(),
        "counts": (~before_the_data & (rows["result"] != "dependency").fill_null(value=True)).to_numpy(),
        "announced": rows["announced"].to_numpy(),
        "failed": rows["failed"].fill_null(value=False).to_numpy(),
        "ended_failed": rows["ended_failed"].fill_null(value=False).to_numpy(),
        "refused": rows["refused"].to_numpy(),
        "outcome": rows["outcome"].cast(pl.String).to_numpy().astype(object),
        "result": rows["result"].fill_null("").to_numpy().astype(object),
        "signature": rows["signature"].fill_null("").to_numpy().astype(object),
        "weight": np.ones(rows.height, dtype=np.int64),
    }


def _parts(rows: pl.DataFrame) -> dict[UnitKey, slice]:
    """Return where the rows of each unit are, in rows that are sorted by unit."""
    sizes = rows.group_by(UNIT, maintain_order=True).len()
    ends = sizes["len"].cum_sum().to_list()
    keys = (UnitKey(*(part or "" for part in key)) for key in sizes.select(UNIT).iter_rows())
    return dict(zip(keys, map(slice, [0, *ends[:-1]], ends), strict=True))


def _times_of(rows: pl.DataFrame) -> dict[UnitKey, tuple[slice, Floats]]:
    """Return where the rows of each unit are, and their times."""
    times = _seconds(rows["time"])
    return {key: (part, times[part]) for key, part in _parts(rows).items()}


def _seconds(times: pl.Series) -> Floats:
    """Convert times to seconds since 1970; null becomes NaN."""
    return (times.dt.timestamp("us").cast(pl.Float64) / 1e6).fill_null(float("nan")).to_numpy()


def _ascending(times: Floats) -> Floats:
    """Let a wall clock that was set back stand still: exporters' samples are in the order in which they are scraped."""
    return np.maximum.accumulate(times) if len(times) else times
