"""Find how each attempt began and ended, with the entry that proves it."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, is_kind, is_unmet_dependency

# An invocation is an attempt when one of these is about it. The others are also written with the id of an attempt long over
# (skipped starts, refused starts) or concern only the job.
PROOFS = (
    ManagerMessage.STARTING,
    ManagerMessage.STARTED,
    ManagerMessage.FINISHED,
    ManagerMessage.EXIT,
    ManagerMessage.FAILED,
    ManagerMessage.ENDED_WELL,
    ManagerMessage.RESTART,
    ManagerMessage.STOPPING,
    ManagerMessage.SPAWN_FAILED,
    ManagerMessage.OUT_OF_MEMORY,
    ManagerMessage.RESOURCES,
)
# Exec lines whose failure ends an attempt; a failed ExecStop or ExecStopPost only follows an end, a failed ExecReload ends nothing.
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


def _first_of(*kinds: ManagerMessage) -> pl.Expr:
    return pl.col("row").filter(is_kind(*kinds)).min()


def ends_of(lines: pl.DataFrame) -> pl.DataFrame:
    """Find per candidate which rows prove its start and end, and how it ended. lines: the manager's, without echoes."""
    facts = lines.group_by("candidate").agg(
        (is_kind(*PROOFS) | is_unmet_dependency()).any().alias("started_something"),
        is_unmet_dependency().any().alias("unmet_dependency"),
        is_kind(ManagerMessage.SKIPPED).any().alias("skipped"),
        _first_of(ManagerMessage.STARTING).alias("starting_row"),
        _first_of(ManagerMessage.STARTED, ManagerMessage.FINISHED).alias("started_row"),
        _first_of(ManagerMessage.FINISHED).alias("finished_row"),
        _first_of(ManagerMessage.FAILED).alias("failed_row"),
        _first_of(ManagerMessage.ENDED_WELL).alias("well_row"),
        _first_of(ManagerMessage.STOPPING).alias("stopping_row"),
        _first_of(ManagerMessage.JOB_FAILED).alias("job_failed_row"),
        pl.col("row").filter(is_kind(ManagerMessage.STOPPED) & pl.col("requested")).min().alias("stopped_row"),
        pl.col("time").filter(is_kind(ManagerMessage.STOPPED) & pl.col("requested")).min().alias("stopped_at"),
        pl.col("time").filter(is_kind(ManagerMessage.ENDED_WELL)).min().alias("well_at"),
        pl.col("row").filter(is_kind(ManagerMessage.RESTART)).max().alias("restart_row"),
        pl.col("restart_counter").filter(is_kind(ManagerMessage.RESTART)).last(),
        pl.col("refused").any(),
        is_kind(ManagerMessage.OUT_OF_MEMORY).any().alias("logged_oom"),
        is_kind(ManagerMessage.WATCHDOG).any().alias("logged_watchdog"),
        is_kind(ManagerMessage.TIMEOUT).any().alias("logged_timeout"),
        pl.col("cpu_ns").filter(is_kind(ManagerMessage.RESOURCES)).max(),
        pl.col("memory_peak").filter(is_kind(ManagerMessage.RESOURCES)).max(),
    )
    results = lines.filter(is_kind(ManagerMessage.FAILED)).select(failed_row="row", result="result")
    return (
        facts.join(results, on="failed_row", how="left")
        .with_columns(_result_before_220().alias("result"))
        .join(_exits(lines), on="candidate", how="left")
        .with_columns(_end_row().alias("end_row"))
        .with_columns(_stopped_on_request().alias("stopped_on_request"))
    )


def _result_before_220() -> pl.Expr:
    """Select the failure's result; where the manager names none ("x.service failed."), what it logged before shows it."""
    unnamed = pl.col("failed_row").is_not_null() & pl.col("result").is_null()
    return (
        pl.when("unmet_dependency")
        .then(pl.lit("dependency"))
        .when(unnamed & pl.col("logged_watchdog"))
        .then(pl.lit("watchdog"))
        .when(unnamed & pl.col("logged_timeout"))
        .then(pl.lit("timeout"))
        .otherwise(pl.col("result").cast(pl.String))
    )


def _exits(lines: pl.DataFrame) -> pl.DataFrame:
    """Find the process exit that ended each attempt: the first of a decisive Exec line, else of ExecStop or ExecStopPost."""
    command = pl.col("command").cast(pl.String)
    return (
        lines.filter(is_kind(ManagerMessage.EXIT))
        .with_columns((command.is_null() | command.is_in(DECISIVE)).alias("decisive"))
        .filter(pl.col("decisive") | ~command.is_in(HARMLESS))
        .sort(pl.col("decisive").not_(), "row")
        .unique("candidate", keep="first", maintain_order=True)
        .select("candidate", "decisive", "exit_code", "exit_status", "command", exit_row="row")
    )


def _end_row() -> pl.Expr:
    """Choose the row of the end: a process exit, else the manager's conclusion, else the first line that can only follow an end."""
    died = pl.when(pl.col("decisive")).then(pl.col("exit_row"))
    concluded = pl.min_horizontal("failed_row", "well_row", "finished_row")
    return pl.coalesce(died, concluded, "job_failed_row", "stopped_row", "restart_row")


def _stopped_on_request() -> pl.Expr:
    """Find stops that were asked for before the end.

    Without `Stopping` (252 writes none where nothing is left to stop) the `Stopped` must come at once: later it is the stop of a unit that
    had ended by itself.
    """
    before = pl.col("stopping_row") < pl.col("end_row")
    at_once = (pl.col("stopped_at") - pl.col("well_at")).dt.total_microseconds().is_between(0, STOPPED_SOON_US)
    nothing_failed = pl.col("failed_row").is_null() & pl.col("exit_row").is_null()
    nothing_else = nothing_failed & pl.col("well_row").is_null() & pl.col("job_failed_row").is_null()
    silent_stop = nothing_failed & pl.col("stopped_row").is_not_null() & (at_once | nothing_else)
    return (before.fill_null(value=False) | silent_stop.fill_null(value=False)) & pl.col("finished_row").is_null()
