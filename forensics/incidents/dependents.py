"""Find the unit whose failure kept another one from starting."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from forensics.boots import machine_or_host
from forensics.incidents.slice import Case
from forensics.model import systemd

# the manager fails the dependent's job in the same moment; a dependency's own failure is logged just before
BEFORE, AFTER = timedelta(seconds=5), timedelta(seconds=1)


def caused_by(case: Case, attempts: pl.DataFrame, entries: pl.DataFrame) -> str | None:
    """Name the unit that failed just before a start of the case's unit failed for its dependency. attempts: of all units."""
    waiting = case.attempts.filter(pl.col("failed") & (pl.col("result") == "dependency"))
    if waiting.is_empty():
        return None
    at = waiting["started"][0]
    others = attempts.filter(
        pl.col("failed")
        & (pl.col("machine") == case.machine)
        & (pl.col("unit") != case.unit)
        & (pl.col("result") != "dependency").fill_null(value=True)
        & pl.col("ended").is_between(at - BEFORE, at + AFTER)
    ).sort("ended")
    if others.is_empty():
        others = entries.filter(pl.col("time").is_between(at - BEFORE, at + AFTER)).filter(machine_or_host() == case.machine, _fails())
    return None if others.is_empty() else str(others["unit"][-1])


def _fails() -> pl.Expr:
    """Select the manager's lines about the failure of a mount, a socket, a device: units that have no attempts."""
    by_result = pl.col("message_id") == systemd.UNIT_FAILURE_RESULT
    by_job = (pl.col("message_id") == systemd.UNIT_FAILED) & (pl.col("job_result") != "dependency").fill_null(value=True)
    is_service = pl.col("unit").cast(pl.String).str.ends_with(".service")
    return ((pl.col("pid") == 1) & ~is_service & (by_result | by_job)).fill_null(value=False)
