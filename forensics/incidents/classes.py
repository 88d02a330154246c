"""Restarts with their failure class in, the breakdown table out."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from forensics.incidents.material import Material, quoted
from forensics.model import Evidence, FailureClass, Signature

LOST = Signature(
    "journal.lost", "Restart whose lines are lost", "info", cause="The restart counter jumped: journald has no line of these restarts."
)


def breakdown(falls: pl.DataFrame, runs: pl.DataFrame, material: Material) -> tuple[FailureClass, ...]:
    """One row per class, most restarts first. falls and runs are one scope's: the whole window's or one incident's.

    A class that only ended attempts which nothing restarted (an outage) has 0 restarts and is shown where `runs` has it.
    """
    counted = falls.group_by("signature").agg(
        pl.col("count").sum().alias("restarts"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last")
    )
    own = runs.filter(pl.col("fell") & (pl.col("incident").is_not_null() | pl.col("restarted")))
    died = own.group_by("signature").agg(
        pl.coalesce("ended", "started").min().alias("first_end"),
        pl.coalesce("ended", "started").max().alias("last_end"),
        pl.coalesce("proof", "last_row").first().alias("proof"),
        pl.col("cycle_s").median().alias("cycle_s"),
    )
    also = (
        own.select(pl.col("secondary").explode(empty_as_null=False).alias("signature"))
        .group_by("signature")
        .agg(pl.len().alias("secondary"))
    )
    table = counted.join(died, on="signature", how="full", coalesce=True).join(also, on="signature", how="left")
    table = table.with_columns(
        pl.col("restarts", "secondary").fill_null(0),
        pl.coalesce("first", "first_end").alias("first"),
        pl.coalesce("last", "last_end").alias("last"),
    )
    lost = falls.filter(pl.col("signature") == "journal.lost")
    rows = table.sort(["restarts", "signature"], descending=[True, False])
    return _rows(rows, int(counted["restarts"].sum()), None if lost.height == 0 else int(lost["row"][0]), material)


def _rows(rows: pl.DataFrame, total: int, lost_row: int | None, material: Material) -> tuple[FailureClass, ...]:
    proofs = [lost_row if proof is None else proof for proof in rows["proof"]]
    known = iter(quoted(material.entries, [p for p in proofs if p is not None]))
    samples = [None if p is None else next(known) for p in proofs]
    return tuple(_row(row, sample, total, material.signatures) for row, sample in zip(rows.iter_rows(named=True), samples, strict=True))


def _row(row: dict[str, object], sample: Evidence | None, total: int, signatures: Mapping[str, Signature]) -> FailureClass:
    known = described(str(row["signature"]), signatures)
    restarts = int(row["restarts"])  # type: ignore[call-overload]
    return FailureClass(
        signature=known.id,
        title=known.title,
        restarts=restarts,
        share=restarts / total if total else 0.0,
        first=row["first"],  # type: ignore[arg-type]
        last=row["last"],  # type: ignore[arg-type]
        restart_helps=known.restart_helps,
        severity=known.severity,
        sample=sample,
        secondary=int(row["secondary"]),  # type: ignore[call-overload]
        cause=known.cause,
        remedy=known.remedy,
        cycle_s=row["cycle_s"],  # type: ignore[arg-type]
    )


def described(signature: str, signatures: Mapping[str, Signature]) -> Signature:
    known = signatures.get(signature)
    if known is not None:
        return known
    return LOST if signature == LOST.id else Signature(signature, signature, "medium")
