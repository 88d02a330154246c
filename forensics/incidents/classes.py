"""Break restarts down by failure class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from forensics.incidents.inputs import Inputs, quoted
from forensics.incidents.usual import usual_captures
from forensics.model.values import LOST, Evidence, FailureClass, RestartHelped, Signature
from forensics.sanitize import filled

LOST_LINES = 3  # the vagueness of what has no line: it comes last, however often it happened
INFORMATIONAL = ("low", "info")  # severities of signatures that accompany failures but are none


@dataclass(frozen=True, slots=True)
class Breakdown:
    """classes: what attempts ended by, most restarts first, lost ones last; one that only ended attempts which nothing restarted has 0.

    co_occurring: known problems that only accompanied those, by the number of attempts.
    """

    classes: tuple[FailureClass, ...] = ()
    co_occurring: tuple[FailureClass, ...] = ()


def breakdown(restarts: pl.DataFrame, attempts: pl.DataFrame, inputs: Inputs) -> Breakdown:
    """Break down all `restarts` and `attempts`. A class that only ended attempts which nothing restarted is included in outages."""
    scope = pl.lit(0, pl.UInt32).alias("scope")
    return _tables(restarts.with_columns(scope), attempts.with_columns(scope), inputs).get(0, Breakdown())


def breakdowns(restarts: pl.DataFrame, attempts: pl.DataFrame, inputs: Inputs) -> dict[int, Breakdown]:
    """Break down each incident, in one pass over all."""
    scope = pl.col("incident").alias("scope")
    inside = pl.col("incident").is_not_null()
    return _tables(restarts.filter(inside).with_columns(scope), attempts.filter(inside).with_columns(scope), inputs)


def _tables(restarts: pl.DataFrame, attempts: pl.DataFrame, inputs: Inputs) -> dict[int, Breakdown]:
    by = ["scope", "signature"]
    restarted = pl.col("count").sum().alias("restarts"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    lost = pl.col("count").filter("lost").sum().alias("lost_failures")
    counted = restarts.group_by(by).agg(*restarted, lost, pl.col("row").sort_by("at_row").first().alias("revealed"))
    table = counted.join(_deaths(attempts, by), on=by, how="full", coalesce=True, nulls_equal=True)
    table = table.with_columns(pl.lit(True).alias("ends")).join(
        _co_occurring(attempts, by, inputs.signatures), on=by, how="full", coalesce=True
    )
    table = table.with_columns(
        pl.col("restarts", "secondary").fill_null(0),
        (pl.col("failures").fill_null(0) + pl.col("lost_failures").fill_null(0)).alias("failures"),
        pl.coalesce("first", "first_end", "first_co_occurring").alias("first"),
        pl.coalesce("last", "last_end", "last_co_occurring").alias("last"),
        pl.coalesce("proof", "revealed", "co_occurring").alias("proof"),
    )
    named = {name: vagueness(name) for name in table["signature"].drop_nulls().unique()}
    vague = pl.col("signature").replace_strict(named, default=None, return_dtype=pl.Int32)
    counts = pl.when(pl.col("restarts").sum().over("scope") > 0).then("restarts").otherwise("failures")
    table = table.with_columns((counts / counts.sum().over("scope")).fill_nan(0.0).alias("share")).sort(
        ["scope", vague == LOST_LINES, "restarts", "failures", "secondary", vague, "signature"],
        descending=[False, False, True, True, True, False, False],
    )
    return _rows(table, attempts, inputs)


def vagueness(class_: str) -> int:
    """How little a class tells about a cause: least a known problem, more an unknown line, then an exit, most lost lines."""
    return LOST_LINES if class_ == LOST.id else 2 if class_.startswith("exit:") else int(class_.startswith("mined:"))


def _deaths(attempts: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    """Summarise the attempts of each class: first and last end, the line that proves the first, median cycle, what restarts did."""
    end = pl.coalesce("ended", "started")
    return (
        _own(attempts)
        .group_by(by)
        .agg(
            pl.len().alias("failures"),
            end.min().alias("first_end"),
            end.max().alias("last_end"),
            pl.coalesce("proof", "last_row").sort_by("number").first().alias("proof"),
            pl.col("cycle_s").median().alias("cycle_s"),
            pl.col("restart_helped").count().cast(pl.Int64).alias("helped_of"),
            pl.col("restart_helped").sum().cast(pl.Int64).alias("helped"),
        )
    )


def _co_occurring(attempts: pl.DataFrame, by: list[str], signatures: Mapping[str, Signature]) -> pl.DataFrame:
    """Summarise known problems in failed attempts that ended by others: how many attempts, when, and the first line."""
    end = pl.coalesce("ended", "started")
    also = (
        _own(attempts)
        .select("scope", "number", end.alias("end"), "secondary")
        .explode("secondary", empty_as_null=False)
        .unnest("secondary")
    )
    informational = [name for name, signature in signatures.items() if signature.severity in INFORMATIONAL]
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
    return attempts.filter("failed")


def _rows(table: pl.DataFrame, attempts: pl.DataFrame, inputs: Inputs) -> dict[int, Breakdown]:
    samples = quoted(inputs.entries, table["proof"].to_list())
    tables: dict[int, tuple[list[FailureClass], list[FailureClass]]] = {}
    captures, usual = _captures(table, inputs), usual_captures(attempts, inputs)
    for row, sample in zip(table.iter_rows(named=True), samples, strict=True):
        most = usual.get((row["scope"], row["signature"])) if row["ends"] else None
        caught = captures.get((row["proof"], row["signature"]), ()) if most is None else (most.values, most.text)
        made = _row(row, sample, filled(described(row["signature"], inputs.signatures), *caught))
        tables.setdefault(row["scope"], ([], []))[not row["ends"]].append(made if most is None else replace(made, values_in=most.counts))
    return {scope: Breakdown(tuple(classes), tuple(others)) for scope, (classes, others) in tables.items()}


def _captures(table: pl.DataFrame, inputs: Inputs) -> dict[tuple[int, str], tuple[dict[str, str], str]]:
    """Find what the patterns captured in the events of the quoted rows, and the texts of these, by row and signature."""
    if inputs.captured is None:
        return {}
    rows = table.select(pl.col("proof").cast(pl.Int64).alias("row"), "signature").unique()
    shown = pl.concat(frame.select(pl.col("row").cast(pl.Int64), "event") for frame in (inputs.labels, inputs.events)).drop_nulls().unique()
    found = (
        rows.join(shown, on="row")
        .join(inputs.captured.filter(pl.col("captures").list.len() > 0), on=["event", "signature"])
        .join(inputs.events.select("event", "text"), on="event")
    )
    return {
        (row, signature): ({capture["name"]: capture["value"] for capture in captures}, text or "")
        for row, signature, captures, text in found.select("row", "signature", "captures", "text").iter_rows()
    }


def _row(row: dict[str, Any], sample: Evidence, signature: Signature) -> FailureClass:
    return FailureClass(
        signature=signature.id,
        title=signature.title,
        restarts=row["restarts"],
        share=row["share"],
        first=row["first"],
        last=row["last"],
        restart_helps=signature.restart_helps,
        restart_helps_when=signature.restart_helps_when,
        severity=signature.severity,
        sample=sample,
        secondary=row["secondary"],
        cause=signature.cause,
        remedy=signature.remedy,
        cycle_s=row["cycle_s"],
        failures=row["failures"],
        restart_helped=RestartHelped(row["helped_of"], row["helped"]) if row["helped_of"] else None,
    )


def described(id_: str, signatures: Mapping[str, Signature]) -> Signature:
    """Look up a signature by its id; lost restarts and unlabelled ends have one as well."""
    if id_ in signatures:
        return signatures[id_]
    return LOST if id_ == LOST.id else Signature(id_, id_, "medium")
