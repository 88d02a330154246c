"""How each run began and ended: the manager's lines of a run in, one row per run with the rows that prove it out."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import Says
from forensics.attempts.stop_reasons import is_said

# A run exists when one of these speaks about it. The others are also written with the id of a run long over
# (skipped starts, refused starts) or tell only of the job.
PROOFS = (
    Says.STARTING,
    Says.STARTED,
    Says.FINISHED,
    Says.EXIT,
    Says.FAILED,
    Says.ENDED_WELL,
    Says.RESTART,
    Says.STOPPING,
    Says.SPAWN_FAILED,
    Says.OUT_OF_MEMORY,
    Says.RESOURCES,
)
# Exec lines whose failure ends a run; a failed ExecStop or ExecStopPost only follows an end, a failed ExecReload ends nothing.
DECISIVE = (
    "ExecStart",
    "ExecStartPre",
    "ExecStartPost",
    "ExecCondition",
    "ExecStartPreEx",
    "ExecStartEx",
    "ExecStartPostEx",
    "ExecConditionEx",
)
HARMLESS = ("ExecReload", "ExecReloadEx", "ExecReloadPost", "ExecReloadPostEx")
STOPPED_SOON_US = 1_000_000  # a `Stopped` without `Stopping` that comes this soon after the end is the same event


def first_of(*meanings: Says) -> pl.Expr:
    return pl.col("row").filter(is_said(*meanings)).min()


def endings(lines: pl.DataFrame) -> pl.DataFrame:
    """Manager lines with `echo`, `refused`, `by_hand` → run, proven, begun_row, ready_row, end_row, requested, and what the end was."""
    facts = lines.group_by("run").agg(
        is_said(*PROOFS).any().alias("proven"),
        is_said(Says.SKIPPED).any().alias("skipped"),
        first_of(Says.STARTING).alias("starting_row"),
        first_of(Says.STARTED, Says.FINISHED).alias("started_row"),
        first_of(Says.FINISHED).alias("finished_row"),
        first_of(Says.FAILED).alias("failed_row"),
        first_of(Says.ENDED_WELL).alias("well_row"),
        first_of(Says.STOPPING).alias("stopping_row"),
        first_of(Says.JOB_FAILED).alias("job_failed_row"),
        pl.col("row").filter(is_said(Says.STOPPED) & pl.col("by_hand")).min().alias("stopped_row"),
        pl.col("time").filter(is_said(Says.STOPPED) & pl.col("by_hand")).min().alias("stopped_at"),
        pl.col("time").filter(is_said(Says.ENDED_WELL)).min().alias("well_at"),
        pl.col("row").filter(is_said(Says.RESTART)).max().alias("restart_row"),
        pl.col("restart_counter").filter(is_said(Says.RESTART)).last(),
        pl.col("refused").any(),
        is_said(Says.OUT_OF_MEMORY).any().alias("said_oom"),
        pl.col("cpu_ns").filter(is_said(Says.RESOURCES)).max(),
        pl.col("memory_peak").filter(is_said(Says.RESOURCES)).max(),
    )
    results = lines.filter(is_said(Says.FAILED)).select(failed_row="row", result="result")
    return (
        facts.join(results, on="failed_row", how="left")
        .join(_exits(lines), on="run", how="left")
        .with_columns(_end_row().alias("end_row"))
        .with_columns(_requested().alias("requested"))
    )


def _exits(lines: pl.DataFrame) -> pl.DataFrame:
    """The process exit that ended the run: the first of a decisive Exec line, else the first of ExecStop or ExecStopPost."""
    command = pl.col("command").cast(pl.String)
    return (
        lines.filter(is_said(Says.EXIT))
        .with_columns((command.is_null() | command.is_in(DECISIVE)).alias("decisive"))
        .filter(pl.col("decisive") | ~command.is_in(HARMLESS))
        .sort(pl.col("decisive").not_(), "row")
        .unique("run", keep="first", maintain_order=True)
        .select("run", "decisive", "exit_code", "exit_status", "command", exit_row="row")
    )


def _end_row() -> pl.Expr:
    """A process that died is the end; else what the manager concluded; else the first line that can only follow an end."""
    died = pl.when(pl.col("decisive")).then(pl.col("exit_row"))
    concluded = pl.min_horizontal("failed_row", "well_row", "finished_row")
    return pl.coalesce(died, concluded, "job_failed_row", "stopped_row", "restart_row")


def _requested() -> pl.Expr:
    """A stop that was asked for before the end. Without `Stopping` (252 writes none for what has nothing left to stop) the `Stopped` must
    come at once: later it is the stop of a unit that had ended by itself.
    """
    before = pl.col("stopping_row") < pl.col("end_row")
    at_once = (pl.col("stopped_at") - pl.col("well_at")).dt.total_microseconds().is_between(0, STOPPED_SOON_US)
    nothing_failed = pl.col("failed_row").is_null() & pl.col("exit_row").is_null()
    nothing_else = nothing_failed & pl.col("well_row").is_null() & pl.col("job_failed_row").is_null()
    silent_stop = nothing_failed & pl.col("stopped_row").is_not_null() & (at_once | nothing_else)
    return (before.fill_null(value=False) | silent_stop.fill_null(value=False)) & pl.col("finished_row").is_null()
