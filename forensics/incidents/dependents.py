"""Find the unit whose failure kept another one from starting."""

from __future__ import annotations

import polars as pl

from forensics.incidents.inputs import SECOND
from forensics.incidents.slice import Case

NEAR = 5 * SECOND  # the manager fails the dependent's job in the same moment; a dependency's own failure is logged just before


def caused_by(case: Case, attempts: pl.DataFrame) -> str | None:
    """Name the unit that failed just before a start of the case's unit failed for its dependency. attempts: of all units."""
    waiting = case.attempts.filter(pl.col("failed") & (pl.col("result") == "dependency"))
    if waiting.is_empty():
        return None
    at = waiting["started"].dt.timestamp("us")[0]
    ended = pl.col("ended").dt.timestamp("us")
    others = attempts.filter(
        pl.col("failed")
        & (pl.col("machine") == case.machine)
        & (pl.col("unit") != case.unit)
        & (pl.col("result") != "dependency").fill_null(value=True)
        & ended.is_between(at - NEAR, at + NEAR // 5)
    )
    return None if others.is_empty() else str(others.sort("ended")["unit"][-1])
