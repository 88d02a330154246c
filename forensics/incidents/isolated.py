"""List the failures that are in no incident, by unit and class."""

from __future__ import annotations

import polars as pl

from forensics.incidents.classes import described
from forensics.incidents.inputs import Inputs, quoted
from forensics.model.values import IsolatedFailures

BY = ["machine", "manager", "unit", "signature"]


def isolated_failures(attempts: pl.DataFrame, restarts: pl.DataFrame, inputs: Inputs) -> tuple[IsolatedFailures, ...]:
    """List them, most failures first; a restart of which only the counter is known counts as one. attempts, restarts: of a Timeline."""
    outside = pl.col("incident").is_null()
    end = pl.coalesce("ended", "started")
    failed = attempts.filter(outside & pl.col("failed")).select(
        *BY,
        "host",
        time=end,
        failures=pl.lit(1, pl.Int64),
        restarts=pl.col("restarted").cast(pl.Int64),
        proof=pl.coalesce("proof", "last_row"),
    )
    lost = restarts.filter(outside & pl.col("lost")).select(
        *BY, "host", time="time", failures="count", restarts="count", proof=pl.col("row")
    )
    table = (
        pl.concat([failed, lost], how="vertical_relaxed")
        .sort("time", maintain_order=True)
        .group_by(BY, maintain_order=True)
        .agg(
            pl.col("host").last(),
            pl.col("failures", "restarts").sum(),
            pl.col("time").first().alias("first"),
            pl.col("time").last().alias("last"),
            pl.col("proof").last(),
        )
        .sort(["failures", "last", *BY], descending=[True, True, *[False] * len(BY)], nulls_last=True)
    )
    samples = quoted(inputs.entries, table["proof"].to_list())
    return tuple(
        IsolatedFailures(
            machine=row["machine"] or "",
            host=row["host"] or "",
            unit=row["unit"],
            manager=row["manager"],
            signature=row["signature"],
            title=described(row["signature"], inputs.signatures).title,
            failures=row["failures"],
            restarts=row["restarts"],
            first=row["first"],
            last=row["last"],
            sample=sample,
        )
        for row, sample in zip(table.iter_rows(named=True), samples, strict=True)
    )
