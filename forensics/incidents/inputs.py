"""Define the input and output of the incident stage, and quote entries as evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from forensics.incidents.gaps import Outside
from forensics.model.frames import ATTEMPTS, CHANGES, ENTRIES, EVENTS, LABELS, LIFECYCLE, RESTARTS, checked
from forensics.model.values import (
    Completeness,
    Damage,
    DetectionSummary,
    Evidence,
    FailureClass,
    FailureTotals,
    Incident,
    IsolatedFailures,
    LedgerCheck,
    RestartTotals,
    Signature,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000  # times inside the stage are whole microseconds since the epoch


@dataclass(frozen=True, slots=True)
class Inputs:
    """The frames of the earlier stages; every `row` column indexes into `entries`."""

    entries: pl.DataFrame
    attempts: pl.DataFrame
    events: pl.DataFrame
    restarts: pl.DataFrame
    lifecycle: pl.DataFrame
    labels: pl.DataFrame
    changes: pl.DataFrame
    signatures: Mapping[str, Signature]
    whole_lifecycle: pl.DataFrame | None = None  # of all units, where the other frames are about some
    outside: Outside | None = None
    damage: tuple[Damage, ...] = ()  # of what the entries were read from
    captured: pl.DataFrame | None = None  # event, signature, captures: what patterns found in an event
    ranked: pl.DataFrame | None = None  # attempt, event, …: all events that may explain an end

    @property
    def of_all_units(self) -> pl.DataFrame:
        """LIFECYCLE of all units."""
        return self.lifecycle if self.whole_lifecycle is None else self.whole_lifecycle


@dataclass(frozen=True, slots=True)
class Analysis:
    completeness: Completeness
    failures: FailureTotals
    isolated: tuple[IsolatedFailures, ...]
    units: tuple[str, ...]  # that failed or were restarted
    restarts: RestartTotals
    classes: tuple[FailureClass, ...]
    incidents: tuple[Incident, ...]
    detection_summary: DetectionSummary
    ledger: tuple[LedgerCheck, ...]
    notes: tuple[str, ...]
    classed_restarts: pl.DataFrame  # CLASSED_RESTARTS


def checked_inputs(inputs: Inputs) -> Inputs:
    """Return the inputs when every frame has the model's columns; otherwise raise ForensicsError."""
    checked(inputs.entries, ENTRIES, "entries")
    checked(inputs.attempts, ATTEMPTS, "attempts")
    checked(inputs.events, EVENTS, "events")
    checked(inputs.restarts, RESTARTS, "restarts")
    checked(inputs.lifecycle, LIFECYCLE, "lifecycle")
    checked(inputs.labels, LABELS, "labels")
    checked(inputs.changes, CHANGES, "changes")
    return inputs


def moment(us: int) -> datetime:
    return EPOCH + timedelta(microseconds=int(us))


def microseconds(time: datetime) -> int:
    return (time - EPOCH) // timedelta(microseconds=1)


def quoted(entries: pl.DataFrame, rows: Sequence[int]) -> list[Evidence]:
    """Quote the entries at `rows`, in that order; `with_context` adds what is around those that a report refers to."""
    fields = entries.select("time", "message", "file", "offset", "unit", "manager")[list(rows)]
    return [
        Evidence(time, message or "", file or "", offset, unit=unit or "", manager=manager or "", row=row)
        for row, (time, message, file, offset, unit, manager) in zip(rows, fields.iter_rows(), strict=True)
    ]


def quote(entries: pl.DataFrame, row: int | None) -> Evidence | None:
    return None if row is None or row < 0 else quoted(entries, [row])[0]
