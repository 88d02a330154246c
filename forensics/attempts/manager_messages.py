"""Classify lines of the manager and of this program by MESSAGE_ID, by systemd's own function, or by wording where both are missing."""

from __future__ import annotations

from enum import IntEnum
from functools import cache

import polars as pl

from forensics.model import own_entries, systemd


class ManagerMessage(IntEnum):
    OTHER = 0
    STARTING = 1
    STARTED = 2
    FINISHED = 3  # a oneshot ran to its end
    NOT_STARTED = 4  # the id of "Started", but a condition was not met
    SKIPPED = 5  # ExecCondition= refused the start
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
    RELOADING = 19
    GATE_OPENED = 20  # from here on this program's own
    GATE_PROBED = 21
    GATE_CLOSED = 22
    REMEDY_STARTED = 23
    REMEDY_ENDED = 24


BY_MESSAGE_ID = {
    systemd.UNIT_STARTING: ManagerMessage.STARTING,
    systemd.UNIT_STARTED: ManagerMessage.STARTED,
    systemd.UNIT_SKIPPED: ManagerMessage.SKIPPED,
    systemd.UNIT_PROCESS_EXIT: ManagerMessage.EXIT,
    systemd.UNIT_FAILURE_RESULT: ManagerMessage.FAILED,
    systemd.UNIT_SUCCESS: ManagerMessage.ENDED_WELL,
    systemd.UNIT_RESTART_SCHEDULED: ManagerMessage.RESTART,
    systemd.UNIT_STOPPED: ManagerMessage.STOPPED,
    systemd.UNIT_STOPPING: ManagerMessage.STOPPING,
    systemd.UNIT_FAILED: ManagerMessage.JOB_FAILED,
    systemd.UNIT_RELOADING: ManagerMessage.RELOADING,
    systemd.SPAWN_FAILED: ManagerMessage.SPAWN_FAILED,
    systemd.UNIT_OUT_OF_MEMORY: ManagerMessage.OUT_OF_MEMORY,
    systemd.UNIT_OOMD_KILL: ManagerMessage.OUT_OF_MEMORY,
    systemd.UNIT_RESOURCES: ManagerMessage.RESOURCES,
    own_entries.GATE_OPENED: ManagerMessage.GATE_OPENED,
    own_entries.GATE_PROBED: ManagerMessage.GATE_PROBED,
    own_entries.GATE_CLOSED: ManagerMessage.GATE_CLOSED,
    own_entries.REMEDY_STARTED: ManagerMessage.REMEDY_STARTED,
    own_entries.REMEDY_ENDED: ManagerMessage.REMEDY_ENDED,
}
BY_CODE_FUNC = {
    "unit_test_start_limit": ManagerMessage.START_LIMIT,
    "service_dispatch_watchdog": ManagerMessage.WATCHDOG,
    "service_dispatch_timer": ManagerMessage.TIMEOUT,
}
RESTARTING = r"scheduling restart\.$"  # "Service RestartSec=5s expired, …" of 239 … 244, by the function that logs time-outs
BY_WORDING = (  # only for lines with neither id nor a known function
    (r"[Ss]tart request repeated too quickly", ManagerMessage.START_LIMIT),
    (r"[Ww]atchdog timeout", ManagerMessage.WATCHDOG),
    (r"timed out\.|runtime time limit", ManagerMessage.TIMEOUT),
)
STARTS = (ManagerMessage.STARTING, ManagerMessage.STARTED, ManagerMessage.FINISHED, ManagerMessage.NOT_STARTED, ManagerMessage.SKIPPED)


@cache
def is_kind(*kinds: ManagerMessage) -> pl.Expr:
    """Whether the column `kind` has one of `kinds`."""
    return pl.col("kind").is_in([int(kind) for kind in kinds])


def is_unmet_dependency() -> pl.Expr:
    """Select the failed jobs of units that were not even tried, because another unit failed."""
    return is_kind(ManagerMessage.JOB_FAILED) & (pl.col("job_result") == "dependency").fill_null(value=False)


def classified(lines: pl.DataFrame) -> pl.DataFrame:
    """Add `kind` to manager lines (message_id, code_func, message); each distinct id is looked up once."""
    message = pl.col("message")
    by_id = (
        pl.col("message_id")
        .cast(pl.String)
        .replace_strict({id_: int(kind) for id_, kind in BY_MESSAGE_ID.items()}, default=None, return_dtype=pl.Int32)
    )
    by_func = (
        pl.col("code_func")
        .cast(pl.String)
        .replace_strict({function: int(kind) for function, kind in BY_CODE_FUNC.items()}, default=None, return_dtype=pl.Int32)
    )
    kind = (
        pl.when(by_id == int(ManagerMessage.STARTED))
        .then(_started_or_skipped(message))
        .when(by_id.is_not_null())
        .then(by_id)
        .when(pl.col("message_id").is_not_null() | message.str.contains(RESTARTING))
        .then(int(ManagerMessage.OTHER))
        .when(by_func.is_not_null())
        .then(by_func)
        .otherwise(_by_wording(message))
    )
    return lines.with_columns(kind.fill_null(int(ManagerMessage.OTHER)).cast(pl.Int8).alias("kind"))


def _started_or_skipped(message: pl.Expr) -> pl.Expr:
    """Recognise starts that a condition forbade, which carry the id of UNIT_STARTED, by how their text begins."""
    return (
        pl.when(message.str.starts_with("Finished "))
        .then(int(ManagerMessage.FINISHED))
        .when(message.str.starts_with("Started ") | message.is_null())
        .then(int(ManagerMessage.STARTED))
        .when(message.str.contains(r"skipped, |was skipped|being skipped"))
        .then(int(ManagerMessage.NOT_STARTED))
        .otherwise(int(ManagerMessage.STARTED))
    )


def _by_wording(message: pl.Expr) -> pl.Expr:
    kind = pl.lit(int(ManagerMessage.OTHER))
    for wording, kind_of_line in reversed(BY_WORDING):
        kind = pl.when(message.str.contains(wording)).then(int(kind_of_line)).otherwise(kind)
    return kind
