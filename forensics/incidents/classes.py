"""Break restarts down by failure class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from forensics.incidents.inputs import Inputs, quoted
from forensics.model.values import LOST, Evidence, FailureClass, Signature

INFORMATIONAL = ("low", "info")  # severities of what accompanies failures and is none


@dataclass(frozen=True, slots=True)
class Breakdown:
    """classes: what attempts ended by, most restarts first; one that only ended attempts which nothing restarted has 0 of them.

    co_occurring: known problems that only accompanied those, by the number of attempts.
    """

    classes: tuple[FailureClass, ...] = ()
    co_occurring: tuple[FailureClass, ...] = ()


def breakdown(restarts: pl.DataFrame, attempts: pl.DataFrame, inputs: Inputs) -> Breakdown:
    """Over everything in `restarts` and `attempts`. What only ended attempts that nothing restarted is shown where that was an outage."""
    scope = pl.lit(0, pl.UInt32).alias("scope")
    return _tables(restarts.with_columns(scope), attempts.with_columns(scope), inputs).get(0, Breakdown())


def breakdowns(restarts: pl.DataFrame, attempts: pl.DataFrame, inputs: Inputs) -> dict[int, Breakdown]:
    """The same for each incident, in one pass over all."""
    scope = pl.col("incident").alias("scope")
    inside = pl.col("incident").is_not_null()
    return _tables(restarts.filter(inside).with_columns(scope), attempts.filter(inside).with_columns(scope), inputs)


def _tables(restarts: pl.DataFrame, attempts: pl.DataFrame, inputs: Inputs) -> dict[int, Breakdown]:
    by = ["scope", "signature"]
    restarted = pl.col("count").sum().alias("restarts"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    counted = restarts.group_by(by).agg(*restarted, pl.col("row").sort_by("at_row").first().alias("revealed"))
    table = counted.join(_died(attempts, by), on=by, how="full", coalesce=True, nulls_equal=True)
    table = table.with_columns(pl.lit(True).alias("ends")).join(
        _also_seen(attempts, by, inputs.signatures), on=by, how="full", coalesce=True
    )
    table = table.with_columns(
        pl.col("restarts", "secondary").fill_null(0),
        pl.coalesce("first", "first_end", "first_co_occurring").alias("first"),
        pl.coalesce("last", "last_end", "last_co_occurring").alias("last"),
        pl.coalesce("proof", "revealed", "co_occurring").alias("proof"),
    )
    table = table.with_columns(pl.col("restarts").sum().over("scope").alias("total")).sort(
        ["scope", "restarts", "secondary", "signature"], descending=[False, True, True, False]
    )
    return _rows(table, inputs)


def _died(attempts: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """What the attempts of a class say: first and last end, the line that proves the first, and how long a cycle takes."""
    end = pl.coalesce("ended", "started")
    return (
        _own(attempts)
        .group_by(by)
        .agg(
            end.min().alias("first_end"),
            end.max().alias("last_end"),
            pl.coalesce("proof", "last_row").sort_by("number").first().alias("proof"),
            pl.col("cycle_s").median().alias("cycle_s"),
        )
    )


def _also_seen(attempts: pl.DataFrame, by: list[str], signatures: Mapping[str, Signature]) -> pl.DataFrame:
    """Known problems that failed attempts show without ending by them: how many attempts, when, and the first line."""
    end = pl.coalesce("ended", "started")
    also = (
        _own(attempts)
        .select("scope", "number", end.alias("end"), "secondary")
        .explode("secondary", empty_as_null=False)
        .unnest("secondary")
    )
    informational = [name for name, known in signatures.items() if known.severity in INFORMATIONAL]
    return (
        also.filter(~pl.col("signature").is_in(informational))
        .group_by(by)
        .agg(
            pl.len().alias("secondary"),
            pl.col("end").min().alias("first_co_occurring"),
            pl.col("end").max().alias("last_co_occurring"),
            pl.col("row").sort_by("number").first().alias("co_occurring"),
        )
    )


def _own(attempts: pl.DataFrame) -> pl.DataFrame:
    return attempts.filter(pl.col("failed") & (pl.col("incident").is_not_null() | pl.col("restarted")))


def _rows(table: pl.DataFrame, inputs: Inputs) -> dict[int, Breakdown]:
    samples = quoted(inputs.entries, table["proof"].to_list())
    found: dict[int, tuple[list[FailureClass], list[FailureClass]]] = {}
    for row, sample in zip(table.iter_rows(named=True), samples, strict=True):
        found.setdefault(row["scope"], ([], []))[not row["ends"]].append(_row(row, sample, inputs.signatures))
    return {scope: Breakdown(tuple(classes), tuple(others)) for scope, (classes, others) in found.items()}


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
