"""What the order of the manager's lines about one unit means: manager lines in; which failures are echoes, which restarts were refused,
which stops came from a client's hand, out.
"""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import Says

STARTS = (Says.STARTING, Says.STARTED, Says.FINISHED, Says.NOT_STARTED, Says.SKIPPED)


def is_said(*meanings: Says) -> pl.Expr:
    return pl.col("says").is_in([int(m) for m in meanings])


def _neighbour(column: str, by: int) -> pl.Expr:
    """The column of the line before (1) or after (-1), null over a spell's border; the frame is in (spell, row) order."""
    return pl.when(pl.col("spell") == pl.col("spell").shift(by)).then(pl.col(column).shift(by))


def with_order(lines: pl.DataFrame) -> pl.DataFrame:
    """Manager lines in (spell, row) order with `echo`, `refused`, `by_hand`.

    echo: a start limit repeats the last failure under the old invocation id (252 … 258), or says start-limit-hit; it ended no run.
    refused: a restart that the start limit then refused. by_hand: a stop that somebody asked for.
    """
    rows = lines.select("row", "spell", "boot", "run", "says", "job_type", "result", "time")
    marks = [_echoes(rows), _refused(rows), _stops_by_hand(rows)]
    flags = {"echo": marks[0], "refused": marks[1], "by_hand": marks[2]}
    return lines.with_columns([pl.col("row").is_in(found.implode()).alias(name) for name, found in flags.items()])


def _echoes(rows: pl.DataFrame) -> pl.Series:
    after = rows.filter(is_said(Says.START_LIMIT, Says.FAILED, Says.RESTART, Says.EXIT, *STARTS))
    echo = (_neighbour("says", 1) == int(Says.START_LIMIT)) | (pl.col("result") == "start-limit-hit")
    return after.filter(is_said(Says.FAILED) & echo)["row"]


def _refused(rows: pl.DataFrame) -> pl.Series:
    turns = rows.filter(is_said(Says.START_LIMIT, Says.RESTART, *STARTS))
    return turns.filter(is_said(Says.RESTART) & (_neighbour("says", -1) == int(Says.START_LIMIT)))["row"]


def _stops_by_hand(rows: pl.DataFrame) -> pl.Series:
    """Stopping is only said for a real request. `Stopped` with JOB_TYPE=restart is also a part of every automatic restart in 252/253
    (recognised by following a scheduled restart of the same run): there it proves nothing; from 254 on it is a client's hand.
    """
    turns = rows.filter(is_said(Says.STOPPING, Says.STOPPED, Says.RESTART, *STARTS)).with_columns(
        ((_neighbour("says", 1) == int(Says.RESTART)) & (_neighbour("run", 1).eq_missing(pl.col("run")))).alias("of_restart")
    )
    restarting = is_said(Says.STOPPED) & (pl.col("job_type") == "restart")
    legacy = turns.filter(restarting & pl.col("of_restart"))["boot"].unique()
    asked = is_said(Says.STOPPED) & ~pl.col("of_restart") & ((pl.col("job_type") == "stop") | ~pl.col("boot").is_in(legacy.implode()))
    return turns.filter(is_said(Says.STOPPING) | asked)["row"]
