"""Label every ended attempt with its failure class, and with the event and the rule behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from forensics.model.frames import ATTEMPTS, EVENTS, LABELS, checked, exit_id
from forensics.model.signature import LOST, Signature
from forensics.sanitize import filled
from forensics.sanitize.placeholders import groups
from forensics.signatures import naming, root_cause, variants
from forensics.signatures.candidates import find_candidates
from forensics.signatures.contrast import NO_PAST
from forensics.signatures.match import CAPTURES, find_hits
from forensics.signatures.pattern import Catalogue

NAMED = pl.Schema({"event": pl.UInt32(), "signature": pl.String(), "why": pl.String(), "captures": CAPTURES})


@dataclass(frozen=True, slots=True)
class Labelled:
    """labels: LABELS, one row per attempt that is not running. events: NAMED, every event that a pattern matches or that explains an end.

    ranked: all events that may explain an end, the best first of each attempt (root_cause.RANKED). logged: what later attempts are compared
    with (contrast.PAST). signatures: the description of each id in use.
    """

    labels: pl.DataFrame
    events: pl.DataFrame
    ranked: pl.DataFrame
    logged: pl.DataFrame
    signatures: Mapping[str, Signature]


def label(events: pl.DataFrame, attempts: pl.DataFrame, catalogue: Catalogue, past: pl.DataFrame = NO_PAST) -> Labelled:
    """Label every ended attempt; one that no event explains is labelled by its exit result. past: what earlier attempts logged (PAST)."""
    events = checked(events, EVENTS, "events")
    ended = _as_failures(checked(attempts, ATTEMPTS, "attempts").filter(pl.col("outcome") != "running"))
    hits = find_hits(events, catalogue)
    candidates = find_candidates(ended, events, hits, catalogue, past)
    ranked = root_cause.ranked(candidates.found)
    choice = root_cause.best(ranked)
    unknown = events.join(choice.filter(pl.col("signature").is_null()).select("event"), on="event", how="semi")
    mined = variants.merged(naming.mined(unknown))
    choice = choice.join(mined.rename({"signature": "mined"}), on="event", how="left", maintain_order="left").with_columns(
        pl.coalesce("signature", "mined")
    )
    labels = _labels(ended, choice, _secondary(events, hits, choice))
    return Labelled(labels, _named_events(hits, choice), ranked, candidates.logged, _signatures(labels, hits, mined, catalogue))


def filled_for(signature: Signature, attempt: int, labelled: Labelled, events: pl.DataFrame) -> Signature:
    """Return the signature of an attempt's end with what its pattern captured there. events: EVENTS that the labels are about."""
    if not any(groups(signature)):
        return signature
    deciding = labelled.labels.filter(pl.col("attempt") == attempt).select("event").drop_nulls()
    named = labelled.events.filter(pl.col("signature") == signature.id).join(deciding, on="event")
    for captures, text in named.join(events.select("event", "text"), on="event").select("captures", "text").iter_rows():
        return filled(signature, {pair["name"]: pair["value"] for pair in captures}, text or "")
    return filled(signature)


def _as_failures(ended: pl.DataFrame) -> pl.DataFrame:
    """Count attempts that failed while they were being stopped as failed: how they ended is explained in the same way."""
    failed_stopping = pl.col("failed_stopping").fill_null(value=False)
    return ended.with_columns(pl.when(failed_stopping).then(pl.lit("failed", ATTEMPTS["outcome"])).otherwise("outcome").alias("outcome"))


def _labels(ended: pl.DataFrame, choice: pl.DataFrame, secondary: pl.DataFrame) -> pl.DataFrame:
    result = pl.when("oom_killed").then(pl.lit("oom-kill")).otherwise("result")
    outcome = pl.col("outcome").cast(pl.String)
    by_exit = exit_id(result, pl.col("exit_code"), pl.col("exit_status"))
    return (
        ended.select(
            "attempt",
            "last_row",
            by_exit=by_exit,
            failed_itself=outcome == "failed",
            clean=outcome == "clean",
        )
        .join(choice, on="attempt", how="left", maintain_order="left")
        .join(secondary, on="attempt", how="left", maintain_order="left")
        .with_columns(pl.coalesce("signature", "by_exit"))
        .select(
            "attempt",
            "signature",
            why=root_cause.name_of(pl.col("evidence")),
            event="event",
            row=pl.coalesce("row", "last_row"),
            secondary=pl.col("secondary").fill_null([]),
            # A service that exits with 0 right after a fatal error has failed all the same.
            failed=pl.col("failed_itself") | (pl.col("clean") & pl.col("evidence").is_not_null()),
        )
        .sort("attempt")
        .cast(LABELS)
        .pipe(checked, LABELS, "labels")
    )


def _secondary(events: pl.DataFrame, hits: pl.DataFrame, choice: pl.DataFrame) -> pl.DataFrame:
    """attempt, secondary: the patterns that match an attempt without explaining its end, each with its first row."""
    return (
        events.select("event", "attempt", "row")
        .join(hits.select("event", "signature"), on="event")
        .join(choice, on=["attempt", "signature"], how="anti")
        .sort("attempt", "signature", "event")
        .unique(["attempt", "signature"], keep="first", maintain_order=True)
        .group_by("attempt")
        .agg(secondary=pl.struct("signature", "row"))
    )


def _named_events(hits: pl.DataFrame, choice: pl.DataFrame) -> pl.DataFrame:
    known = hits.select("event", "signature", why=pl.concat_str(pl.lit("catalogue pattern "), "signature"), captures="captures")
    unknown = choice.filter(pl.col("mined").is_not_null()).select(
        "event",
        "signature",
        why=root_cause.name_of(pl.col("evidence")),
        captures=pl.lit([], CAPTURES),
    )
    return pl.concat([known, unknown]).cast(NAMED).sort("event", "signature")


def _signatures(labels: pl.DataFrame, hits: pl.DataFrame, mined: pl.DataFrame, catalogue: Catalogue) -> dict[str, Signature]:
    titles = dict(mined.select("signature", "title").unique().sort("signature").iter_rows())
    used = set(labels["signature"]) | set(hits["signature"])
    signatures = {pattern.id: pattern.signature for pattern in catalogue.patterns if pattern.id in used}
    signatures |= {id_: naming.mined_signature(id_, title) for id_, title in titles.items()}
    signatures |= {id_: naming.exit_signature(id_, catalogue) for id_ in used if id_.startswith("exit:")}
    signatures[LOST.id] = LOST
    return dict(sorted(signatures.items()))
