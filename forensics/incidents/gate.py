"""Find what a gate did in an incident: when it stopped the restarts, how often it tried, and how many restarts that avoided."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import polars as pl

from forensics.clocks import AwakeTime
from forensics.incidents.inputs import moment, quote
from forensics.incidents.slice import Case, GateTurn, starts
from forensics.model.moments import Moment
from forensics.model.values import GateStop


def gate_stop(case: Case, entries: pl.DataFrame, awake: AwakeTime) -> GateStop | None:
    """Sum up what a gate did in a case; null where it did not open."""
    opened = [turn for turn in case.gate if turn.kind == "gate-opened" and turn.us <= case.until]
    if not opened:
        return None
    first = opened[0]
    before = case.attempts.filter(pl.col("started").dt.timestamp("us") <= first.us)
    cadence = before["cycle_s"].median()
    cadence_s = float(cadence) if isinstance(cadence, float) and cadence > 0 else None
    stopped_s = _stopped_s(case, opened, awake)
    closed = _closed(case, opened[-1])
    failed = before.filter("failed")
    return GateStop(
        opened=moment(first.us),
        after_s=awake.seconds(case.machine or "", Moment(case.start), Moment(first.us)),
        failures=first.failures or failed.height,
        signature=first.about or (failed["signature"][-1] if failed.height else ""),
        probes=sum(1 for turn in case.gate if turn.kind == "gate-probed" and first.us < turn.us <= case.until),
        closed=None if closed is None else moment(closed),
        restarts_avoided=None if cadence_s is None else int(stopped_s / cadence_s),
        cadence_s=cadence_s,
        evidence=quote(entries, first.row),
    )


def _closed(case: Case, opened: GateTurn) -> int | None:
    """Return when the gate let go: it said so, the manager restarted the unit again as without a gate, or the unit was healthy."""
    stated = [turn.us for turn in case.gate if turn.kind == "gate-closed" and turn.us > opened.us]
    restarted = case.restarts.filter(pl.col("time").dt.timestamp("us") > opened.us)["time"].dt.timestamp("us").to_list()
    return min([*stated, *restarted], default=case.recovery)


def _stopped_s(case: Case, opened: Sequence[GateTurn], awake: AwakeTime) -> float:
    """Add up how long the gate kept the unit stopped: each time until the next start, whoever made it, or until it was closed."""
    ends = sorted([*starts(case).tolist(), *(turn.us for turn in case.gate if turn.kind == "gate-closed"), case.until])
    spans = ((turn.us, ends[min(bisect_right(ends, turn.us), len(ends) - 1)]) for turn in opened)
    return sum(awake.seconds(case.machine or "", Moment(start), Moment(end)) for start, end in spans if end > start)
