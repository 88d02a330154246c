"""Flatten an investigation into tables for spreadsheets and notebooks.

Times are UTC; model/frames.py documents the columns that have its names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from forensics.model.frames import UTC_TIME
from forensics.model.values import FailureClass
from forensics.pipeline import History, Investigation
from forensics.sanitize import sanitizer

# Columns with words of the log in them. All others are names, ids and words of this program, which are never redacted.
LOG_COLUMNS = frozenset({"message", "text", "root", "last", "title", "evidence", "verdict", "trigger"})

CLASSES = pl.Schema(
    {
        "incident": pl.String(),
        "signature": pl.String(),
        "title": pl.String(),
        "severity": pl.String(),
        "restarts": pl.Int64(),
        "share": pl.Float64(),
        "first": UTC_TIME,
        "last": UTC_TIME,
        "restart_helps": pl.Boolean(),
        "secondary": pl.Int64(),
    }
)
INCIDENTS = pl.Schema(
    {
        "incident": pl.String(),
        "host": pl.String(),
        "unit": pl.String(),
        "kind": pl.String(),
        "ongoing": pl.Boolean(),
        "start": UTC_TIME,
        "end": UTC_TIME,
        "restarts": pl.Int64(),
        "exact": pl.Boolean(),
        "phases": pl.Int64(),
        "classes": pl.String(),
        "downtime_s": pl.Float64(),
        "availability": pl.Float64(),
        "recovery": UTC_TIME,
        "time_to_recover_s": pl.Float64(),
        "trigger": pl.String(),
        "verdict": pl.String(),
    }
)
PHASES = pl.Schema(
    {
        "incident": pl.String(),
        "start": UTC_TIME,
        "end": UTC_TIME,
        "restarts": pl.Int64(),
        "cadence_s": pl.Float64(),
        "signature": pl.String(),
    }
)


def table(investigation: Investigation, name: str, *, redact: bool) -> pl.DataFrame:
    """One of TABLES, in order of time."""
    return _sanitized(TABLES[name](investigation), redact=redact)


def _sanitized(frame: pl.DataFrame, *, redact: bool) -> pl.DataFrame:
    """Sanitize all text columns; each distinct text costs once."""
    text = [name for name, kind in frame.schema.items() if kind == pl.String]
    distinct = {name: frame[name].drop_nulls().unique(maintain_order=True).to_list() for name in text}
    names = [value for name in text if name not in LOG_COLUMNS for value in distinct[name]]
    safe = sanitizer([value for name in text if name in LOG_COLUMNS for value in distinct[name]], redact=redact, kept=names)
    keep = sanitizer((), redact=False)
    mapped = {
        name: {value: now for value in values if (now := (safe if name in LOG_COLUMNS else keep)(value)) != value}
        for name, values in distinct.items()
    }
    return frame.with_columns(pl.col(name).replace(mapped[name]) for name in text if mapped[name])


def attempts(investigation: Investigation) -> pl.DataFrame:
    """ATTEMPTS with the cause of each end (signature, why, secondary) and the entry that proves it (evidence, file, offset)."""
    history = investigation.history
    labels = history.labelled.labels.select(
        "attempt",
        "signature",
        "why",
        "failed",
        pl.col("secondary").list.eval(pl.element().struct.field("signature")).list.join(" "),
        "row",
    )
    joined = history.assembly.attempts.join(labels, on="attempt", how="left").sort("started", "attempt", nulls_last=True)
    proof = _entries_at(history, joined["row"]).rename({"message": "evidence"})
    return pl.concat([joined.drop("attempt", "row", "first_row", "last_row"), proof], how="horizontal").with_columns(
        pl.col("outcome").cast(pl.String)
    )


def restarts(investigation: Investigation) -> pl.DataFrame:
    """CLASSED_RESTARTS."""
    return investigation.restarts


def events(investigation: Investigation) -> pl.DataFrame:
    """EVENTS with host, unit and invocation, their signature if they have one, and the file and offset of their entry."""
    history = investigation.history
    of_attempt = history.assembly.attempts.select("attempt", "host", "unit", "invocation")
    signatures = history.labelled.events.select("event", "signature").unique("event", keep="first", maintain_order=True)
    joined = (
        history.assembly.events.join(of_attempt, on="attempt", how="left")
        .join(signatures, on="event", how="left")
        .sort("time", "event", nulls_last=True)
    )
    proof = _entries_at(history, joined["row"]).drop("message")
    return pl.concat([joined.drop("event", "attempt", "row"), proof], how="horizontal").with_columns(pl.col("kind").cast(pl.String))


def entries(investigation: Investigation) -> pl.DataFrame:
    """ENTRIES about the asked units."""
    history = investigation.history
    return _as_text((history.entries if history.asked is None else history.asked).filter(pl.col("unit").is_not_null()))


def classes(investigation: Investigation) -> pl.DataFrame:
    """The breakdown over the window (incident is null) and of each incident."""
    rows = [_class_row(None, row) for row in investigation.report.classes]
    rows += [_class_row(incident.id, row) for incident in investigation.report.incidents for row in incident.classes]
    return _frame(rows, CLASSES)


def incidents(investigation: Investigation) -> pl.DataFrame:
    """One row per incident."""
    rows = [
        {
            "incident": incident.id,
            "host": incident.host,
            "unit": incident.unit,
            "kind": incident.kind,
            "ongoing": incident.ongoing,
            "start": incident.start,
            "end": incident.end,
            "restarts": incident.restarts,
            "exact": incident.exact,
            "phases": len(incident.phases),
            "classes": " ".join(row.signature for row in incident.classes),
            "downtime_s": incident.downtime_s,
            "availability": incident.availability,
            "recovery": incident.recovery,
            "time_to_recover_s": incident.time_to_recover_s,
            "trigger": incident.trigger_text,
            "verdict": incident.verdict,
        }
        for incident in investigation.report.incidents
    ]
    return _frame(rows, INCIDENTS)


def phases(investigation: Investigation) -> pl.DataFrame:
    """One row per phase of an incident."""
    rows = [
        {
            "incident": incident.id,
            "start": phase.start,
            "end": phase.end,
            "restarts": phase.restarts,
            "cadence_s": phase.cadence_s,
            "signature": phase.primary,
        }
        for incident in investigation.report.incidents
        for phase in incident.phases
    ]
    return _frame(rows, PHASES)


TABLES: Mapping[str, Callable[[Investigation], pl.DataFrame]] = {
    "attempts": attempts,
    "restarts": restarts,
    "classes": classes,
    "incidents": incidents,
    "phases": phases,
    "events": events,
    "entries": entries,
}


def _class_row(incident: str | None, row: FailureClass) -> dict[str, object]:
    return {
        "incident": incident,
        "signature": row.signature,
        "title": row.title,
        "severity": row.severity,
        "restarts": row.restarts,
        "share": row.share,
        "first": row.first,
        "last": row.last,
        "restart_helps": row.restart_helps,
        "secondary": row.secondary,
    }


def _frame(rows: Sequence[Mapping[str, object]], schema: pl.Schema) -> pl.DataFrame:
    return pl.DataFrame(rows, schema, orient="row")


def _entries_at(history: History, rows: pl.Series) -> pl.DataFrame:
    """message, file, offset of the entries at `rows`; null for a null row."""
    return _as_text(history.entries.select(pl.col("message", "file", "offset").gather(rows)))


def _as_text(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
