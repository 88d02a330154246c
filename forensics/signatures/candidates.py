"""Find the events that may explain how each attempt ended, and what speaks for and against each.

Candidates are the known problems of an attempt and, where none of them is beyond doubt, its unknown tracebacks, error lines, complaints
and last lines. A burst is what was logged within SAME_BURST of each other, without a line of recovery between: what follows the first
problem of the last burst is usually its consequence.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

import polars as pl

from forensics.model import systemd
from forensics.signatures import claims, contrast, line_level
from forensics.signatures.contrast import NO_PAST
from forensics.signatures.match import find_in_texts
from forensics.signatures.pattern import FATAL, Catalogue, Pattern
from forensics.signatures.per_catalogue import PerCatalogue

KNOWN, MANAGER, TRACEBACK, ERROR_LINE, COMPLAINT, WEAK, LAST_LINE = range(7)

STARTUP = 600.0  # s; everything that a shorter attempt logged belongs to its start
NEAR = timedelta(seconds=60)  # of a longer attempt only the last minute explains its end
SUDDEN = timedelta(seconds=10)  # a signal, or a clean exit, is explained only by lines just before it
LAST_LINE_AGE = timedelta(seconds=5)  # at most, of a last line that explains the end
LAST_LINES = 3  # of which one may explain the end without mentioning a problem
SAME_BURST = timedelta(seconds=5)  # between the events of one burst
BURST_LINES = 12  # at most, between two events of one burst: pasted text often has no times

OWN = ("line", "traceback")
_DEPENDENCY = r"^(?:network\.|database\.unreachable$)"
_COMMON = rf"{_DEPENDENCY}|^(?:file\.|kernel\.module-missing$)"

# What speaks for or against a candidate; every name is a column of CANDIDATES.
FEATURES = (
    "survived",  # a line of recovery follows
    "overcome",  # a line of recovery follows, and it announces another try or is about another service
    "retried",  # it announces another try
    "informational",  # it is logged as information, or as an access
    "warned",  # it is logged as a warning
    "early",  # it was logged long before the end of a long attempt
    "farewell",  # it only announces the end
    "rollback",  # it undoes what was begun
    "wrapper",  # it only reports that something within it failed
    "heading",  # it announces the lines that follow
    "hint",  # it gives advice
    "common",  # its class is one that programs often survive
    "concrete",  # it gives the reason of the operating system, or a place in a file
    "by_form",  # it looks like an error, but no logger wrote its level
    "last_burst",  # nothing of its kind follows after a pause or a recovery
    "first",  # the first of its burst
    "last_line",  # the attempt's last line
    "held",  # it was logged in good times too
    "repeated",  # the failed attempt before it logged it too
)
CANDIDATES = pl.Schema(
    {
        "attempt": pl.UInt32(),
        "event": pl.UInt32(),
        "row": pl.UInt32(),
        "signature": pl.String(),  # null where it is still to be mined
        "evidence": pl.Int32(),  # KNOWN … LAST_LINE
        **dict.fromkeys(FEATURES, pl.Boolean()),
    }
)
# Against a known problem: where one of these holds, unknown events are looked at too.
DOUBTS = ("survived", "retried", "informational", "early", "wrapper", "heading", "held")


@dataclass(frozen=True, slots=True)
class Candidates:
    """found: CANDIDATES, in the order of attempt and event. logged: the contrast.PAST that these attempts are for later ones."""

    found: pl.DataFrame
    logged: pl.DataFrame


def find_candidates(
    attempts: pl.DataFrame, events: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue, past: pl.DataFrame = NO_PAST
) -> Candidates:
    """Find the candidates of each attempt. attempts: those that ended; hits: HITS of the events; past: what earlier attempts logged."""
    timed = _with_ends(attempts, events)
    good = contrast.good_problems(timed)
    past = pl.concat([past, good])
    certain, others = _problems(timed, hits, catalogue, past)
    found = [_chosen(certain.with_columns(repeated=pl.lit(value=False)))]
    logged = [good]
    if not others.is_empty():
        compared = contrast.keyed(others)
        logged.append(contrast.failed_problems(compared))
        found.append(_chosen(contrast.with_repeated(compared, pl.concat([past, logged[-1]]))))
    return Candidates(pl.concat(found).sort("attempt", "event", "evidence"), pl.concat(logged))


def good_so_far(attempts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Find the problems that attempts which still run logged in their good time, however they will end: contrast.PAST."""
    running = attempts.filter(pl.col("outcome").is_in(["running", "cut"])).with_columns(
        outcome=pl.lit("failed", attempts.schema["outcome"])
    )
    return contrast.good_problems(_with_ends(running, events.join(running.select("attempt"), on="attempt", how="semi")))


def _problems(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue, past: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find the known problems of attempts with one beyond doubt, and of the others these and the unknown ones."""
    if hits.is_empty():
        unknown = _kept(_compared(_unknown_problems(timed, hits), timed, past))
        return unknown.clear(), unknown
    known = _kept(_compared(_known_problems(timed, hits, catalogue), timed, past))
    beyond_doubt = known.filter(_BEYOND_DOUBT).select("attempt").unique()
    doubtful = timed.join(beyond_doubt, on="attempt", how="anti", maintain_order="left")
    if doubtful.is_empty():
        return known, known.clear()
    unknown = _kept(_compared(_unknown_problems(doubtful, hits), doubtful, past))
    certain, doubted = (known.join(beyond_doubt, on="attempt", how=how, maintain_order="left") for how in ("semi", "anti"))
    return certain, pl.concat([doubted, unknown])


# a known problem that nothing speaks against
_BEYOND_DOUBT = (pl.col("evidence") <= MANAGER) & ~reduce(or_, map(pl.col, DOUBTS))


def _compared(candidates: pl.DataFrame, timed: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Add what speaks for and against candidates by their place, and by what was logged in good times."""
    return contrast.with_held(_placed(candidates, timed), past)


def _kept(candidates: pl.DataFrame) -> pl.DataFrame:
    """Keep what comparing needs."""
    return candidates.select(_KEPT)


_KEPT = [name for name in (*CANDIDATES, *contrast.UNIT, "text", "root", "outcome") if name != "repeated"]


def _chosen(candidates: pl.DataFrame) -> pl.DataFrame:
    return candidates.select(_CHOSEN)


_CHOSEN = [pl.col(name).cast(dtype) for name, dtype in CANDIDATES.items()]


def _with_ends(attempts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Join events with how and when their attempt ended; near: whether an event may explain that end."""
    return (
        events.select(_OF_EVENT)
        .sort("event")
        .join(attempts.select(_OF_END), on="attempt", maintain_order="left")
        .with_columns(_TIMES)
        .with_columns(near=_NEAR, since=pl.col("end") - pl.col("until"))
    )


_KIND = pl.col("kind").cast(pl.String)
_OF_EVENT = [
    *map(pl.col, ("attempt", "event", "row", "time")),
    pl.col("until").fill_null(pl.col("time")),
    pl.col("text").fill_null(""),
    *map(pl.col, ("root", "last", "priority")),
    _KIND.alias("kind"),
    _KIND.is_in(OWN).alias("own"),
]
_KILLED = pl.col("result").is_in(systemd.BY_SIGNAL).fill_null(value=False)
_OF_END = [
    pl.col("attempt"),
    *(pl.col(name).fill_null("") for name in contrast.UNIT),
    pl.col("ended"),
    pl.col("uptime_s"),
    pl.col("outcome").cast(pl.String),
    _KILLED.alias("killed"),
    (_KILLED & pl.col("exit_status").is_in(systemd.FAULTS).fill_null(value=False)).alias("faulted"),
    # an exit, or an abort: with a reason in words, if any
    (
        pl.col("result").is_in(("exit-code", "protocol")).fill_null(value=False)
        | (_KILLED & (pl.col("exit_status") == signal.SIGABRT).fill_null(value=False))
    ).alias("with_words"),
]
_TIMES = [
    pl.col("until").filter("own").max().over("attempt").alias("last_time"),
    pl.col("ended").fill_null(pl.col("until").max().over("attempt")).alias("end"),
    pl.col("own").cast(pl.UInt32).cum_sum(reverse=True).over("attempt").alias("lines_left"),
]
_NEAR = (
    (pl.col("uptime_s").fill_null(0) < STARTUP)
    | (pl.col("last_time") - pl.col("until") <= NEAR)
    | (pl.col("end") - pl.col("until") <= NEAR)
)


def _known_problems(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    deciding = _without_consequences(timed, hits, catalogue)
    deciding = deciding.with_columns(severity=severities(catalogue.patterns).gather(deciding["pattern"]))
    matched = _with_text_features(timed.join(deciding, on="event", maintain_order="left"))
    # What a pattern matches is no farewell and no hint, whatever its words; it may be the heading of the reason.
    candidates = matched.with_columns(_AS_KNOWN).filter(pl.col("evidence").is_not_null())
    return _innermost(candidates, catalogue)


def _known_evidence() -> tuple[pl.Expr, pl.Expr]:
    """What evidence a hit is, and whether it was logged early."""
    failed, clean = (pl.col("outcome") == outcome for outcome in ("failed", "clean"))
    sudden = pl.col("since") <= SUDDEN
    # A service that ended well failed all the same right after an error, if not one that programs often survive.
    levelled = (pl.col("kind") != "line") | (pl.col("levelled") & pl.col("reports_error"))
    near = pl.when(clean).then(sudden & (levelled | ~is_common(pl.col("signature")))).otherwise(pl.col("near"))
    fatal = pl.col("severity").is_in(FATAL)
    in_doubt = ~near | (pl.col("own") & pl.col("informational"))
    evidence = (
        pl.when(fatal & (~in_doubt | (failed & ~pl.col("killed"))))
        .then(pl.when("own").then(KNOWN).otherwise(MANAGER))
        .when(failed & (pl.col("severity") == "medium") & pl.col("near") & ~pl.col("faulted"))
        .then(WEAK)
    )
    return evidence, ~near


def _severities(patterns: Sequence[Pattern]) -> pl.Series:
    return pl.Series([pattern.severity for pattern in patterns], dtype=pl.String)


def _explains(patterns: Sequence[Pattern]) -> pl.DataFrame:
    pairs = [(p.id, consequence) for p in patterns for consequence in p.explains if consequence != p.id]
    return pl.DataFrame(pairs, schema={"signature": pl.String, "consequence": pl.String}, orient="row")


severities = PerCatalogue(_severities)  # by a pattern's number
_EXPLAINS = PerCatalogue(_explains)


def _without_consequences(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Drop hits that another hit of the same attempt explains."""
    explains = _EXPLAINS(catalogue.patterns)
    if explains.is_empty() or len(hits) == 1:  # one explains no other
        return hits
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
        .sort("event", "evidence", "depth", "offset", "signature", nulls_last=True, maintain_order=True)
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


def _unknown_problems(timed: pl.DataFrame, hits: pl.DataFrame) -> pl.DataFrame:
    """Find events of no pattern that may explain a failure: tracebacks, error lines, complaints, last lines."""
    near = timed.filter(_MAY_EXPLAIN)
    if not hits.is_empty():
        near = near.join(hits.select("event").unique(), on="event", how="anti", maintain_order="left")
    return _with_text_features(near).with_columns(_AS_UNKNOWN).filter(pl.col("evidence").is_not_null())


# Lines long before a signal do not explain it, nor lines long before an exit without output.
_REACH = pl.when("killed").then(pl.lit(SUDDEN)).otherwise(pl.lit(NEAR))
_MAY_EXPLAIN = (pl.col("outcome") == "failed") & pl.col("own") & pl.col("near") & (pl.col("since") <= _REACH)


def _unknown_evidence() -> tuple[pl.Expr, pl.Expr]:
    """What evidence an event of no pattern is, and whether it is that by its form."""
    is_traceback = pl.col("kind") == "traceback"
    raised = pl.coalesce("last", "root")
    levelled = (pl.col("priority") <= 3).fill_null(value=False) | (pl.col("levelled") & pl.col("reports_error"))
    # What only has the form of an error does not explain a signal from outside.
    error = levelled | (pl.col("reports_error") & (~pl.col("killed") | pl.col("faulted") | pl.col("with_words")))
    worded = pl.col("with_words") & ~pl.col("ordinary") & pl.col("worded")
    last = (pl.col("lines_left") <= LAST_LINES) & (pl.col("since") <= LAST_LINE_AGE)
    evidence = (
        pl.when(is_traceback & ~line_level.comes_from_stopping(raised.fill_null("")) & raised.is_not_null())
        .then(TRACEBACK)
        .when(is_traceback)
        .then(None)
        .when(error & pl.col("worded"))
        .then(ERROR_LINE)
        .when(worded & pl.col("complains"))
        .then(COMPLAINT)
        .when(worded & last)
        .then(LAST_LINE)
    )
    return evidence, (evidence == ERROR_LINE) & ~levelled


def _with_text_features(events: pl.DataFrame) -> pl.DataFrame:
    """Add what the wording of each line claims; a traceback or a message of systemd claims nothing but itself."""
    lines = events.select(is_line=pl.col("kind") == "line", text="text")
    texts = lines["text"].zip_with(lines["is_line"], pl.Series([""]).new_from_index(0, len(lines)))
    return events.hstack(claims.claims_of(texts).select(pl.all() & lines["is_line"])).with_columns(informational=pl.col("ordinary"))


def _placed(candidates: pl.DataFrame, timed: pl.DataFrame) -> pl.DataFrame:
    """Add what speaks for and against a candidate by its place among the others."""
    recoveries = _recoveries(candidates, timed)
    return (
        candidates.sort("event")
        .join_asof(
            recoveries.select("attempt", recovery="event"),
            left_on="event",
            right_on="recovery",
            by="attempt",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(_BY_RECOVERY)
        .with_columns(burst=_BURST)
        .with_columns(last_burst=_LAST_BURST, first=_FIRST)
    )


def is_common(signature: pl.Expr) -> pl.Expr:
    """Whether a class is one that programs often survive: a file, a module or another service that they do without."""
    return signature.str.contains(_COMMON).fill_null(value=False)


def is_of_dependency(signature: pl.Expr) -> pl.Expr:
    """Whether a class is that of another service not answering: most programs try again."""
    return signature.str.contains(_DEPENDENCY).fill_null(value=False)


_GROUP = ("attempt", "evidence")
_BY_RECOVERY = [
    pl.col("recovery").is_not_null().alias("survived"),
    is_common(pl.col("signature")).alias("common"),
    (pl.col("recovery").is_not_null() & (pl.col("retried") | is_of_dependency(pl.col("signature")))).alias("overcome"),
    (
        (pl.col("time") - pl.col("until").shift(1).over(_GROUP) >= SAME_BURST)
        | (pl.col("lines_left").shift(1).over(_GROUP).cast(pl.Int64) - pl.col("lines_left").cast(pl.Int64) > BURST_LINES)
        | pl.col("recovery").ne_missing(pl.col("recovery").shift(1).over(_GROUP))
    ).alias("begins_burst"),
]
_BURST = pl.col("begins_burst").fill_null(value=True).cum_sum().over(_GROUP)
_LAST_BURST = pl.col("burst") == pl.col("burst").max().over(_GROUP)
_FIRST = (pl.col("event") == pl.col("event").min().over([*_GROUP, "burst"])) & (pl.col("evidence") != LAST_LINE)

_KNOWN_EVIDENCE, _EARLY = _known_evidence()
_AS_KNOWN = [
    _KNOWN_EVIDENCE.alias("evidence"),
    _EARLY.alias("early"),
    *(pl.lit(value=False).alias(name) for name in ("farewell", "rollback", "hint", "last_line", "by_form")),
]
_UNKNOWN_EVIDENCE, _BY_FORM = _unknown_evidence()
_AS_UNKNOWN = [
    _UNKNOWN_EVIDENCE.alias("evidence"),
    pl.lit(None, pl.String).alias("signature"),
    pl.lit(value=False).alias("early"),
    (pl.col("lines_left") == 1).alias("last_line"),
    _BY_FORM.alias("by_form"),
]


def _recoveries(candidates: pl.DataFrame, timed: pl.DataFrame) -> pl.DataFrame:
    """attempt, event: the lines of recovery after an attempt's first candidate, in the order of events."""
    first = candidates.group_by("attempt").agg(first=pl.col("event").min())
    later = timed.filter(pl.col("kind") == "line").join(first, on="attempt", maintain_order="left")
    later = later.filter(pl.col("event") > pl.col("first")).select("attempt", "event", "text")
    return later.filter(claims.recovering(later["text"])).drop("text")
