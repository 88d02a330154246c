"""Find the failure classes that a unit shows since the last change of its host and showed never before, in the journal's history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from forensics.classes.overrides import read_overrides
from forensics.errors import ForensicsError
from forensics.guard.verify.checks import FAILED, OK, UNKNOWN, Check
from forensics.ingest.sources import ingest_or_use_store
from forensics.paths import overrides_file
from forensics.pipeline import History, Notice, history_of
from forensics.policy.limits import HELD_S
from forensics.query import Query
from forensics.sanitize import brief, safe_line
from forensics.signatures import catalogue
from forensics.wording import minute, plural

NAME = "classes"
CHANGES = ("system-switch", "package", "driver", "configuration", "unit-reload")  # what a deployment does; not restarts and logins
LONGEST_CHANGE_S = 3600.0
MOST_NAMED, LONGEST_SUMMARY = 3, 100


@dataclass(frozen=True, slots=True)
class Change:
    """The last change: steps that follow each other within the time in which a unit counts as held are one."""

    begin: datetime
    summary: str

    @property
    def described(self) -> str:
        return f"{minute(self.begin)} UTC ({brief(safe_line(self.summary), LONGEST_SUMMARY)})"


def classes_check(query: Query, manager: str, notice: Notice = lambda _: None) -> Check:
    """Read the history of the one unit that `query` names, and judge its failures since the last change."""
    try:
        ingested = ingest_or_use_store(query.sources, query.store, None, notice)
        patterns = catalogue.load(query.pattern_folders)
        history = history_of(query, ingested.sources, patterns, read_overrides(overrides_file()))
    except (ForensicsError, OSError) as error:
        return Check(NAME, UNKNOWN, f"history cannot be read: {str(error).rstrip('.')}")
    return judge(history, query.units[0], manager)


def judge(history: History, unit: str, manager: str) -> Check:
    """Compare the unit's failures since the last change with those before it."""
    change = last_change(history.changes, unit)
    if change is None:
        return Check(NAME, UNKNOWN, "the journal shows no system switch, package, driver or reload of units: nothing to compare with")
    failures = _failures(history, unit, manager)
    since = failures.filter(pl.col("last") >= change.begin)
    new = since.filter(pl.col("first") >= change.begin)
    if not new.is_empty():
        return Check(NAME, FAILED, f"new since {change.described}: {_listed(new)}")
    known = f"; {plural(since.height, 'class', 'classes')} known before failed again: {_listed(since)}" if since.height else ""
    return Check(NAME, OK, f"no failure class is new since {change.described}{known}")


def last_change(changes: pl.DataFrame, unit: str) -> Change | None:
    """Find the last change of CHANGES that concerns the unit or the whole host, from its first step on; None without one."""
    concerned = changes.filter(pl.col("kind").is_in(CHANGES) & (pl.col("unit").is_null() | (pl.col("unit") == unit))).sort("time")
    if concerned.is_empty():
        return None
    steps = concerned.select("time", "kind", "summary").rows(named=True)
    first = steps[-1]
    chosen = first
    for step in reversed(steps[:-1]):
        if first["time"] - step["time"] > timedelta(seconds=HELD_S):
            break
        if steps[-1]["time"] - step["time"] > timedelta(seconds=LONGEST_CHANGE_S):
            break
        first = step
        chosen = min(chosen, step, key=lambda one: CHANGES.index(one["kind"]))
    return Change(first["time"], chosen["summary"])


def _failures(history: History, unit: str, manager: str) -> pl.DataFrame:
    """Return the unit's failure classes: signature, title, first, last, failures, the most frequent first."""
    attempts = history.assembly.attempts.filter((pl.col("unit") == unit) & (pl.col("manager") == manager))
    labels = history.labelled.labels.filter("failed").select("attempt", "signature")
    ended = attempts.select("attempt", pl.coalesce("ended", "started").alias("time")).drop_nulls("time")
    classes = (
        ended.join(labels, on="attempt")
        .group_by("signature")
        .agg(pl.col("time").min().alias("first"), pl.col("time").max().alias("last"), pl.len().alias("failures"))
    )
    return classes.sort(["failures", "signature"], descending=[True, False])


def _listed(classes: pl.DataFrame) -> str:
    named = [
        f"{safe_line(signature)} ({plural(failures, 'failure')})"
        for signature, failures in classes.select("signature", "failures").head(MOST_NAMED).rows()
    ]
    more = f" and {classes.height - MOST_NAMED} more" if classes.height > MOST_NAMED else ""
    return f"{', '.join(named)}{more}"
