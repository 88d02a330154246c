"""Find the change closest before an incident's first failure: correlation in time only."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from forensics.incidents.inputs import SECOND, moment
from forensics.incidents.slice import Case, CaseChange
from forensics.model.values import Change, Incident
from forensics.wording import spoken_duration

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


def shown_changes(case: Case) -> tuple[Change, ...]:
    """List every change from a day before until the end, newest first; reading the log is none."""
    return tuple(_change(change) for change in reversed(case.changes) if not change.read_only)


def trigger(case: Case) -> tuple[Change | None, str]:
    """Choose the trigger: (the change, "X, 40 s before the first failure") or (None, "no change found")."""
    first = case.first_failure
    before = [change for change in case.changes if 0 <= first - change.us <= WINDOW and not change.read_only]
    if not before:
        return None, "no change found"
    best = max(before, key=lambda change: (WEIGHT[change.kind] - (first - change.us) / TEN_MINUTES, change.us, change.row))
    return _change(best), f"{best.summary}, {spoken_duration((first - best.us) / SECOND)} before the first failure"


def unseen_triggers(incidents: Sequence[Incident], entries: pl.DataFrame) -> tuple[str, ...]:
    """Note when changes that led to an incident may lie before the data."""
    if not incidents:
        return ()
    (begin,) = entries.select(pl.col("time").min()).row(0)
    cut_off = [
        incident for incident in incidents if incident.trigger is None and (incident.start - begin).total_seconds() * SECOND < WINDOW
    ]
    if not cut_off:
        return ()
    units = sorted({incident.unit for incident in cut_off})
    named = ", ".join(units[:3]) + (f" and {len(units) - 3} more" if len(units) > 3 else "")
    return (f"The data begins less than 30 minutes before the first failure of {named}: the cause may be earlier (see --since).",)


def _change(change: CaseChange) -> Change:
    return Change(moment(change.us), change.kind, change.summary, change.evidence)
