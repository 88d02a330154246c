"""Choose the one event that explains each attempt's end, by the best of several rules.

The rules, best first (RULES): a known problem in the service's own output; one in a message of systemd or the kernel about the end; the
last unknown traceback; the last error line; a known problem long before an end by exit status; a complaint as the last line before such
an end; a known problem of severity medium; any last line before an end by exit status. Attempts with none of these are labelled by their
exit result.
"""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from forensics.model import systemd
from forensics.signatures import line_level, mask, prefix
from forensics.signatures.match import find_in_texts
from forensics.signatures.pattern import FATAL, Catalogue

KNOWN, MANAGER, TRACEBACK, ERROR_LINE, EARLIER, COMPLAINT, WEAK, LAST_LINE = range(8)
RULES = {
    KNOWN: "catalogue pattern in the service's own output",
    MANAGER: "catalogue pattern in a message of systemd or the kernel",
    TRACEBACK: "last exception of the last traceback",
    ERROR_LINE: "last error line",
    EARLIER: "catalogue pattern earlier in the attempt",
    COMPLAINT: "last line before the end, which mentions a problem",
    WEAK: "catalogue pattern; nothing else explains the end",
    LAST_LINE: "last line before the end",
}
EXIT_RESULT = "exit result"  # the reason where no rule finds an event

STARTUP = 600.0  # s; everything that a shorter attempt logged belongs to its start
NEAR = timedelta(seconds=60)  # of a longer attempt only the last minute explains its end
SUDDEN = timedelta(seconds=10)  # a signal, or a clean exit, is explained only by lines just before it
LAST_LINE_AGE = timedelta(seconds=5)  # at most, of a last line that explains the end

OWN = ("line", "traceback")

CHOICE = pl.Schema({"attempt": pl.UInt32, "rule": pl.Int32, "event": pl.UInt32, "row": pl.UInt32, "signature": pl.String})


def choose(attempts: pl.DataFrame, events: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Choose the event that explains each attempt's end: CHOICE. The signature is null where it is still to be mined."""
    timed = _with_ends(attempts, events)
    known = _known_problems(timed, hits, catalogue)
    decided = known.filter(pl.col("rule") <= MANAGER).select("attempt")
    unknown = _unknown_errors(timed.join(decided, on="attempt", how="anti", maintain_order="left"), hits)
    candidates = pl.concat([known, unknown])
    # The known problem logged last explains the end, shown by its first line; of unknown errors the last line does.
    logged_last = pl.when(pl.col("signature").is_null()).then("event").otherwise(pl.col("event").max().over("attempt", "rule", "signature"))
    return (
        candidates.with_columns(logged_last=logged_last)
        .sort("attempt", "rule", "logged_last", "event", descending=[False, False, True, False], maintain_order=True)
        .unique("attempt", keep="first", maintain_order=True)
        .select(CHOICE.names())
    )


def _with_ends(attempts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Join events with how and when their attempt ended; near: whether an event may explain that end."""
    killed = pl.col("result").is_in(systemd.BY_SIGNAL).fill_null(value=False)
    faulted = killed & pl.col("exit_status").is_in(systemd.FAULTS).fill_null(value=False)
    ends = attempts.select("attempt", "outcome", "ended", "uptime_s", ended_with="result", killed=killed, faulted=faulted)
    own = pl.col("kind").cast(pl.String).is_in(OWN)
    return (
        events.select("attempt", "event", "row", "kind", "time", "until", "text", "root", "last", "priority")
        .with_columns(pl.col("until").fill_null(pl.col("time")), own=own)
        .join(ends, on="attempt", maintain_order="left")
        .with_columns(
            last_line=pl.col("until").filter(own).max().over("attempt"),
            end=pl.col("ended").fill_null(pl.col("until").max().over("attempt")),
        )
        .with_columns(
            near=(pl.col("uptime_s").fill_null(0) < STARTUP)
            | (pl.col("last_line") - pl.col("until") <= NEAR)
            | (pl.col("end") - pl.col("until") <= NEAR),
            since=pl.col("end") - pl.col("until"),
        )
    )


def _known_problems(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    severities = {pattern.id: pattern.severity for pattern in catalogue.patterns}
    matched = timed.join(_without_consequences(timed, hits, catalogue), on="event", maintain_order="left").with_columns(
        severity=pl.col("signature").replace_strict(severities, default=None, return_dtype=pl.String)
    )
    # A service that logs a known problem as information has dealt with it.
    informational = pl.col("text").is_in(_ordinary_texts(matched).implode())
    fatal = pl.col("severity").is_in(FATAL)
    sudden = pl.col("since") <= SUDDEN
    clean = pl.col("outcome").cast(pl.String) == "clean"
    near = pl.when(clean).then(sudden).otherwise(pl.col("near"))
    failed = pl.col("outcome").cast(pl.String) == "failed"
    rule = (
        pl.when(fatal & near & pl.col("own") & ~informational)
        .then(KNOWN)
        .when(fatal & near & ~pl.col("own"))
        .then(MANAGER)
        .when(fatal & failed & ~pl.col("killed"))
        .then(EARLIER)
        .when(failed & (pl.col("severity") == "medium") & pl.col("near") & ~pl.col("faulted"))
        .then(WEAK)
    )
    ranked = matched.with_columns(rule=rule).filter(pl.col("rule").is_not_null())
    return _innermost(ranked, catalogue).select("attempt", "rule", "event", "row", "signature")


def _ordinary_texts(matched: pl.DataFrame) -> pl.Series:
    """The texts of single lines that are everyday output."""
    lines = matched.filter(pl.col("kind").cast(pl.String) == "line").select(pl.col("text").unique(maintain_order=True))
    return lines.filter(line_level.is_ordinary(pl.col("text").str.slice(0, mask.LONGEST)))["text"]


def _without_consequences(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Drop hits that another hit of the same attempt explains."""
    pairs = [(p.id, consequence) for p in catalogue.patterns for consequence in p.explains if consequence != p.id]
    if not pairs:
        return hits
    explains = pl.DataFrame(pairs, schema={"signature": pl.String, "consequence": pl.String}, orient="row")
    of_attempt = timed.select("event", "attempt").join(hits, on="event")
    explained = of_attempt.select("attempt", "signature").unique().join(explains, on="signature").select("attempt", signature="consequence")
    return of_attempt.join(explained, on=["attempt", "signature"], how="anti").drop("attempt")


def _innermost(hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Keep one hit per event: in a traceback's root exception, else in its last one, else the first in the text."""
    several = hits.filter(pl.len().over("event") > 1)
    if several.is_empty():
        return hits
    by_depth = [_hits_in(several, column, catalogue).with_columns(depth=pl.lit(depth)) for depth, column in enumerate(("root", "last"))]
    depth = pl.concat(by_depth).group_by("event", "signature").agg(pl.col("depth").min())
    return (
        hits.join(depth, on=["event", "signature"], how="left", maintain_order="left")
        .sort("event", "rule", "depth", "offset", "signature", nulls_last=True, maintain_order=True)
        .unique("event", keep="first", maintain_order=True)
    )


def _hits_in(hits: pl.DataFrame, column: str, catalogue: Catalogue) -> pl.DataFrame:
    """event, signature: the hits whose pattern also matches the event's `column`."""
    texts = hits.select(pl.col(column).drop_nulls().unique(maintain_order=True)).with_row_index("text_id")
    matches = find_in_texts(texts[column], catalogue)
    ids = pl.Series([pattern.id for pattern in catalogue.patterns], dtype=pl.String)
    named = matches.with_columns(signature=ids.gather(matches["pattern"])).join(texts, on="text_id")
    return (
        hits.select("event", "signature", column)
        .join(named.select("signature", column), on=["signature", column])
        .select("event", "signature")
    )


def _unknown_errors(timed: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Find events of no pattern that may explain a failure: tracebacks, error lines, last lines."""
    candidates = timed.filter((pl.col("outcome").cast(pl.String) == "failed") & pl.col("own") & pl.col("near"))
    candidates = candidates.join(hits.select("event").unique(), on="event", how="anti", maintain_order="left")
    # Lines long before a signal do not explain it, nor lines long before an exit without output.
    reach = pl.when("killed").then(pl.lit(SUDDEN)).otherwise(pl.lit(NEAR))
    candidates = candidates.filter(pl.col("since") <= reach)
    candidates = candidates.join(_line_levels(candidates["text"]), on="text", maintain_order="left")
    is_traceback = pl.col("kind").cast(pl.String) == "traceback"
    stopping = line_level.comes_from_stopping(pl.coalesce("last", "root", pl.lit("")))
    error = (pl.col("priority") <= 3).fill_null(value=False) | pl.col("reports_error")
    last = (pl.col("event") == pl.col("event").max().over("attempt")) & (pl.col("since") <= LAST_LINE_AGE)
    explains = ~pl.col("ordinary") & last & (pl.col("ended_with") == "exit-code") & (pl.col("message") != "")
    rule = (
        pl.when(is_traceback & ~stopping)
        .then(TRACEBACK)
        .when(~is_traceback & error & ~pl.col("farewell"))
        .then(ERROR_LINE)
        .when(explains & pl.col("complains"))
        .then(COMPLAINT)
        .when(explains)
        .then(LAST_LINE)
    )
    return (
        candidates.with_columns(rule=rule, signature=pl.lit(None, pl.String))
        .filter(pl.col("rule").is_not_null())
        .select("attempt", "rule", "event", "row", "signature")
    )


def _line_levels(texts: pl.Series) -> pl.DataFrame:
    """Classify each distinct text: text, reports_error, ordinary, message, farewell, complains."""
    distinct = pl.DataFrame({"text": texts.unique(maintain_order=True)})
    short = pl.col("text").str.slice(0, mask.LONGEST)
    message = pl.col("message")
    return distinct.with_columns(
        reports_error=line_level.reports_error(short),
        ordinary=line_level.is_ordinary(short),
        message=prefix.without_prefix(prefix.without_control(short)),
    ).with_columns(farewell=line_level.is_farewell(message), complains=line_level.complains(message))
