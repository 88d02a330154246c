"""Build the table of events from the entries that can explain how attempts ended."""

from __future__ import annotations

import polars as pl

from forensics.events.multiline import folded
from forensics.model.bounds import bounded
from forensics.model.frames import ATTEMPT_ENTRIES, EVENTS, checked

OF_ENTRY = ("priority", "transport", "identifier", "pid", "message_id", "command", "exit_code", "exit_status", "result", "errno")


def find_events(entries: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """EVENTS of ATTEMPT_ENTRIES, numbered in the order of attempts, then of their deciding rows."""
    checked(members, ATTEMPT_ENTRIES, "attempt entries")
    own = members["source"] == "service"
    events = pl.concat([_single(entries, members.filter(~own)), _of_service(entries, members.filter(own))]).sort("attempt", "row")
    events = events.with_columns(bounded(events["text"]))
    return (
        events.hstack(entries.select(OF_ENTRY)[events["row"]])
        .with_row_index("event")
        .select([pl.col(name).cast(kind) for name, kind in EVENTS.items()])
        .pipe(checked, EVENTS, "events")
    )


def _single(entries: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Make one event per entry."""
    fields = entries.select("time", text="message")[members["row"]]
    return (
        members.select("attempt", "row", kind=pl.col("source").cast(pl.String))
        .hstack(fields)
        .select(
            "attempt",
            "row",
            "kind",
            "time",
            pl.col("time").alias("until"),
            pl.col("text").fill_null(""),
            pl.lit(None, pl.String).alias("root"),
            pl.lit(None, pl.String).alias("last"),
            pl.lit(1, pl.UInt32).alias("rows"),
        )
    )


def _of_service(entries: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Make events of services' own lines, those of one process and stream together."""
    process = entries.select("pid", pl.col("stream").hash())[members["row"]]
    ordered = members.select("attempt", "unit_key", "row").hstack(process).sort("attempt", "pid", "stream", "row")
    group = pl.struct("attempt", "pid", "stream").rle_id().alias("group")
    fields = entries.select("time", text="message")[ordered["row"]]
    lines = ordered.select("attempt", "unit_key", "row", group).hstack(fields).filter(pl.col("text").is_not_null())
    events = folded(lines.with_columns(pl.col("time").to_physical().alias("at")))
    return events.select("attempt", "row", "kind", "time", "until", "text", "root", "last", "rows")
