"""Restarts with their failure class in, the breakdown table out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from forensics.incidents.material import Material, quoted
from forensics.model import Evidence, FailureClass, Signature

PASSING = ("low", "info")  # severities of what accompanies failures and is none

LOST = Signature(
    "journal.lost", "Restart whose lines are lost", "info", cause="The restart counter jumped: journald has no line of these restarts."
)


def breakdown(falls: pl.DataFrame, runs: pl.DataFrame, material: Material) -> tuple[FailureClass, ...]:
    """One row per class over everything in `falls` and `runs`, most restarts first.

    A class has 0 restarts when it only ended attempts that nothing restarted (shown where that was an outage), or when it was only
    seen beside the class that explains the end.
    """
    scope = pl.lit(0, pl.UInt32).alias("scope")
    return _tables(falls.with_columns(scope), runs.with_columns(scope), material).get(0, ())


def breakdowns(falls: pl.DataFrame, runs: pl.DataFrame, material: Material) -> dict[int, tuple[FailureClass, ...]]:
    """The same for each incident, in one pass over all."""
    scope = pl.col("incident").alias("scope")
    inside = pl.col("incident").is_not_null()
    return _tables(falls.filter(inside).with_columns(scope), runs.filter(inside).with_columns(scope), material)


def _tables(falls: pl.DataFrame, runs: pl.DataFrame, material: Material) -> dict[int, tuple[FailureClass, ...]]:
    by = ["scope", "signature"]
    restarted = pl.col("count").sum().alias("restarts"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    counted = falls.group_by(by).agg(*restarted, pl.col("row").sort_by("at_row").first().alias("revealed"))
    table = counted.join(_died(runs, by), on=by, how="full", coalesce=True, nulls_equal=True)
    table = table.join(_seen_beside(runs, by, material.signatures), on=by, how="full", coalesce=True)
    table = table.with_columns(
        pl.col("restarts", "secondary").fill_null(0),
        pl.coalesce("first", "first_end", "first_beside").alias("first"),
        pl.coalesce("last", "last_end", "last_beside").alias("last"),
        pl.coalesce("proof", "revealed", "beside").alias("proof"),
    )
    table = table.with_columns(pl.col("restarts").sum().over("scope").alias("total")).sort(
        ["scope", "restarts", "signature"], descending=[False, True, False]
    )
    return _rows(table, material)


def _died(runs: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """What the attempts of a class say: first and last end, the line that proves the first, and how long a cycle takes."""
    end = pl.coalesce("ended", "started")
    return (
        _own(runs)
        .group_by(by)
        .agg(
            end.min().alias("first_end"),
            end.max().alias("last_end"),
            pl.coalesce("proof", "last_row").sort_by("run").first().alias("proof"),
            pl.col("cycle_s").median().alias("cycle_s"),
        )
    )


def _seen_beside(runs: pl.DataFrame, by: list[str], signatures: Mapping[str, Signature]) -> pl.DataFrame:
    """Known problems that failed attempts show without ending by them: how many attempts, when, and the first line."""
    end = pl.coalesce("ended", "started")
    also = _own(runs).select("scope", "run", end.alias("end"), "secondary").explode("secondary", empty_as_null=False).unnest("secondary")
    passing = [name for name, known in signatures.items() if known.severity in PASSING]
    return (
        also.filter(~pl.col("signature").is_in(passing))
        .group_by(by)
        .agg(
            pl.len().alias("secondary"),
            pl.col("end").min().alias("first_beside"),
            pl.col("end").max().alias("last_beside"),
            pl.col("row").sort_by("run").first().alias("beside"),
        )
    )


def _own(runs: pl.DataFrame) -> pl.DataFrame:
    return runs.filter(pl.col("fell") & (pl.col("incident").is_not_null() | pl.col("restarted")))


def _rows(table: pl.DataFrame, material: Material) -> dict[int, tuple[FailureClass, ...]]:
    samples = quoted(material.entries, table["proof"].to_list())
    found: dict[int, list[FailureClass]] = {}
    for row, sample in zip(table.iter_rows(named=True), samples, strict=True):
        found.setdefault(row["scope"], []).append(_row(row, sample, material.signatures))
    return {scope: tuple(rows) for scope, rows in found.items()}


def _row(row: dict[str, Any], sample: Evidence, signatures: Mapping[str, Signature]) -> FailureClass:
    known = described(row["signature"], signatures)
    return FailureClass(
        signature=known.id,
        title=known.title,
        restarts=row["restarts"],
        share=row["restarts"] / row["total"] if row["total"] else 0.0,
        first=row["first"],
        last=row["last"],
        restart_helps=known.restart_helps,
        severity=known.severity,
        sample=sample,
        secondary=row["secondary"],
        cause=known.cause,
        remedy=known.remedy,
        cycle_s=row["cycle_s"],
    )


def described(signature: str, signatures: Mapping[str, Signature]) -> Signature:
    known = signatures.get(signature)
    if known is not None:
        return known
    return LOST if signature == LOST.id else Signature(signature, signature, "medium")
