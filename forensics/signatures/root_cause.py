"""Choose the one event that explains each attempt's end: the candidate with the most points.

A candidate has the points of its evidence (EVIDENCE) and those of what speaks for or against it (WEIGHTS). The points are few and
round; `python -m benchmarks.ranking` fits them anew to recorded failures and shows by cross-validation that a fit is no better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from forensics.model import systemd
from forensics.signatures.candidates import (
    COMPLAINT,
    ERROR_LINE,
    FEATURES,
    KNOWN,
    LAST_LINE,
    MANAGER,
    TRACEBACK,
    WEAK,
)

# The points of each kind of evidence, and its name.
EVIDENCE = {
    KNOWN: (60, "catalogue pattern in the service's own output"),
    MANAGER: (50, "catalogue pattern in a message of systemd or the kernel"),
    TRACEBACK: (40, "exception of a traceback"),
    ERROR_LINE: (30, "error line"),
    COMPLAINT: (20, "line that mentions a problem"),
    WEAK: (15, "catalogue pattern of a lesser problem"),
    LAST_LINE: (10, "one of the last lines"),
}
# The points of each of FEATURES, why, and its words.
WEIGHTS = {
    "survived": (-25, "followed by a recovery"),
    "overcome": (-45, "overcome by another try"),  # it did not end the service, even if it is well known
    "retried": (-15, "another try is announced"),
    "informational": (-35, "logged as information"),  # the service dealt with it
    "warned": (-12, "logged as a warning"),
    "early": (-35, "long before the end"),
    "farewell": (-25, "announces the end"),
    "rollback": (-15, "undoes what was begun"),
    "wrapper": (-25, "reports that something within it failed"),
    "common": (-6, "programs often survive it"),
    "heading": (-15, "announces the lines that follow"),
    "hint": (-20, "gives advice"),
    "concrete": (8, "gives a reason or a place"),
    "by_form": (-6, "without a level"),
    "last_burst": (4, "in the last burst of problems"),
    "first": (4, "the first of its burst"),  # what follows is its consequence
    "last_line": (2, "the last line"),
    "held": (-30, "logged in good times too"),
    "repeated": (2, "the failure before logged it too"),
}
LEAST = 1  # points; with fewer an event explains nothing

FAULT = 30  # points of a fault of the program itself, beside the problems of other attempts
EXIT_RESULT = "exit result"  # the reason where no event explains the end

RANKED = ("attempt", "event", "row", "signature", "evidence", "points", *FEATURES)


def ranked(candidates: pl.DataFrame) -> pl.DataFrame:
    """Rank CANDIDATES, the best first of each attempt: columns RANKED. signature: null if unknown."""
    return (
        candidates.with_columns(points=_POINTS)
        .filter(pl.col("points") >= LEAST)
        .sort("attempt", "points", "event", "signature", descending=[False, True, False, False])
        .select(RANKED)
    )


_POINTS = pl.sum_horizontal(
    pl.col("evidence").replace_strict({kind: value for kind, (value, _) in EVIDENCE.items()}, return_dtype=pl.Int32),
    *(pl.col(name).cast(pl.Int32) * weight for name, (weight, _) in WEIGHTS.items()),
)


def best(ranking: pl.DataFrame) -> pl.DataFrame:
    """Keep the best candidate of each attempt."""
    return ranking.unique("attempt", keep="first", maintain_order=True)


def name_of(evidence: pl.Expr) -> pl.Expr:
    """Name the kind of evidence; an exit result where there is none."""
    return evidence.replace_strict({kind: name for kind, (_, name) in EVIDENCE.items()}, default=EXIT_RESULT, return_dtype=pl.String)


def strength(points: pl.Expr, result: pl.Expr, exit_status: pl.Expr) -> pl.Expr:
    """How strongly an attempt's label explains a text of several: its points in tens, or those of its exit result.

    An attempt that was not made because another unit failed explains nothing beside that.
    """
    fault = result.is_in(systemd.BY_SIGNAL) & exit_status.is_in(systemd.FAULTS)
    of_result = pl.when(fault.fill_null(value=False)).then(FAULT // 10).otherwise(0)
    return pl.when((result == "dependency").fill_null(value=False)).then(0).otherwise(pl.coalesce(points // 10, of_result))


def reasons(candidate: Mapping[str, Any]) -> list[str]:
    """Word what speaks for and against a row of RANKED, the weightiest first."""
    holding = [(weight, words) for name, (weight, words) in WEIGHTS.items() if candidate[name]]
    return [words for _, words in sorted(holding, key=lambda pair: -abs(pair[0]))]
