"""Find what is known to be missing from the entries, and where their clock was set or stood still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from forensics.boots import machine_or_host
from forensics.clocks import Clocks, read_clocks
from forensics.model import systemd
from forensics.model.frames import UTC_TIME
from forensics.speakers import of_journald
from forensics.wording import duration

HOLE = 100  # missing sequence numbers in a row that are worth reporting
SCATTERED = 0.01  # share of entries before which numbers are missing, from which the input must have been filtered
OUT_OF_STEP = 0.01  # share of neighbouring numbers whose clocks run the other way, from which two ids have counters of their own

Outside = Callable[[], pl.DataFrame]  # reads seqnum_id and seqnum of entries that are recorded, but whose time is not in the window
SCHEMA = pl.Schema(
    {
        "machine": pl.String(),
        "unit": pl.String(),
        "start": UTC_TIME,
        "end": UTC_TIME,
        "kind": pl.String(),  # missing, dropped: entries are lost; asleep, clock-set: none are
        "reason": pl.String(),
        "loss": pl.Boolean(),
        "number": pl.Int64(),
    }
)


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing and what was dropped (SCHEMA), whether the input was filtered, and what the clocks did."""

    missing: pl.DataFrame
    dropped: pl.DataFrame
    is_filtered: bool
    clocks: Clocks


def find_gaps(entries: pl.DataFrame, outside: Outside | None = None) -> Gaps:
    """Find what is known to be missing from ENTRIES in canonical order; outside is read only where numbers are missing."""
    missing, is_filtered = holes(entries, outside)
    return Gaps(missing, losses(entries), is_filtered, read_clocks(entries))


def clock_jumps(steps: pl.DataFrame) -> pl.DataFrame:
    """Describe where the wall clock was set, or the host slept: SCHEMA. steps: STEPS."""
    moved = pl.format("the wall clock moved {} s against the monotonic clock", (pl.col("jump_us") / 1e6).round().cast(pl.Int64))
    cause = pl.Series("cause", [_cause(jump, slept=slept) for jump, slept in steps.select("jump_us", "slept").iter_rows()], pl.String)
    jumps = steps.with_columns(cause).select(
        "machine",
        pl.min_horizontal("start", "end").alias("start"),
        pl.max_horizontal("start", "end").alias("end"),
        pl.when("slept").then(pl.lit("asleep")).otherwise(pl.lit("clock-set")).alias("kind"),
        pl.format("{}: {}", moved, "cause").alias("reason"),
    )
    return _whole(jumps.with_columns(pl.lit(value=False).alias("loss"), pl.lit(0, pl.Int64).alias("number")))


def _cause(jump_us: int, *, slept: bool) -> str:
    return f"the host slept {duration(jump_us / 1e6)}" if slept else "it was set"


def holes(entries: pl.DataFrame, outside: Outside | None = None) -> tuple[pl.DataFrame, bool]:
    """Find stretches whose sequence numbers are missing: (SCHEMA, whether the input was filtered, so that holes mean nothing)."""
    several = entries["seqnum_id"].n_unique() > 1
    columns = ("seqnum_id", "seqnum", "time", "machine", "host", *(("monotonic", "boot") if several else ()))
    numbered = entries.select(columns).drop_nulls(["seqnum_id", "seqnum"])
    numbered = numbered.with_columns(pl.col("seqnum_id").to_physical().alias("source"))
    numbered = _by_counter(numbered) if several else numbered
    if not _in_order(numbered):
        numbered = numbered.sort("source", "seqnum")
    step = pl.col("seqnum").diff()
    stepped = numbered.lazy().with_columns(
        step.alias("step"), pl.col("time").shift(1).alias("start"), (pl.col("source") == pl.col("source").shift(1)).alias("same")
    )
    missing = stepped.filter(pl.col("same") & (pl.col("step") > 1)).collect()
    if missing.height > max(numbered.height * SCATTERED, 20):
        return pl.DataFrame(schema=SCHEMA), True
    big = missing.filter(pl.col("step") > HOLE).with_columns((pl.col("step") - 1).alias("number"))
    if outside is not None and big.height:
        big = _without_recorded(big, numbered, outside()).filter(pl.col("number") >= HOLE)
    reason = pl.format("{} entries missing (sequence numbers)", "number")
    stretches = big.select(
        machine_or_host(),
        pl.min_horizontal("start", "time").alias("start"),
        pl.max_horizontal("start", "time").alias("end"),
        reason.alias("reason"),
        "number",
    )
    return _whole(stretches.with_columns(pl.lit(value=True).alias("loss"), pl.lit("missing").alias("kind"))), False


def _without_recorded(big: pl.DataFrame, numbered: pl.DataFrame, outside: pl.DataFrame) -> pl.DataFrame:
    """Take off `number` what is recorded outside of the window: a boot may begin at a wrong time."""
    ids = numbered.select(pl.col("seqnum_id").cast(pl.String), "source").unique()
    recorded = outside.join(ids, on="seqnum_id").sort("seqnum")
    numbers = {source: group["seqnum"].unique().sort() for (source,), group in recorded.partition_by("source", as_dict=True).items()}
    none = pl.Series([], dtype=pl.Int64)
    elsewhere = [
        numbers.get(source, none).search_sorted(seqnum) - numbers.get(source, none).search_sorted(seqnum - step, side="right")
        for source, seqnum, step in big.select("source", "seqnum", "step").iter_rows()
    ]
    return big.with_columns(pl.col("number") - pl.Series(elsewhere, dtype=pl.Int64))


def _by_counter(numbered: pl.DataFrame) -> pl.DataFrame:
    """Give the ids that number by one counter the same `source`.

    Up to systemd 253 the files of the system and of each user have ids of their own, but one counter (journald-server.c).
    """
    several = (pl.col("source").n_unique() > 1).over("machine", "host", "boot")
    pairs = _neighbours(numbered.filter(several))
    one_counter = pairs.filter(pl.col("back") <= pl.col("n") * OUT_OF_STEP).select("source", "previous").rows()
    root: dict[int, int] = {}
    for pair in one_counter:
        first, second = sorted(_root(root, source) for source in pair)
        root[second] = first
    return numbered.with_columns(pl.col("source").replace({source: _root(root, source) for source in root})) if root else numbered


def _root(root: dict[int, int], source: int) -> int:
    while (above := root.get(source, source)) != source:
        source = above
    return source


def _neighbours(shared: pl.DataFrame) -> pl.DataFrame:
    """Count neighbouring numbers of two ids in a boot, and those whose clocks run the other way: source, previous, n, back."""
    boot = ("machine", "host", "boot")
    same = pl.all_horizontal(pl.col(name).to_physical().eq_missing(pl.col(name).to_physical().shift()) for name in boot)
    ordered = shared.lazy().sort(*boot, "seqnum", "monotonic").with_columns(
        pl.col("source").shift().alias("previous"), (pl.col("monotonic").diff() < 0).alias("back"), same.alias("same")
    )  # fmt: skip
    between = ordered.filter(pl.col("same") & (pl.col("source") != pl.col("previous")))
    pair = (pl.min_horizontal("source", "previous").alias("source"), pl.max_horizontal("source", "previous").alias("previous"))
    return between.select(*pair, "back").group_by("source", "previous").agg(pl.len().alias("n"), pl.col("back").sum()).collect()


def _in_order(numbered: pl.DataFrame) -> bool:
    """Whether each source's entries are together and in order of their numbers."""
    same = pl.col("source") == pl.col("source").shift(1)
    order = (
        numbered.lazy()
        .select(
            (same & (pl.col("seqnum").diff() < 0)).any().alias("back"),
            (~same).sum().alias("parts"),
            pl.col("source").n_unique().alias("sources"),
        )
        .collect()
    )
    back, parts, sources = order.row(0)
    return not back and parts + 1 <= sources


def _whole(stretches: pl.DataFrame) -> pl.DataFrame:
    """Complete to SCHEMA, about no unit in particular."""
    return stretches.with_columns(pl.lit(None, pl.String).alias("unit")).select(list(SCHEMA)).cast(SCHEMA)


def losses(entries: pl.DataFrame) -> pl.DataFrame:
    """Find lines that journald reports it dropped or could not take, each at the time of the report: SCHEMA."""
    reported = entries[of_journald(entries, systemd.JOURNAL_DROPPED, systemd.JOURNAL_MISSED).arg_true()]
    number = pl.coalesce("dropped", pl.col("message").str.extract(r"(\d+)").cast(pl.Int64, strict=False), pl.lit(1))
    lines = reported.select(
        machine_or_host(),
        pl.col("time").alias("start"),
        pl.col("time").alias("end"),
        pl.col("unit").cast(pl.String),
        number.alias("number"),
    )
    reason = pl.format("journald dropped {} lines", "number")
    kind = pl.lit("dropped").alias("kind")
    return lines.with_columns(reason.alias("reason"), pl.lit(value=True).alias("loss"), kind).select(list(SCHEMA)).cast(SCHEMA)
