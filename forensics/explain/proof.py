"""Decide whether a text proves a failure of an attempt whose end it does not show.

Programs complain of much that they do without. A line that only mentions a problem proves nothing where it is a warning, or where
everyday lines follow it; nor does a file or another service that is missing, unless a logger calls it an error.
"""

from __future__ import annotations

import polars as pl

from forensics.signatures import line_level, line_wording
from forensics.signatures.candidates import COMPLAINT, KNOWN, LAST_LINE, OWN
from forensics.signatures.mask import LONGEST

LEAST_POINTS = 5
CALM = 5  # everyday lines, after which the service went on


def unproven(ranked: pl.DataFrame, events: pl.DataFrame) -> pl.Series:
    """Find the attempts whose best candidate proves no failure. ranked: RANKED; events: EVENTS."""
    text = events.select("event", short=pl.col("text").fill_null("").str.slice(0, LONGEST))
    short = pl.col("short").fill_null("")
    called_error = line_level.has_level(short) & line_level.reports_error(short)
    complaint = pl.col("evidence") == COMPLAINT
    dealt_with = pl.any_horizontal("survived", "retried", "warned", "informational")
    done_without = (pl.col("evidence") == KNOWN) & pl.col("common") & dealt_with & ~called_error
    judged = ranked.join(text, on="event", how="left", maintain_order="left").select(
        "attempt",
        "event",
        weak=(pl.col("evidence") == LAST_LINE) | (pl.col("points") < LEAST_POINTS) | (complaint & pl.col("warned")),
        ignorable=complaint | done_without,
    )
    best = judged.unique("attempt", keep="first", maintain_order=True)
    beyond = judged.filter(~pl.col("weak"), ~pl.col("ignorable")).select("attempt")
    doubtful = best.filter("ignorable", ~pl.col("weak")).join(beyond, on="attempt", how="anti")
    return pl.concat([best.filter("weak")["attempt"], _went_on(doubtful, events)])


def _went_on(candidates: pl.DataFrame, events: pl.DataFrame) -> pl.Series:
    """Find the attempts in which everyday lines follow the candidate."""
    if candidates.is_empty():
        return candidates["attempt"]
    later = (
        events.filter(pl.col("kind").cast(pl.String).is_in(OWN))
        .join(candidates.select("attempt", since="event"), on="attempt")
        .filter(pl.col("event") > pl.col("since"))
        .select("attempt", short=pl.col("text").fill_null("").str.slice(0, LONGEST))
        .with_columns(message=line_wording.message_of(pl.col("short")))
    )
    message = pl.col("message")
    troubled = (
        line_wording.complains(message)
        | line_level.reports_error(pl.col("short"))
        | line_wording.is_hint(message)
        | line_wording.is_farewell(message)
        | line_wording.is_rollback(message)
        | line_wording.retries(message)
    )
    return later.filter(~troubled).group_by("attempt").len().filter(pl.col("len") >= CALM)["attempt"]
