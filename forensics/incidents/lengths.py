"""Measure how long an incident lasted, and the window, in the time that the machine was awake.

Times are where the wall clock was; where it was set back, or boots begin at the same wrong time, only boot clocks show what came first.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from forensics.clocks import AwakeTime
from forensics.incidents.inputs import SECOND
from forensics.incidents.slice import Case
from forensics.model.moments import Moment

BEGAN = (("ready", "ready_clock"), ("stated", "stated_clock"), ("started", "start_clock"))  # what dates a recovery, as in policy
ENDED = (("stop_time", "stop_clock"), ("ended", "end_clock"))


def lasted_s(case: Case, awake: AwakeTime) -> float:
    """Measure from the first failed start to recovery or end."""
    return awake.seconds(case.machine or "", _start(case), _end(case, awake))


def downtime_s(case: Case, awake: AwakeTime, span: tuple[int, int]) -> float:
    """Measure the envelope, from the first failed start to recovery or end, inside the window; of a recurring incident the gaps.

    A job is not meant to be up between two of its runs, so it has none. span: the window in µs.
    """
    if case.kind == "failing-job":
        return 0.0
    if case.kind == "recurring":
        return case.down_s
    since, until = max(case.start, span[0]), min(case.until, span[1])
    start = _start(case) if since == case.start else Moment(since)
    end = _end(case, awake) if until == case.until else Moment(until)
    return max(0.0, awake.seconds(case.machine or "", start, end))


def window_s(machine: str, awake: AwakeTime, since: int | None, until: int | None, span: tuple[int, int]) -> float:
    """Measure the window: asked for from `since` to `until` (null: as far as the data), of which `span` are the first and last time."""
    bounds = awake.bounds(machine)
    if bounds is None:
        return (span[1] - span[0]) / SECOND
    start, end = (Moment(at) if at is not None else bound for at, bound in zip((since, until), bounds, strict=True))
    return awake.seconds(machine, start, end)


def _start(case: Case) -> Moment:
    return _dated(case.attempts.head(1), case.start, (("started", "start_clock"), ("ended", "end_clock")))


def _end(case: Case, awake: AwakeTime) -> Moment:
    if case.end is None:
        bounds = awake.bounds(case.machine or "")
        return Moment(case.until) if bounds is None else bounds[1]
    if case.recovery is not None and case.success.height:
        return _dated(case.success, case.recovery, BEGAN, at_most=case.start)
    return _dated(case.attempts.tail(1), case.end, ENDED, at_most=case.start)


def _dated(attempt: pl.DataFrame, time: int, columns: tuple[tuple[str, str], ...], at_most: int | None = None) -> Moment:
    """Find the moment of an attempt that a time is about; by the wall clock alone where there is none.

    at_most: policy shows no end before the start, so an end that equals it may be an earlier time.
    """
    times = [pl.col(name) if attempt.schema[name] == pl.Int64 else pl.col(name).dt.timestamp("us") for name, _ in columns]
    row: dict[str, Any] = attempt.select("boot", *times, *dict.fromkeys(clock for _, clock in columns)).row(0, named=True)
    for name, clock in columns:
        at = row[name]
        if at is not None and (at == time or (time == at_most and at < time)):
            return Moment(at, row[clock], row["boot"] or "")
    return Moment(time)
