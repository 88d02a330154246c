"""Find the values that a pattern captured most often in the failures of a class: these are in its remedy."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from forensics.incidents.inputs import Inputs
from forensics.sanitize.placeholders import groups


@dataclass(frozen=True, slots=True)
class Usual:
    """values: by the name of their group; text: of the first event with them; counts: failures with them, and with any."""

    values: dict[str, str]
    text: str
    counts: tuple[int, int]


def usual_captures(attempts: pl.DataFrame, inputs: Inputs) -> dict[tuple[int, str], Usual]:
    """Return the most frequent values by scope and class, where its texts show any. attempts: with scope, attempt, signature, failed."""
    shown = [(signature.id, name) for signature in inputs.signatures.values() for name in dict.fromkeys(groups(signature))]
    if inputs.captured is None or not shown:
        return {}
    wanted = pl.DataFrame(shown, schema={"signature": pl.String, "name": pl.String}, orient="row")
    caught = inputs.captured.filter((pl.col("captures").list.len() > 0) & pl.col("signature").is_in(wanted["signature"].unique().implode()))
    caught = caught.select("event", "signature", "captures").explode("captures").unnest("captures").join(wanted, on=["signature", "name"])
    deciding = inputs.labels.select("attempt", "event").drop_nulls()
    own = attempts.filter("failed").select("scope", "attempt", "signature").join(deciding, on="attempt")
    sets = (
        own.join(caught, on=["event", "signature"])
        .sort("attempt", "name")
        .group_by("scope", "signature", "attempt", "event", maintain_order=True)
        .agg("name", "value")
    )
    counted = (
        sets.group_by("scope", "signature", pl.col("value").list.join("\0").alias("key"), maintain_order=True)
        .agg(pl.len().alias("failures"), pl.col("event", "name", "value").first())
        .with_columns(pl.col("failures").sum().over("scope", "signature").alias("all"))
        .sort("failures", descending=True, maintain_order=True)
        .unique(["scope", "signature"], keep="first", maintain_order=True)
        .join(inputs.events.select("event", "text"), on="event")
    )
    columns = counted.select("scope", "signature", "name", "value", "text", "failures", "all")
    return {
        (scope, signature): Usual(dict(zip(names, values, strict=True)), text or "", (failures, whole))
        for scope, signature, names, values, text, failures, whole in columns.iter_rows()
    }
