"""Events of services that go on in, those that tell of a problem all the same out: a service may lose a task, a configuration or a
deployment and live.
"""

from __future__ import annotations

import polars as pl

from forensics.model.frames import EVENTS
from forensics.signatures import line_level, naming
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.mask import LONGEST
from forensics.signatures.match import CAPTURES, find_hits

# Why, best first: what stops services, what only harms them, and an error that nobody knows.
FATAL_ELSEWHERE, FATAL_OWN, HARMFUL, UNKNOWN = range(4)
WHY = {
    FATAL_ELSEWHERE: "catalogue pattern, in the words of systemd or the kernel",
    FATAL_OWN: "catalogue pattern, in the words of a service that goes on",
    HARMFUL: "catalogue pattern, of a problem that ends no service",
    UNKNOWN: "last exception of the last traceback, of a service that goes on",
}
PROBLEMS = pl.Schema(
    {
        "rule": pl.Int32(),
        "row": EVENTS["row"],
        "event": EVENTS["event"],
        "attempt": EVENTS["attempt"],
        "signature": pl.String(),
        "title": pl.String(),  # of an unknown one; empty otherwise
        "captures": CAPTURES,
    }
)
_OWN = ("line", "traceback")


def problems(events: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """PROBLEMS of the events, in no order. events: EVENTS, of which the lines of an attempt follow each other."""
    return pl.concat([_known(events, catalogue), _unknown(events)])


def _known(said: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    severities = {pattern.id: pattern.severity for pattern in catalogue.patterns}
    fatal = pl.col("signature").is_in([pattern.id for pattern in catalogue.patterns if pattern.is_fatal])
    kind = pl.col("kind").cast(pl.String)
    severe = pl.col("signature").replace_strict(severities, default=None, return_dtype=pl.String) != "info"
    rule = (
        pl.when(fatal & ~kind.is_in(_OWN))
        .then(FATAL_ELSEWHERE)
        .when(fatal & (line_level.reports_error(pl.col("text").str.slice(0, LONGEST)) | (kind == "traceback")))
        .then(FATAL_OWN)
        .when(~fatal & severe)
        .then(HARMFUL)
    )
    found = said.join(find_hits(said, catalogue).frame, on="event", maintain_order="left").with_columns(rule=rule, title=pl.lit(""))
    return _problems(found.filter(pl.col("rule").is_not_null()))


def _unknown(said: pl.DataFrame) -> pl.DataFrame:
    """Tracebacks that nobody asked for: after a warning somebody expected it."""
    before = pl.col("text").str.slice(0, LONGEST).shift(1).over("attempt")
    raised = said.filter(
        (pl.col("kind").cast(pl.String) == "traceback")
        & ~line_level.comes_from_stopping(pl.coalesce("last", "root", pl.lit("")))
        & ~line_level.warns(before).fill_null(value=False)
    )
    return _problems(raised.join(naming.mined(raised), on="event").with_columns(rule=pl.lit(UNKNOWN), captures=pl.lit([], CAPTURES)))


def _problems(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(kind) for name, kind in PROBLEMS.items())
