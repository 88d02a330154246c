"""Restarts with their failure class in, the breakdown table out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from forensics.incidents.inputs import Material, quoted
from forensics.model.values import LOST, Evidence, FailureClass, Signature

PASSING = ("low", "info")  # severities of what accompanies failures and is none


@dataclass(frozen=True, slots=True)
class Breakdown:
    """classes: what attempts ended by, most restarts first; one that only ended attempts which nothing restarted has 0 of them.

    beside: known problems that were only ever seen beside those, by the number of attempts.
    """

    classes: tuple[FailureClass, ...] = ()
    beside: tuple[FailureClass, ...] = ()


def breakdown(falls: pl.DataFrame, runs: pl.DataFrame, material: Material) -> Breakdown:
    """Over everything in `falls` and `runs`. What only ended attempts that nothing restarted is shown where that was an outage."""
    scope = pl.lit(0, pl.UInt32).alias("scope")
    return _tables(falls.with_columns(scope), runs.with_columns(scope), material).get(0, Breakdown())


def breakdowns(falls: pl.DataFrame, runs: pl.DataFrame, material: Material) -> dict[int, Breakdown]:
    """The same for each incident, in one pass over all."""
    scope = pl.col("incident").alias("scope")
    inside = pl.col("incident").is_not_null()
    return _tables(falls.filter(inside).with_columns(scope), runs.filter(inside).with_columns(scope), material)


def _tables(falls: pl.DataFrame, runs: pl.DataFrame, material: Material) -> dict[int, Breakdown]:
    by = ["scope", "signature"]
    restarted = pl.col("count").sum().alias("restarts"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    counted = falls.group_by(by).agg(*restarted, pl.col("row").sort_by("at_row").first().alias("revealed"))
    table = counted.join(_died(runs, by), on=by, how="full", coalesce=True, nulls_equal=True)
    table = table.with_columns(pl.lit(True).alias("ends")).join(
        _seen_beside(runs, by, material.signatures), on=by, how="full", coalesce=True
    )
    table = table.with_columns(
        pl.col("restarts", "secondary").fill_null(0),
        pl.coalesce("first", "first_end", "first_beside").alias("first"),
        pl.coalesce("last", "last_end", "last_beside").alias("last"),
        pl.coalesce("proof", "revealed", "beside").alias("proof"),
    )
    table = table.with_columns(pl.col("restarts").sum().over("scope").alias("total")).sort(
        ["scope", "restarts", "secondary", "signature"], descending=[False, True, True, False]
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


def _rows(table: pl.DataFrame, material: Material) -> dict[int, Breakdown]:
    samples = quoted(material.entries, table["proof"].to_list())
    found: dict[int, tuple[list[FailureClass], list[FailureClass]]] = {}
    for row, sample in zip(table.iter_rows(named=True), samples, strict=True):
        found.setdefault(row["scope"], ([], []))[not row["ends"]].append(_row(row, sample, material.signatures))
    return {scope: Breakdown(tuple(classes), tuple(beside)) for scope, (classes, beside) in found.items()}


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
