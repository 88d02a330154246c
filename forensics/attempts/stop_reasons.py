"""Recognise echoes of failures, refused restarts and requested stops by the order of the manager's lines."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import STARTS, ManagerMessage, is_kind


def with_order(lines: pl.DataFrame) -> pl.DataFrame:
    """Add `echo`, `refused`, `requested`, `by_gate` to manager lines in (unit_boot, row) order.

    echo: a start limit repeats the last failure under the old invocation id (252 … 258), or logs start-limit-hit; it ended no attempt.
    refused: a restart that the start limit then refused. requested: a stop that a client asked for.
    by_gate: a stop by which this program's gate keeps a unit from being restarted; nobody asked for it.
    """
    rows = lines.select("row", "unit_boot", "boot", "candidate", "kind", "job_type", "result", "time")
    stops, by_gate = _requested_stops(rows), _stops_of_gates(rows)
    requested = stops.filter(~stops.is_in(by_gate.implode()))
    marks = {"echo": _echoes(rows), "refused": _refused(rows), "requested": requested, "by_gate": by_gate}
    return lines.with_columns([pl.col("row").is_in(marked.implode()).alias(name) for name, marked in marks.items()])


def _neighbour(column: str, by: int) -> pl.Expr:
    """Select the column of the line before (1) or after (-1) in the same unit boot; the frame is in (unit_boot, row) order."""
    return pl.when(pl.col("unit_boot") == pl.col("unit_boot").shift(by)).then(pl.col(column).shift(by))


def _echoes(rows: pl.DataFrame) -> pl.Series:
    kinds = (ManagerMessage.START_LIMIT, ManagerMessage.FAILED, ManagerMessage.RESTART, ManagerMessage.EXIT, *STARTS)
    echo = (_neighbour("kind", 1) == int(ManagerMessage.START_LIMIT)) | (pl.col("result") == "start-limit-hit")
    return rows.filter(is_kind(*kinds)).filter(is_kind(ManagerMessage.FAILED) & echo)["row"]


def _refused(rows: pl.DataFrame) -> pl.Series:
    turns = rows.filter(is_kind(ManagerMessage.START_LIMIT, ManagerMessage.RESTART, *STARTS))
    return turns.filter(is_kind(ManagerMessage.RESTART) & (_neighbour("kind", -1) == int(ManagerMessage.START_LIMIT)))["row"]


def _requested_stops(rows: pl.DataFrame) -> pl.Series:
    """Find the stops that a client asked for.

    `Stopping` is only logged for a real request. `Stopped` with JOB_TYPE=restart is also a part of every automatic restart in 252/253
    (recognised by following a scheduled restart of the same attempt): there it proves nothing; from 254 on a client asked for it.
    """
    turns = rows.filter(is_kind(ManagerMessage.STOPPING, ManagerMessage.STOPPED, ManagerMessage.RESTART, *STARTS)).with_columns(
        ((_neighbour("kind", 1) == int(ManagerMessage.RESTART)) & (_neighbour("candidate", 1).eq_missing(pl.col("candidate")))).alias(
            "of_restart"
        )
    )
    restarting = is_kind(ManagerMessage.STOPPED) & (pl.col("job_type") == "restart")
    legacy = turns.filter(restarting & pl.col("of_restart"))["boot"].unique()
    by_client = (pl.col("job_type") == "stop") | ~pl.col("boot").is_in(legacy.implode())
    return turns.filter(is_kind(ManagerMessage.STOPPING) | (is_kind(ManagerMessage.STOPPED) & ~pl.col("of_restart") & by_client))["row"]


def _stops_of_gates(rows: pl.DataFrame) -> pl.Series:
    """Find the first stop after each opening of a gate, if nothing was started in between; a gate opens while its unit stops."""
    stops = (ManagerMessage.STOPPING, ManagerMessage.STOPPED)
    turns = rows.filter(is_kind(ManagerMessage.GATE_OPENED, ManagerMessage.RESTART, *STARTS, *stops))
    if not turns.select(is_kind(ManagerMessage.GATE_OPENED).any()).item():
        return turns["row"].clear()
    is_stop = is_kind(*stops)
    turn = ((pl.col("unit_boot") != pl.col("unit_boot").shift()).fill_null(value=True) | ~is_stop).cum_sum()
    stopped = is_kind(ManagerMessage.STOPPED).cast(pl.UInt32)
    ordered = turns.with_columns(
        pl.col("kind").first().over(turn).alias("after"), (stopped.cum_sum().over(turn) - stopped).alias("stopped_before")
    )
    return ordered.filter(is_stop & (pl.col("after") == int(ManagerMessage.GATE_OPENED)) & (pl.col("stopped_before") == 0))["row"]
