"""Attempts, restarts and labels in, one row per attempt and per restart with the incident it belongs to out.

A unit's attempts, in journal order, are cut into *spans* behind every closer: a success that held, a job that finished well, a stop
that nothing restarted. So a span begins with the success that ends (or with its first attempt) and is down until the next closer.
A span with more than two automatic restarts in five minutes is a restart loop; a span that was down for ten minutes after the unit
had held, without such a loop, is an outage. Everything from the span's first failure on belongs to it: that is the back-dating.
Order is the journal's, not the wall clock's, so that a clock that is set back tears nothing apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from forensics.incidents.inputs import SECOND, Material
from forensics.model import systemd
from forensics.policy.limits import HELD_S, LOOP_RESTARTS, LOOP_WINDOW_S, OUTAGE_S, SHUTDOWN_S, STOP_GAP_S

Ints = npt.NDArray[np.int64]
WHO = ("host", "manager", "unit")
LOOP_WINDOW, STOP_GAP, OUTAGE, SHUTDOWN = (int(seconds * SECOND) for seconds in (LOOP_WINDOW_S, STOP_GAP_S, OUTAGE_S, SHUTDOWN_S))


@dataclass(frozen=True, slots=True)
class Timeline:
    """runs: attempts with `run` (their place), signature, fell, held, span, incident. falls: restarts with run, signature, incident.

    loops: one row per incident: who, kind, first and last run, start, end, recovery (null), ongoing, data_end.
    """

    runs: pl.DataFrame
    falls: pl.DataFrame
    loops: pl.DataFrame


def timeline(material: Material) -> Timeline:
    boots = boot_ends(material.entries)
    runs = _runs(material, boots)
    falls = _falls(material.restarts, runs)
    runs = _spans(_judged(runs, falls))
    falls = falls.join(runs.select("run", "key"), on="run", how="left", maintain_order="left")
    loops = _loops(runs, _hot_keys(falls))
    runs, falls = _numbered(runs, falls, loops)
    return Timeline(runs, _named(falls, runs), loops)


def boot_ends(entries: pl.DataFrame) -> pl.DataFrame:
    """host, boot, boot_end, last_boot (no later boot of that host), data_end (of the host)."""
    ends = entries.group_by("host", "boot").agg(
        pl.col("time").max().alias("boot_end"), pl.len().alias("n"), pl.col("time").min().alias("begin")
    )
    ends = ends.with_columns(pl.col("host", "boot").cast(pl.String)).sort("host", "begin", "boot", nulls_last=True)
    return ends.with_columns(
        (pl.col("begin") == pl.col("begin").max().over("host")).alias("last_boot"), pl.col("boot_end").max().over("host").alias("data_end")
    ).drop("n", "begin")


def _runs(material: Material, boots: pl.DataFrame) -> pl.DataFrame:
    """Attempts in journal order per unit, with their label and the moment of a stop by request."""
    labels = material.labels.select("attempt", "signature", pl.col("failed").alias("said"), pl.col("row").alias("proof"), "secondary")
    runs = material.attempts.sort(*WHO, "first_row", "attempt").with_row_index("run")
    runs = runs.join(labels.unique("attempt", keep="first", maintain_order=True), on="attempt", how="left", maintain_order="left")
    runs = runs.with_columns(pl.struct(WHO).rank("dense").cast(pl.Int64).alias("who"), pl.col("first_row").cast(pl.Int64).alias("at_row"))
    runs = runs.with_columns(
        pl.int_range(pl.len()).over("who").alias("place"),
        pl.coalesce("signature", exit_name()).alias("signature"),
        pl.col("automatic").fill_null(value=True),
    )
    runs = runs.join(boots, on=["host", "boot"], how="left", maintain_order="left", nulls_equal=True)
    return runs.join(_stops(material.entries, runs), on="run", how="left", maintain_order="left")


def _stops(entries: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """run, stop_line: the last line that says a client's job stopped the unit after that run began."""
    told = pl.col("message_id").is_in([systemd.UNIT_STOPPED, systemd.UNIT_STOPPING]) & (pl.col("job_type") == "stop")
    lines = (
        entries.lazy()
        .with_row_index("at_row")
        .filter(told)
        .select(*(pl.col(c).cast(pl.String) for c in WHO), pl.col("at_row").cast(pl.Int64), "time")
    )
    stops = _after_run(lines.collect(), runs)
    return stops.group_by("run").agg(pl.col("time").max().alias("stop_line")).drop_nulls("run")


def _after_run(rows: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """`rows` (who, at_row) with `run`: the unit's last attempt that began at or before that row, else null."""
    left = rows.sort("at_row")
    right = runs.select(*WHO, "at_row", "run").sort("at_row")
    return left.join_asof(right, on="at_row", by=list(WHO), strategy="backward", check_sortedness=False)


def _falls(restarts: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Restarts, each with the run that it follows: the named attempt's, else the one its line stands in, else the unit's first."""
    falls = restarts.with_columns(pl.col("row").cast(pl.Int64).alias("at_row"))
    named = falls.filter(pl.col("attempt").is_not_null()).join(runs.select("attempt", "run"), on="attempt", how="left")
    other = _after_run(falls.filter(pl.col("attempt").is_null()), runs)
    first = runs.group_by(WHO).agg(pl.col("run").min().alias("first_run"))
    falls = pl.concat([named, other]).join(first, on=list(WHO), how="left")
    return falls.with_columns(pl.coalesce("run", "first_run").alias("run")).drop("first_run").sort("at_row", *WHO, "lost", nulls_last=True)


def _judged(runs: pl.DataFrame, falls: pl.DataFrame) -> pl.DataFrame:
    """With restarted, refused_after, fell (ended without having done its job) and held (a success that closes what came before)."""
    after = falls.group_by("run").agg(
        pl.len().alias("restarts_after"), pl.col("time").min().alias("restarted_at"), pl.col("refused").any().alias("refused_after")
    )
    runs = runs.join(after.drop_nulls("run"), on="run", how="left", maintain_order="left")
    restarted = pl.col("restarts_after").is_not_null()
    own_end = pl.col("outcome").is_in(["failed", "clean"])
    runs = runs.with_columns(
        restarted.alias("restarted"), pl.col("refused_after").fill_null(value=False), pl.col("uptime_s").fill_null(0.0)
    )
    runs = runs.with_columns((restarted | (own_end & pl.coalesce("said", pl.col("outcome") == "failed"))).alias("fell"))
    brief = pl.col("uptime_s").filter(pl.col("fell") & (pl.col("uptime_s") < HELD_S)).median().over("who")
    # A unit that announces readiness and never got there did not hold, however long it tried. The unit's first attempt is excepted:
    # its `Started` may lie before the data.
    announces = pl.col("ready").is_not_null().any().over("who") & (pl.col("place") > 0)
    long = (pl.col("uptime_s") >= HELD_S) & ~(announces & pl.col("ready").is_null() & pl.col("fell"))
    asked = (
        pl.col("ready").is_not_null() & (pl.col("outcome") == "stopped") & (pl.col("uptime_s") > pl.max_horizontal(3 * brief, pl.lit(60.0)))
    )
    finished = (pl.col("outcome") == "clean") & ~pl.col("fell")
    return runs.with_columns(long.alias("long"), finished.alias("finished"), (long | asked.fill_null(value=False) | finished).alias("held"))


def _spans(runs: pl.DataFrame) -> pl.DataFrame:
    """With stop_time (a stop that closes), span (number within the unit) and key (span, unique over all units)."""
    following = pl.col("started").shift(-1).over("who")
    stop = pl.when(pl.col("outcome") == "stopped").then(pl.coalesce("ended", "stop_line")).otherwise(pl.col("stop_line"))
    reboot = ~pl.col("last_boot").fill_null(value=True) & ((pl.col("boot_end") - stop) <= pl.duration(microseconds=SHUTDOWN))
    stays = following.is_null() | ((following - stop) > pl.duration(microseconds=STOP_GAP))
    # A stop that comes after the restart was scheduled takes its place: nothing was started.
    alone = ~pl.col("restarted") | (stop >= pl.col("restarted_at"))
    closes = stop.is_not_null() & alone & stays & ~reboot
    runs = runs.with_columns(pl.when(closes).then(stop).alias("stop_time"), closes.alias("closes"), following.alias("following"))
    held = pl.col("held").cast(pl.Int64).cum_sum().over("who")
    runs = runs.with_columns((held + pl.col("closes").cast(pl.Int64).cum_sum().shift(1, fill_value=0).over("who")).alias("span"))
    return runs.with_columns((pl.struct("who", "span").rank("dense").cast(pl.Int64) - 1).alias("key"), _down().alias("down"))


def _down() -> pl.Expr:
    """Failed, not started again by itself, and nothing up for ten minutes."""
    until = pl.coalesce("following", "data_end")
    gone = (until - pl.col("ended")) >= pl.duration(microseconds=OUTAGE)
    reboot = ~pl.col("last_boot").fill_null(value=True) & ((pl.col("boot_end") - pl.col("ended")) <= pl.duration(microseconds=SHUTDOWN))
    return (pl.col("fell") & (~pl.col("restarted") | pl.col("refused_after")) & ~pl.col("closes") & gone & ~reboot).fill_null(value=False)


def _hot_keys(falls: pl.DataFrame) -> Ints:
    """Keys of the spans in which more than two restarts fall within five minutes; a lost one counts as many as it stands for."""
    placed = falls.filter(pl.col("key").is_not_null()).sort("key", "at_row", maintain_order=True)
    weight = np.minimum(placed["count"].to_numpy(), LOOP_RESTARTS).astype(np.int64)
    time = np.repeat(placed["time"].dt.timestamp("us").to_numpy(), weight)
    key = np.repeat(placed["key"].to_numpy(), weight)
    step = LOOP_RESTARTS - 1
    apart = time[step:] - time[:-step]
    return np.unique(key[step:][(key[step:] == key[:-step]) & (apart >= 0) & (apart <= LOOP_WINDOW)])


def _loops(runs: pl.DataFrame, hot: Ints) -> pl.DataFrame:
    """One row per incident, in order of start."""
    upto = pl.col("long").cast(pl.Int64).cum_sum().over("who") > 0
    runs = runs.with_columns(upto.alias("had_held"), pl.col("finished").any().over("who").alias("a_job"))
    outage = (pl.col("down") & pl.col("had_held") & ~pl.col("a_job")).any()
    fell = pl.col("fell")
    spans = runs.group_by("who", "span", "key").agg(
        pl.col(*WHO, "data_end").first(),
        outage.alias("outage"),
        pl.col("run").filter(fell).min().alias("first"),
        pl.col("run").max().alias("last"),
        pl.col("stop_time").last(),
        pl.coalesce(pl.when(pl.col("long")).then(pl.coalesce("ended", "restarted_at", "started")), "started")
        .filter(fell)
        .first()
        .alias("start"),
    )
    spans = spans.with_columns(pl.col("key").is_in(hot.tolist()).alias("hot")).filter(
        (pl.col("hot") | pl.col("outage")) & pl.col("first").is_not_null()
    )
    success = runs.select(
        pl.col("run").cast(pl.Int64) - 1, "who", pl.coalesce("ready", "started").alias("recovery"), pl.col("held").alias("up")
    ).rename({"run": "last"})
    spans = spans.with_columns(pl.col("last").cast(pl.Int64)).join(success, on=["who", "last"], how="left")
    return _bounds(spans)


def _bounds(spans: pl.DataFrame) -> pl.DataFrame:
    recovery = pl.when(pl.col("stop_time").is_null() & pl.col("up")).then(pl.max_horizontal("recovery", "start"))
    spans = spans.with_columns(recovery.alias("recovery"))
    end = pl.max_horizontal(pl.coalesce("recovery", "stop_time"), pl.when(pl.col("stop_time").is_not_null()).then(pl.col("start")))
    spans = spans.with_columns(end.alias("end"), pl.max_horizontal(pl.coalesce("data_end", "start"), "start").alias("data_end"))
    spans = spans.with_columns(
        pl.col("end").is_null().alias("ongoing"), pl.when("hot").then(pl.lit("restart-loop")).otherwise(pl.lit("outage")).alias("kind")
    )
    columns = [*WHO, "who", "key", "kind", "first", "last", "start", "end", "recovery", "ongoing", "data_end"]
    return spans.sort("start", *WHO, "first").select(columns).with_row_index("incident")


def _numbered(runs: pl.DataFrame, falls: pl.DataFrame, loops: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Both frames with `incident`; runs of an incident's span that lie before its first failure have none."""
    of_key = loops.select("key", "incident", pl.col("first").cast(pl.Int64).alias("first_fell"))
    runs = runs.join(of_key, on="key", how="left", maintain_order="left")
    runs = runs.with_columns(pl.when(pl.col("run").cast(pl.Int64) >= pl.col("first_fell")).then(pl.col("incident")).alias("incident"))
    return runs, falls.join(of_key.drop("first_fell"), on="key", how="left", maintain_order="left")


def _named(falls: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """With the failure class: the attempt's signature, else what its exit says, else `journal.lost`."""
    falls = falls.join(runs.select("attempt", "signature"), on="attempt", how="left", maintain_order="left")
    return falls.with_columns(
        pl.when(pl.col("lost")).then(None).otherwise(pl.col("signature")).fill_null("journal.lost").alias("signature")
    )


def exit_name() -> pl.Expr:
    status = pl.coalesce(pl.col("exit_status").cast(pl.String), pl.lit("0"))
    return pl.format("exit:{}/{}", pl.coalesce("result", pl.lit("unknown")), status)
