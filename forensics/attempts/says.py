"""What the service manager's lines say: an ENTRIES frame and its places in, one row per manager line that matters out.

The MESSAGE_IDs are systemd's (sd-messages.h, the same in 252 … 262); lines without one are known by CODE_FUNC, systemd's own
function, or by their wording where that field is missing.
"""

from __future__ import annotations

from enum import IntEnum

import polars as pl


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
    "7d4958e842da4a758f6c1cdc7b36dcc5": Says.STARTING,
    "39f53479d3a045ac8e11786248231fbf": Says.STARTED,
    "0e4284a0caca4bfc81c0bb6786972673": Says.SKIPPED,
    "98e322203f7a4ed290d09fe03c09fe15": Says.EXIT,
    "d9b373ed55a64feb8242e02dbe79a49c": Says.FAILED,
    "7ad2d189f7e94e70a38c781354912448": Says.ENDED_WELL,
    "5eb03494b6584870a536b337290809b3": Says.RESTART,
    "9d1aaa27d60140bd96365438aad20286": Says.STOPPED,
    "de5b426a63be47a7b6ac3eaac82e2f6f": Says.STOPPING,
    "be02cf6855d2428ba40df7e9d022f03d": Says.JOB_FAILED,
    "641257651c1b4ec9a8624d7a40a9e1e7": Says.SPAWN_FAILED,
    "fe6faa94e7774663a0da52717891d8ef": Says.OUT_OF_MEMORY,
    "d989611b15e44c9dbf31e3c81256e4ed": Says.OUT_OF_MEMORY,  # systemd-oomd
    "ae8f7b866b0347b9af31fe1c80b127c0": Says.RESOURCES,
}
COREDUMP = "fc2e22bc6ee647b6b90729ab34a250b1"
DROPPED = "a596d6fe7bfa4994828e72309e95d61e"
JOURNAL_STOPPED = "d93fb3c9c24d451a97cea615ce59c00b"

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
