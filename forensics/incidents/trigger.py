"""A case in, the change that stands closest before its first failure out. Closeness in time is all it says."""

from __future__ import annotations

import polars as pl

from forensics.incidents.case import Case
from forensics.incidents.material import SECOND, moment, quote, quoted
from forensics.model import Change

WINDOW = 30 * 60 * SECOND
# How much a kind of change weighs against ten minutes of distance: a switch 9 minutes before outweighs the restart that it led to,
# one 25 minutes before does not.
WEIGHT = {
    "system-switch": 5,
    "package": 5,
    "driver": 5,
    "configuration": 5,
    "boot": 4,
    "operator": 3,
    "unit-reload": 3,
    "unit-job": 2,
    "login": 1,
}
TEN_MINUTES = 600 * SECOND


def shown_changes(case: Case, entries: pl.DataFrame) -> tuple[Change, ...]:
    """Every change from a day before until the end, newest first."""
    near = case.changes.reverse()
    evidence = quoted(entries, near["row"].to_list())
    told = near.select("us", "kind", "summary").iter_rows()
    return tuple(Change(moment(us), kind, summary, line) for (us, kind, summary), line in zip(told, evidence, strict=True))


def trigger(case: Case, entries: pl.DataFrame) -> tuple[Change | None, str]:
    """(the change, "X, 40 s before the first failure") or (None, "no change seen")."""
    first = case.first_failure
    age = first - pl.col("us")
    before = case.changes.filter((age >= 0) & (age <= WINDOW) & ~pl.col("looks"))
    if before.height == 0:
        return None, "no change seen"
    score = pl.col("kind").cast(pl.String).replace_strict(WEIGHT, return_dtype=pl.Float64) - age / TEN_MINUTES
    us, kind, summary, row = (
        before.with_columns(score.alias("score")).sort("score", "us", "row").select("us", "kind", "summary", "row").row(-1)
    )
    return Change(moment(us), kind, summary, quote(entries, row)), f"{summary}, {span((first - us) / SECOND)} before the first failure"


def span(seconds: float) -> str:
    """A length of time in the two largest units that say something."""
    left = round(seconds)
    if left < 120:
        return f"{left} s"
    days, hours, minutes = left // 86400, left // 3600, left // 60
    if left < 7200:
        return f"{minutes} min" + (f" {left % 60} s" if left % 60 and minutes < 10 else "")
    return f"{hours} h {minutes % 60} min" if hours < 240 else f"{days} d {hours % 24} h"
