"""Find problems in the events of services that keep running: a lost task, configuration or deployment stops no service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from forensics.model.frames import EVENTS
from forensics.model.signature import Signature
from forensics.sanitize import filled
from forensics.signatures import claims, line_level, naming
from forensics.signatures.candidates import OWN, is_common, is_of_dependency, severities
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.mask import LONGEST
from forensics.signatures.match import CAPTURES, find_hits
from forensics.signatures.pattern import FATAL

# Why, most telling first: what stops services elsewhere, what only harms them, and an unknown error.
FATAL_ELSEWHERE, FATAL_OWN, HARMFUL, UNKNOWN = range(4)
WHY = {
    FATAL_ELSEWHERE: "catalogue pattern in a message of systemd or the kernel",
    FATAL_OWN: "catalogue pattern in the output of a service that keeps running",
    HARMFUL: "catalogue pattern of a problem that stops no service",
    UNKNOWN: "last exception of the last traceback of a service that keeps running",
}
PROBLEMS = pl.Schema(
    {
        "rule": pl.Int32(),
        "row": EVENTS["row"],
        "event": EVENTS["event"],
        "attempt": EVENTS["attempt"],
        "signature": pl.String(),
        "title": pl.String(),  # of an unknown problem; empty otherwise, as is site
        "site": pl.String(),  # where in the program it was raised
        "captures": CAPTURES,
    }
)


def problems(events: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Find the PROBLEMS of events, in no order. events: EVENTS in which an attempt's lines follow each other."""
    return pl.concat([_known(events, catalogue), _unknown(events)])


def signature_of(problem: Mapping[str, Any], catalogue: Catalogue) -> Signature:
    """Describe the signature of a row of PROBLEMS, with what its pattern captured; `text` of its event where the row has it."""
    pattern = catalogue.pattern(problem["signature"])
    if pattern is None:
        return naming.mined_signature(problem["signature"], problem["title"])
    return filled(pattern.signature, {pair["name"]: pair["value"] for pair in problem["captures"]}, problem.get("text") or "")


def _known(events: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    found = find_hits(events, catalogue)
    found = found.with_columns(severity=severities(catalogue.patterns).gather(found["pattern"]))
    kind, severity = pl.col("kind").cast(pl.String), pl.col("severity")
    fatal = severity.is_in(FATAL)
    # Of a service that goes on, only what its logger calls a problem is one, and no exception that it expected.
    short = pl.col("text").str.slice(0, LONGEST)
    levelled = line_level.has_level(short)
    raised = (kind == "traceback") & ~pl.col("expected")
    unimportant = line_level.is_ordinary(short) | (line_level.warns(short) & is_common(pl.col("signature")))
    rule = (
        pl.when(fatal & ~kind.is_in(OWN))
        .then(FATAL_ELSEWHERE)
        .when(fatal & ((levelled & line_level.reports_error(short) & ~is_common(pl.col("signature"))) | raised))
        .then(FATAL_OWN)
        .when((severity == "low") | ((severity == "medium") & (levelled & ~unimportant | raised | ~kind.is_in(OWN))))
        .then(HARMFUL)
    )
    hits = _expecting(events).join(found, on="event", maintain_order="left")
    matched = hits.with_columns(rule=rule, title=pl.lit(""), site=pl.lit("")).filter(pl.col("rule").is_not_null())
    overcome = is_of_dependency(pl.col("signature")) & (pl.col("event") < pl.col("recovery")).fill_null(value=False)
    return _problems(matched.join(_last_recoveries(matched, events), on="attempt", how="left", maintain_order="left").filter(~overcome))


def _last_recoveries(matched: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """attempt, recovery: the last line of each attempt that reports a recovery, where another service may have been overcome."""
    about = matched.filter(is_of_dependency(pl.col("signature"))).select("attempt").unique()
    lines = events.join(about, on="attempt", how="semi").filter(pl.col("kind").cast(pl.String) == "line")
    recoveries = lines.filter(claims.recovering(lines["text"].fill_null("")))
    return recoveries.group_by("attempt").agg(recovery=pl.col("event").max())


def _unknown(events: pl.DataFrame) -> pl.DataFrame:
    """Find tracebacks of no pattern."""
    raised = _expecting(events).filter(
        (pl.col("kind").cast(pl.String) == "traceback")
        & ~line_level.comes_from_stopping(pl.coalesce("last", "root", pl.lit("")))
        & ~pl.col("expected")
    )
    return _problems(raised.join(naming.mined(raised), on="event").with_columns(rule=pl.lit(UNKNOWN), captures=pl.lit([], CAPTURES)))


def _expecting(events: pl.DataFrame) -> pl.DataFrame:
    """Add `expected`: whether a warning comes before an event, as where a service catches an exception."""
    before = pl.col("text").str.slice(0, LONGEST).shift(1).over("attempt")
    return events.with_columns(expected=line_level.warns(before).fill_null(value=False))


def _problems(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(kind) for name, kind in PROBLEMS.items())
