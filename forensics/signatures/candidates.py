"""Find the events that may explain how each attempt ended, and what speaks for and against each.

Candidates are the known problems of an attempt and, where none of them is beyond doubt, its unknown tracebacks, error lines, complaints
and last lines. A burst is what was logged within SAME_BURST of each other, without a line of recovery between: what follows the first
problem of the last burst is usually its consequence.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from operator import or_

import polars as pl

from forensics.model import systemd
from forensics.model.text_memory import TextMemory
from forensics.signatures import contrast, line_level, line_wording, mask
from forensics.signatures.contrast import NO_PAST
from forensics.signatures.match import find_in_texts
from forensics.signatures.pattern import FATAL, Catalogue

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
_WORD = r"[\pL]{3}"  # a line without one claims nothing

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
    known, unknown = _problems(timed, hits, catalogue, past)
    beyond_doubt = _beyond_doubt(known)
    beside = _chosen(known.join(beyond_doubt, on="attempt", how="semi").with_columns(repeated=pl.lit(value=False)))
    compared = contrast.keyed(pl.concat([_kept(known.join(beyond_doubt, on="attempt", how="anti")), _kept(unknown)]))
    failed = contrast.failed_problems(compared)
    both = contrast.with_repeated(compared, pl.concat([past, failed]))
    return Candidates(pl.concat([beside, _chosen(both)]).sort("attempt", "event", "evidence"), pl.concat([good, failed]))


def good_so_far(attempts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Find the problems that attempts which still run logged in their good time, however they will end: contrast.PAST."""
    running = attempts.filter(pl.col("outcome").is_in(["running", "cut"])).with_columns(
        outcome=pl.lit("failed", attempts.schema["outcome"])
    )
    return contrast.good_problems(_with_ends(running, events.join(running.select("attempt"), on="attempt", how="semi")))


def _problems(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue, past: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find known problems, and unknown ones where none of these is beyond doubt. Most attempts have only the one or the other."""
    if hits.is_empty():
        unknown = _compared(_unknown_problems(timed, hits), timed, past)
        return unknown.clear(), unknown
    known = _compared(_known_problems(timed, hits, catalogue), timed, past)
    doubtful = timed.join(_beyond_doubt(known), on="attempt", how="anti", maintain_order="left")
    return known, known.clear() if doubtful.is_empty() else _compared(_unknown_problems(doubtful, hits), doubtful, past)


def _beyond_doubt(known: pl.DataFrame) -> pl.DataFrame:
    """Select the attempts with a known problem that nothing speaks against."""
    return known.filter(pl.col("evidence") <= MANAGER, ~reduce(or_, map(pl.col, DOUBTS))).select("attempt").unique()


def _compared(candidates: pl.DataFrame, timed: pl.DataFrame, past: pl.DataFrame) -> pl.DataFrame:
    """Add what speaks for and against candidates by their place, and by what was logged in good times."""
    return contrast.with_held(_placed(candidates, timed), past)


def _kept(candidates: pl.DataFrame) -> pl.DataFrame:
    """Keep what comparing needs."""
    needed = (*CANDIDATES.names(), *contrast.UNIT, "text", "root", "outcome")
    return candidates.select(pl.col(name) for name in needed if name != "repeated")


def _chosen(candidates: pl.DataFrame) -> pl.DataFrame:
    return candidates.select(pl.col(name).cast(dtype) for name, dtype in CANDIDATES.items())


def _with_ends(attempts: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Join events with how and when their attempt ended; near: whether an event may explain that end."""
    killed = pl.col("result").is_in(systemd.BY_SIGNAL).fill_null(value=False)
    faulted = killed & pl.col("exit_status").is_in(systemd.FAULTS).fill_null(value=False)
    aborted = killed & (pl.col("exit_status") == signal.SIGABRT).fill_null(value=False)
    exited = pl.col("result").is_in(("exit-code", "protocol")).fill_null(value=False)
    ends = attempts.select(
        "attempt",
        *(pl.col(name).fill_null("") for name in contrast.UNIT),
        "ended",
        "uptime_s",
        outcome=pl.col("outcome").cast(pl.String),
        killed=killed,
        faulted=faulted,
        with_words=exited | aborted,
    )
    kind = pl.col("kind").cast(pl.String)
    return (
        events.lazy()
        .select("attempt", "event", "row", "time", "until", "text", "root", "last", "priority", kind=kind, own=kind.is_in(OWN))
        .sort("event")
        .with_columns(pl.col("until").fill_null(pl.col("time")), pl.col("text").fill_null(""))
        .join(ends.lazy(), on="attempt", maintain_order="left")
        .with_columns(
            last_time=pl.col("until").filter("own").max().over("attempt"),
            end=pl.col("ended").fill_null(pl.col("until").max().over("attempt")),
            lines_left=pl.col("own").cast(pl.UInt32).cum_sum(reverse=True).over("attempt"),
        )
        .with_columns(
            near=(pl.col("uptime_s").fill_null(0) < STARTUP)
            | (pl.col("last_time") - pl.col("until") <= NEAR)
            | (pl.col("end") - pl.col("until") <= NEAR),
            since=pl.col("end") - pl.col("until"),
        )
        .collect()
    )


def _known_problems(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    severities = {pattern.id: pattern.severity for pattern in catalogue.patterns}
    matched = timed.join(_without_consequences(timed, hits, catalogue), on="event", maintain_order="left").with_columns(
        severity=pl.col("signature").replace_strict(severities, default=None, return_dtype=pl.String)
    )
    matched = _with_text_features(matched)
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
    # What a pattern matches is no farewell and no hint, whatever its words; it may be the heading of the reason.
    of_unknown = dict.fromkeys(("farewell", "rollback", "hint", "last_line", "by_form"), pl.lit(value=False))
    candidates = matched.with_columns(evidence=evidence, early=~near, **of_unknown).filter(pl.col("evidence").is_not_null())
    return _innermost(candidates, catalogue)


def _without_consequences(timed: pl.DataFrame, hits: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Drop hits that another hit of the same attempt explains."""
    pairs = [(p.id, consequence) for p in catalogue.patterns for consequence in p.explains if consequence != p.id]
    if not pairs or hits.is_empty():
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
    # Lines long before a signal do not explain it, nor lines long before an exit without output.
    reach = pl.when("killed").then(pl.lit(SUDDEN)).otherwise(pl.lit(NEAR))
    near = timed.filter((pl.col("outcome") == "failed") & pl.col("own") & pl.col("near") & (pl.col("since") <= reach))
    candidates = _with_text_features(near.join(hits.select("event").unique(), on="event", how="anti", maintain_order="left"))
    is_traceback = pl.col("kind") == "traceback"
    raised = pl.coalesce("last", "root")
    levelled = (pl.col("priority") <= 3).fill_null(value=False) | (pl.col("levelled") & pl.col("reports_error"))
    # What only has the form of an error does not explain a signal from outside.
    error = levelled | (pl.col("reports_error") & (~pl.col("killed") | pl.col("faulted") | pl.col("with_words")))
    worded = pl.col("with_words") & ~pl.col("ordinary") & pl.col("message").str.contains(_WORD)
    last = (pl.col("lines_left") <= LAST_LINES) & (pl.col("since") <= LAST_LINE_AGE)
    evidence = (
        pl.when(is_traceback & ~line_level.comes_from_stopping(raised.fill_null("")) & raised.is_not_null())
        .then(TRACEBACK)
        .when(is_traceback)
        .then(None)
        .when(error & pl.col("message").str.contains(_WORD))
        .then(ERROR_LINE)
        .when(worded & pl.col("complains"))
        .then(COMPLAINT)
        .when(worded & last)
        .then(LAST_LINE)
    )
    return candidates.with_columns(
        evidence=evidence,
        signature=pl.lit(None, pl.String),
        early=pl.lit(value=False),
        last_line=pl.col("lines_left") == 1,
        by_form=(evidence == ERROR_LINE) & ~levelled,
    ).filter(pl.col("evidence").is_not_null())


def _with_text_features(events: pl.DataFrame) -> pl.DataFrame:
    """Add what the wording of each line claims; a traceback or a message of systemd claims nothing but itself."""
    is_line = pl.col("kind") == "line"
    claims = _CLAIMS_OF(events.filter(is_line).select(pl.col("text").unique(maintain_order=True)).to_series())
    claimed = [pl.col(name) & is_line for name, dtype in claims.schema.items() if dtype == pl.Boolean]
    return (
        events.join(claims, on="text", maintain_order="left", how="left")
        .with_columns(pl.col("message").fill_null(""), *(claim.fill_null(value=False) for claim in claimed))
        .with_columns(informational=pl.col("ordinary"))
    )


def _claims_of(texts: pl.Series) -> pl.DataFrame:
    """Find what the wording of each text claims."""
    short = pl.col("text").str.slice(0, mask.LONGEST)
    message = pl.col("message")
    return (
        texts.to_frame()
        .lazy()
        .with_columns(message=line_wording.message_of(pl.col("text")))
        .select(
            "text",
            "message",
            reports_error=line_level.reports_error(short),
            ordinary=line_level.is_ordinary(short),
            warned=line_level.warns(short),
            complains=line_wording.complains(message),
            retried=line_wording.retries(message),
            farewell=line_wording.is_farewell(message),
            rollback=line_wording.is_rollback(message),
            wrapper=line_wording.is_wrapper(message),
            heading=line_wording.announces(message),
            hint=line_wording.is_hint(message),
            concrete=line_wording.is_concrete(message),
            levelled=line_level.has_level(short),
        )
        .collect()
    )


_CLAIMS_OF = TextMemory(_claims_of)


def _placed(candidates: pl.DataFrame, timed: pl.DataFrame) -> pl.DataFrame:
    """Add what speaks for and against a candidate by its place among the others."""
    recoveries = _recoveries(candidates, timed)
    group = ("attempt", "evidence")
    return (
        candidates.lazy()
        .sort("event")
        .join_asof(
            recoveries.lazy().select("attempt", recovery="event"),
            left_on="event",
            right_on="recovery",
            by="attempt",
            strategy="forward",
            allow_exact_matches=False,
            check_sortedness=False,
        )
        .with_columns(
            survived=pl.col("recovery").is_not_null(),
            common=is_common(pl.col("signature")),
            overcome=pl.col("recovery").is_not_null() & (pl.col("retried") | is_of_dependency(pl.col("signature"))),
        )
        .with_columns(
            begins_burst=(pl.col("time") - pl.col("until").shift(1).over(group) >= SAME_BURST)
            | (pl.col("lines_left").shift(1).over(group).cast(pl.Int64) - pl.col("lines_left").cast(pl.Int64) > BURST_LINES)
            | pl.col("recovery").ne_missing(pl.col("recovery").shift(1).over(group)),
        )
        .with_columns(burst=pl.col("begins_burst").fill_null(value=True).cum_sum().over(group))
        .with_columns(
            last_burst=pl.col("burst") == pl.col("burst").max().over(group),
            first=(pl.col("event") == pl.col("event").min().over([*group, "burst"])) & (pl.col("evidence") != LAST_LINE),
        )
        .collect()
    )


def is_common(signature: pl.Expr) -> pl.Expr:
    """Whether a class is one that programs often survive: a file, a module or another service that they do without."""
    return signature.str.contains(_COMMON).fill_null(value=False)


def is_of_dependency(signature: pl.Expr) -> pl.Expr:
    """Whether a class is that of another service not answering: most programs try again."""
    return signature.str.contains(_DEPENDENCY).fill_null(value=False)


def _recoveries(candidates: pl.DataFrame, timed: pl.DataFrame) -> pl.DataFrame:
    """attempt, event: the lines of recovery after an attempt's first candidate, in the order of events."""
    first = candidates.group_by("attempt").agg(first=pl.col("event").min())
    later = timed.filter(pl.col("own") & (pl.col("kind") == "line")).join(first, on="attempt", maintain_order="left")
    later = later.filter(pl.col("event") > pl.col("first"))
    if later.is_empty():
        return later.select("attempt", "event")
    recovering = _RECOVERING(later.select(pl.col("text").unique(maintain_order=True)).to_series()).filter("recovers").select("text")
    return later.join(recovering, on="text", how="semi", maintain_order="left").select("attempt", "event")


def _recovering(texts: pl.Series) -> pl.DataFrame:
    """Find which texts report that something works again: text, recovers."""
    message = line_wording.message_of(pl.col("text"))
    return texts.to_frame().with_columns(recovers=line_wording.recovers(message) & ~line_wording.complains(message))


_RECOVERING = TextMemory(_recovering)
