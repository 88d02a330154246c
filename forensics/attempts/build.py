"""Build the table of attempts from candidates, their ends, and the sums of their entries."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, is_kind
from forensics.attempts.unit_keys import HostCodes
from forensics.boots import machine_or_host
from forensics.clocks import useless_clocks
from forensics.model import systemd
from forensics.model.frames import ATTEMPTS
from forensics.speakers import Speaker, of_journald

OPENING = -1  # marks where an attempt begins among the manager's lines
CLOCKS_MAY_BE_MISSING = 0.01  # in this share of a boot's entries


def tallied(attributed: pl.DataFrame) -> pl.DataFrame:
    """Sum up the entries of each candidate: candidate, first_row, own_last_row, wrote, lines, entries, bytes, lost."""
    of_service = pl.col("speaker") == int(Speaker.SERVICE)
    return (
        attributed.drop_nulls("candidate")
        .group_by("candidate")
        .agg(
            pl.col("row").min().alias("first_row"),
            pl.col("row").max().alias("own_last_row"),
            of_service.any().alias("wrote"),
            of_service.sum().cast(pl.UInt32).alias("lines"),
            pl.len().cast(pl.UInt32).alias("entries"),
            pl.col("bytes").sum(),
            pl.col("dropped").sum().alias("lost"),
        )
    )


def with_reports(attempts: pl.DataFrame, entries: pl.DataFrame, reports: pl.DataFrame) -> pl.DataFrame:
    """Add the kernel messages and core dumps about an attempt to its sums."""
    if reports.is_empty():
        return attempts
    size = entries["bytes"].gather(reports["row"]).alias("size")
    more = reports.with_columns(size).group_by("candidate").agg(pl.len().cast(pl.UInt32).alias("more"), pl.col("size").sum())
    return attempts.join(more, on="candidate", how="left", maintain_order="left").with_columns(
        pl.col("entries") + pl.col("more").fill_null(0), pl.col("bytes") + pl.col("size").fill_null(0)
    )


def automatic(attempts: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Find which attempts a scheduled restart, or a try of a gate, started: candidate, automatic.

    Of restarts, refusals and stops the last before the attempt's first entry decides. null where neither a start nor a
    restart is on record: the attempt began before the data or its lines are lost.
    """
    openings = attempts.select("candidate", "unit_boot", row="first_row").with_columns(pl.lit(OPENING, pl.Int8).alias("kind"))
    starting = (ManagerMessage.RESTART, ManagerMessage.GATE_PROBED)
    turns = lines.filter(is_kind(*starting, ManagerMessage.START_LIMIT) | pl.col("requested")).select(
        "candidate", "unit_boot", "row", "kind"
    )
    same = pl.col("unit_boot") == pl.col("unit_boot").shift()
    return (
        pl.concat([openings, turns])
        .sort("unit_boot", "row")
        .with_columns((same & pl.col("kind").shift().is_in([int(kind) for kind in starting])).fill_null(value=False).alias("automatic"))
        .filter(pl.col("kind") == OPENING)
        .select("candidate", "automatic")
    )


def boots_judged(entries: pl.DataFrame, hosts: HostCodes) -> pl.DataFrame:
    """Judge each boot: boot, last_row, over (a later one is on record, or the journal was closed), mono (its clock can be used)."""
    rows = pl.int_range(entries.height, dtype=pl.UInt32, eager=True)
    boots = int(hosts.boot.max() or 0) + 1  # type: ignore[arg-type]
    last_row = pl.repeat(None, boots, dtype=pl.UInt32, eager=True).scatter(hosts.boot, rows)  # of a boot's entries the last stays
    last = last_row.alias("last_row").to_frame().with_row_index("boot").drop_nulls().with_columns(pl.col("boot").cast(pl.Int64))
    last = last.select("boot", hosts.machine.gather(last["last_row"]).alias("machine"), "last_row")
    closed = of_journald(entries[last["last_row"]], systemd.JOURNAL_STOPPED)
    newest = pl.col("last_row") == pl.col("last_row").max().over("machine")
    return last.with_columns((~newest | closed).alias("over")).join(_clocks(entries, hosts.boot), on="boot", how="left")


def _clocks(entries: pl.DataFrame, boots: pl.Series) -> pl.DataFrame:
    """Judge the monotonic clock of each boot: boot, mono. It can be used when it runs with the wall clock and is hardly ever missing."""
    if entries.is_empty():
        return pl.DataFrame(schema={"boot": pl.Int64, "mono": pl.Boolean})
    clocks = pl.DataFrame({"boot": boots, "missing": entries["monotonic"].is_null()})
    judged = clocks.group_by("boot").agg(mono=pl.col("missing").mean() <= CLOCKS_MAY_BE_MISSING)
    if useless := useless_clocks(entries):
        of_useless = boots.filter(entries["boot"].is_in(useless).fill_null(value=False)).unique()
        return judged.with_columns(pl.col("mono") & ~pl.col("boot").is_in(of_useless.implode()))
    return judged


def _outcome() -> pl.Expr:
    """Decide the outcome by the rows that prove an attempt's end."""
    no_end = pl.col("end_row").is_null()
    # before 232 a good end is not logged, as failures and stops are: the next start proves it
    unlogged = pl.col("superseded") & pl.col("id_row").is_null() & pl.col("started_row").is_not_null() & pl.col("stopping_row").is_null()
    return (
        pl.when(no_end & unlogged)
        .then(pl.lit("clean"))
        .when(no_end & (pl.col("over") | pl.col("superseded")))
        .then(pl.when(pl.col("stopping_row").is_not_null()).then(pl.lit("stopped")).otherwise(pl.lit("cut")))
        .when(no_end)
        .then(pl.lit("running"))
        .when(pl.col("stopped_on_request"))
        .then(pl.lit("stopped"))
        .when(pl.col("failed_row").is_not_null() | pl.col("decisive").fill_null(value=False))
        .then(pl.lit("failed"))
        .when(pl.col("well_row").is_not_null() | pl.col("finished_row").is_not_null())
        .then(pl.lit("clean"))
        .when(pl.col("stopped_row").is_not_null() & pl.col("job_failed_row").is_null())
        .then(pl.lit("stopped"))
        .otherwise(pl.lit("failed"))
    )


def with_outcomes(attempts: pl.DataFrame) -> pl.DataFrame:
    """Add outcome, result, exit_status and alive_row (the last proof of life) to attempts with their ends, sums and boots."""
    superseded = pl.col("first_row") < pl.col("first_row").max().over("unit_boot")
    by_exit = pl.col("exit_code").cast(pl.String).replace_strict(systemd.RESULT_OF_EXIT_CODE, default=None, return_dtype=pl.String)
    is_logged = pl.col("well_row").is_not_null() | pl.col("finished_row").is_not_null()
    ended_well = pl.col("result").is_null() & (is_logged | (pl.col("end_row").is_null() & (pl.col("outcome") == "clean")))
    last = pl.when(pl.col("superseded")).then(pl.col("own_last_row")).otherwise(pl.col("last_row"))
    return (
        attempts.with_columns(superseded.alias("superseded"))
        .with_columns(_outcome().alias("outcome"))
        .with_columns(
            pl.when(ended_well).then(pl.lit("success")).otherwise(pl.coalesce(pl.col("result").cast(pl.String), by_exit)).alias("result"),
            pl.when(ended_well & pl.col("exit_row").is_null()).then(0).otherwise(pl.col("exit_status")).alias("exit_status"),
            pl.coalesce("end_row", last).alias("alive_row"),
        )
    )


def attempts_table(entries: pl.DataFrame, attempts: pl.DataFrame) -> pl.DataFrame:
    """Make ATTEMPTS, numbered in (host, machine, manager, unit, first_row) order, with `candidate` and `unit_key`."""
    first, alive = entries[attempts["first_row"]], entries[attempts["alive_row"]]
    time = entries["time"]
    ready = (pl.col("starting_row").is_not_null()) & (pl.col("started_row") <= pl.col("end_row").fill_null(pl.col("started_row")))
    by_clock = (alive["monotonic"] - first["monotonic"]).cast(pl.Float64) / 1e6
    by_wall = (alive["time"] - first["time"]).dt.total_microseconds().cast(pl.Float64) / 1e6
    return (
        attempts.with_columns(
            *[first[name].cast(pl.String) for name in ("host", "manager", "unit")],
            first.select(machine_or_host()).to_series(),
            entries["invocation"].gather(attempts["id_row"]).alias("invocation"),
            entries["boot"].gather(attempts["first_row"]).cast(pl.String).alias("boot"),
            first["time"].alias("started"),
            time.gather(attempts["end_row"]).alias("ended"),
            time.gather(attempts["started_row"]).alias("ready"),
            by_clock.alias("by_clock"),
            by_wall.alias("by_wall"),
        )
        .with_columns(
            pl.when(ready).then(pl.col("ready")).alias("ready"),
            pl.when(pl.col("mono")).then(pl.col("by_clock")).otherwise(pl.col("by_wall")).clip(lower_bound=0.0).alias("uptime_s"),
            pl.coalesce("end_row", "restart_row", "own_last_row").alias("last_row"),
            # a SIGTERM that systemd calls a success leaves no failure result
            ((pl.col("outcome") == "stopped") & pl.col("failed_row").is_not_null()).alias("failed_stopping"),
            pl.col("oom_killed") | (pl.col("result") == "oom-kill").fill_null(value=False),
            pl.col("dumped_core")
            | (pl.col("exit_code").cast(pl.String) == "dumped").fill_null(value=False)
            | (pl.col("result") == "core-dump").fill_null(value=False),
        )
        .sort("host", "machine", "manager", "unit", "first_row", nulls_last=True)
        .with_row_index("attempt")
        .select("candidate", "unit_key", *[pl.col(name).cast(kind) for name, kind in ATTEMPTS.items()])
    )
