"""Compare what a unit's attempts logged: what those that held logged too explains no failure, what each failure logged probably does.

An attempt is compared only with earlier ones of its unit and with its own good time, so that history and a stream find the same.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

import polars as pl

from forensics.signatures import line_level, line_wording, mask

GOOD_S = 600.0  # an attempt that ran that long held
GOOD_UNTIL = timedelta(seconds=60)  # before the end of an attempt that failed: what was logged later belongs to the failure
MOST_PROBLEMS = 500  # of a unit that are remembered, and
MOST_REMEMBERED = 20_000  # of all units
DIGEST = 8  # bytes: what is remembered of a text is small, and does not show it

UNIT = ("machine", "manager", "unit")
PAST = pl.Schema(  # what earlier attempts of a unit logged
    {
        **dict.fromkeys(UNIT, pl.String()),  # "" where it is not recorded
        "attempt": pl.Int64(),  # by which it was logged first; before all numbered ones: -1
        "key": pl.String(),  # a digest of the masked text
        "held": pl.Boolean(),  # logged in a good time; else by the last attempt that failed
    }
)
NO_PAST = PAST.to_frame()


def good_problems(timed: pl.DataFrame) -> pl.DataFrame:
    """Find the problems that attempts logged in their good time: PAST. timed: events with how their attempt ended."""
    good = (pl.col("uptime_s") >= GOOD_S) & ((pl.col("outcome") != "failed") | (pl.col("end") - pl.col("until") > GOOD_UNTIL))
    lines = timed.filter(pl.col("own") & good)
    if lines.is_empty():
        return NO_PAST
    texts = lines.select(pl.col("text").unique(maintain_order=True))
    short = pl.col("text").str.slice(0, mask.LONGEST)
    message = line_wording.message_of(pl.col("text"))
    problems = texts.filter(line_wording.complains(message) | line_level.reports_error(short))
    return _past(keyed(lines.join(problems, on="text", how="semi", maintain_order="left")), held=True)


def failed_problems(candidates: pl.DataFrame) -> pl.DataFrame:
    """Find the problems of attempts that failed: PAST. candidates: what may explain their ends, with `key`."""
    return _past(candidates.filter(pl.col("outcome") == "failed"), held=False)


def with_held(candidates: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Add `held`: whether an earlier or the same attempt logged a candidate in its good time."""
    good = past.filter("held")
    if good.is_empty() or candidates.is_empty():
        return candidates.with_columns(held=pl.lit(value=False))
    since = good.group_by(*UNIT, "key").agg(held_since=pl.col("attempt").min())
    held = (pl.col("held_since") <= pl.col("attempt")).fill_null(value=False)
    compared = keyed(candidates).join(since, on=[*UNIT, "key"], how="left", maintain_order="left")
    return compared.with_columns(held=held).drop("key", "held_since").cast({"attempt": candidates.schema["attempt"]})


def with_repeated(candidates: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Add `repeated`: whether the failed attempt of the unit before it logged a candidate too. candidates: with `key`."""
    failed = past.filter(~pl.col("held"))
    if failed.is_empty() or candidates.is_empty():
        return candidates.with_columns(repeated=pl.lit(value=False))
    before = (
        candidates.select(*UNIT, "attempt")
        .unique()
        .sort("attempt")
        .join_asof(
            failed.select(*UNIT, "attempt", previous="attempt").unique().sort("attempt"),
            on="attempt",
            by=UNIT,
            allow_exact_matches=False,
            check_sortedness=False,
        )
    )
    if before["previous"].null_count() == len(before):
        return candidates.with_columns(repeated=pl.lit(value=False))
    again = failed.select(*UNIT, "key", previous="attempt", repeated=pl.lit(value=True)).unique()
    return (
        candidates.join(before, on=[*UNIT, "attempt"], how="left", maintain_order="left")
        .join(again, on=[*UNIT, "previous", "key"], how="left", maintain_order="left")
        .with_columns(pl.col("repeated").fill_null(value=False))
        .drop("previous")
    )


def remembered(past: pl.DataFrame, logged: pl.DataFrame) -> pl.DataFrame:
    """Keep of what is past what later attempts are compared with: PAST, numbered before all."""
    failed = logged.filter(~pl.col("held"))
    last = failed.filter(pl.col("attempt") == pl.col("attempt").max().over(UNIT))
    older = past.filter(~pl.col("held")).join(failed, on=UNIT, how="anti")
    good = pl.concat([past.filter("held"), logged.filter("held")]).unique([*UNIT, "key"], keep="last", maintain_order=True)
    kept = pl.concat([frame.group_by(UNIT, maintain_order=True).tail(MOST_PROBLEMS).select(PAST.names()) for frame in (good, older, last)])
    return kept.tail(MOST_REMEMBERED).select(PAST.names()).with_columns(attempt=pl.lit(-1, pl.Int64))


def _past(events: pl.DataFrame, *, held: bool) -> pl.DataFrame:
    return events.select(*UNIT, "attempt", "key", held=pl.lit(held)).cast(PAST).unique(maintain_order=True)


def keyed(events: pl.DataFrame) -> pl.DataFrame:
    """Add a digest of the masked text of each event, of a traceback that of its first exception; attempts are numbered as in PAST."""
    said = pl.coalesce("root", "text")
    texts = events.select(said.unique(maintain_order=True).alias("said"))["said"]
    digests = [hashlib.blake2b(key.encode(), digest_size=DIGEST).hexdigest() for key in mask.keys(texts)]
    key = said.replace_strict(texts, digests, return_dtype=pl.String) if digests else pl.lit("")
    return events.with_columns(pl.col("attempt").cast(PAST["attempt"]), key=key)
