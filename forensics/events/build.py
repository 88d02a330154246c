"""Events of attempts: owned entries in, model.EVENTS out."""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import Says
from forensics.attempts.stop_reasons import is_said
from forensics.attempts.unit_keys import Speaker
from forensics.events.multiline import folded
from forensics.model.frames import EVENTS

TELLING = (Says.EXIT, Says.FAILED, Says.START_LIMIT, Says.WATCHDOG, Says.TIMEOUT, Says.SPAWN_FAILED, Says.OUT_OF_MEMORY)
WARNING = 4  # other manager lines count as events when they are at least a warning; how a job went repeats what its causes said
OF_ENTRY = ("priority", "transport", "identifier", "pid", "message_id", "command", "exit_code", "exit_status", "result", "errno")


def events_of(
    entries: pl.DataFrame, attempts: pl.DataFrame, owned: pl.DataFrame, lines: pl.DataFrame, witnessed: pl.DataFrame
) -> pl.DataFrame:
    """Numbered in the order of attempts, then of their deciding rows."""
    numbers = attempts.select("run", "attempt")
    told = pl.concat(
        [_of_manager(entries, lines, numbers), _of_witnesses(entries, witnessed, numbers), _of_service(entries, owned, numbers)]
    )
    told = told.sort("attempt", "row")
    return (
        told.hstack(entries.select(OF_ENTRY)[told["row"]])
        .with_row_index("event")
        .select([pl.col(name).cast(kind) for name, kind in EVENTS.items()])
    )


def _of_manager(entries: pl.DataFrame, lines: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    warned = is_said(Says.NOTHING) & (pl.col("priority") <= WARNING)
    telling = lines.filter((is_said(*TELLING) | warned) & ~pl.col("echo")).join(numbers, on="run")
    return _single(entries, telling.with_columns(pl.lit("manager").alias("kind")))


def _of_witnesses(entries: pl.DataFrame, witnessed: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    return _single(entries, witnessed.join(numbers, on="run"))


def _single(entries: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """One event an entry. found: attempt, row, kind."""
    said = entries.select("time", text="message")[found["row"]]
    return (
        found.select("attempt", "row", "kind")
        .hstack(said)
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


def _of_service(entries: pl.DataFrame, owned: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    spoken = (
        owned.select("run", "place", "row", "pid", "stream", "speaker")  # first: the join copies what it is given
        .filter(pl.col("speaker") == int(Speaker.SERVICE))
        .join(numbers, on="run")
        .select("attempt", "place", "row", "pid", "stream")
        .sort("attempt", "pid", "stream", "row")
    )
    group = pl.struct("attempt", "pid", "stream").rle_id().alias("group")
    said = entries.select("time", text="message")[spoken["row"]]
    lines = spoken.select("attempt", "place", "row", group).hstack(said).filter(pl.col("text").is_not_null())
    events = folded(lines.with_columns(pl.col("time").to_physical().alias("at")))
    return events.select("attempt", "row", "kind", "time", "until", "text", "root", "last", "rows")
