"""What the service manager's lines say: an ENTRIES frame and its places in, one row per manager line that matters out.

The MESSAGE_IDs are systemd's (sd-messages.h, the same in 252 … 262); lines without one are known by CODE_FUNC, systemd's own
function, or by their wording where that field is missing.
"""

from __future__ import annotations

from enum import IntEnum

import polars as pl

from forensics.model import systemd


class Says(IntEnum):
    NOTHING = 0
    STARTING = 1
    STARTED = 2
    FINISHED = 3  # "Finished": a oneshot ran to its end
    NOT_STARTED = 4  # the id of "Started", but a condition was not met
    SKIPPED = 5  # ExecCondition said no
    EXIT = 6
    FAILED = 7
    ENDED_WELL = 8
    RESTART = 9
    STOPPED = 10
    STOPPING = 11
    JOB_FAILED = 12
    SPAWN_FAILED = 13
    OUT_OF_MEMORY = 14
    RESOURCES = 15
    START_LIMIT = 16
    WATCHDOG = 17
    TIMEOUT = 18


BY_MESSAGE_ID = {
    systemd.UNIT_STARTING: Says.STARTING,
    systemd.UNIT_STARTED: Says.STARTED,
    systemd.UNIT_SKIPPED: Says.SKIPPED,
    systemd.UNIT_PROCESS_EXIT: Says.EXIT,
    systemd.UNIT_FAILURE_RESULT: Says.FAILED,
    systemd.UNIT_SUCCESS: Says.ENDED_WELL,
    systemd.UNIT_RESTART_SCHEDULED: Says.RESTART,
    systemd.UNIT_STOPPED: Says.STOPPED,
    systemd.UNIT_STOPPING: Says.STOPPING,
    systemd.UNIT_FAILED: Says.JOB_FAILED,
    systemd.SPAWN_FAILED: Says.SPAWN_FAILED,
    systemd.UNIT_OUT_OF_MEMORY: Says.OUT_OF_MEMORY,
    systemd.UNIT_OOMD_KILL: Says.OUT_OF_MEMORY,  # systemd-oomd
    systemd.UNIT_RESOURCES: Says.RESOURCES,
}

BY_CODE_FUNC = {
    "unit_test_start_limit": Says.START_LIMIT,
    "service_dispatch_watchdog": Says.WATCHDOG,
    "service_dispatch_timer": Says.TIMEOUT,
}
BY_WORDING = (  # only for manager lines with neither id nor a known function
    (r"[Ss]tart request repeated too quickly", Says.START_LIMIT),
    (r"Watchdog timeout", Says.WATCHDOG),
    (r"timed out\.|runtime time limit", Says.TIMEOUT),
)


def _of_started(message: pl.Expr) -> pl.Expr:
    """UNIT_STARTED is also written for starts that a condition forbade; only these texts begin otherwise."""
    return (
        pl.when(message.str.starts_with("Finished "))
        .then(int(Says.FINISHED))
        .when(message.str.starts_with("Started ") | message.is_null())
        .then(int(Says.STARTED))
        .when(message.str.contains(r"skipped, |was skipped|being skipped"))
        .then(int(Says.NOT_STARTED))
        .otherwise(int(Says.STARTED))
    )


def _of_wording(message: pl.Expr) -> pl.Expr:
    said = pl.lit(int(Says.NOTHING))
    for wording, meaning in reversed(BY_WORDING):
        said = pl.when(message.str.contains(wording)).then(int(meaning)).otherwise(said)
    return said


def what_is_said(lines: pl.DataFrame) -> pl.DataFrame:
    """Manager lines (message_id, code_func, message) with a column `says`; what each of the few distinct ids means is looked up once."""
    message = pl.col("message")
    by_id = (
        pl.col("message_id")
        .cast(pl.String)
        .replace_strict({k: int(v) for k, v in BY_MESSAGE_ID.items()}, default=None, return_dtype=pl.Int32)
    )
    by_func = (
        pl.col("code_func")
        .cast(pl.String)
        .replace_strict({k: int(v) for k, v in BY_CODE_FUNC.items()}, default=None, return_dtype=pl.Int32)
    )
    said = (
        pl.when(by_id == int(Says.STARTED))
        .then(_of_started(message))
        .when(by_id.is_not_null())
        .then(by_id)
        .when(pl.col("message_id").is_not_null())
        .then(int(Says.NOTHING))
        .when(by_func.is_not_null())
        .then(by_func)
        .otherwise(_of_wording(message))
    )
    return lines.with_columns(said.fill_null(int(Says.NOTHING)).cast(pl.Int8).alias("says"))
