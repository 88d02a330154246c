"""Label every ended attempt with its failure class, and with the event and the rule behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from forensics.signatures.pattern import Catalogue, Pattern
from forensics.signatures.per_catalogue import PerCatalogue

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
    unknown = events.filter(pl.col("event").is_in(choice.filter(pl.col("signature").is_null())["event"].implode()))
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
    return ended.with_columns(_AS_FAILED)


_FAILED_STOPPING = pl.col("failed_stopping").fill_null(value=False)
_AS_FAILED = pl.when(_FAILED_STOPPING).then(pl.lit("failed", ATTEMPTS["outcome"])).otherwise("outcome").alias("outcome")


def _labels(ended: pl.DataFrame, choice: pl.DataFrame, secondary: pl.DataFrame) -> pl.DataFrame:
    return (
        ended.select(_OF_END)
        .join(choice, on="attempt", how="left", maintain_order="left")
        .join(secondary, on="attempt", how="left", maintain_order="left")
        .select(_LABEL)
        .sort("attempt")
        .pipe(checked, LABELS, "labels")
    )


_RESULT = pl.when("oom_killed").then(pl.lit("oom-kill")).otherwise("result")
_OF_END = [
    pl.col("attempt"),
    pl.col("last_row"),
    exit_id(_RESULT, pl.col("exit_code"), pl.col("exit_status")).alias("by_exit"),
    pl.col("outcome").cast(pl.String),
]
_LABEL = [
    value.cast(LABELS[name]).alias(name)
    for name, value in {
        "attempt": pl.col("attempt"),
        "signature": pl.coalesce("signature", "by_exit"),
        "why": root_cause.name_of(pl.col("evidence")),
        "event": pl.col("event"),
        "row": pl.coalesce("row", "last_row"),
        "secondary": pl.col("secondary").fill_null([]),
        # A service that exits with 0 right after a fatal error has failed all the same.
        "failed": (pl.col("outcome") == "failed") | ((pl.col("outcome") == "clean") & pl.col("evidence").is_not_null()),
    }.items()
]


def _secondary(events: pl.DataFrame, hits: pl.DataFrame, choice: pl.DataFrame) -> pl.DataFrame:
    """attempt, secondary: the patterns that match an attempt without explaining its end, each with its first row."""
    if hits.is_empty():
        return _NO_SECONDARY
    return (
        events.select("event", "attempt", "row")
        .join(hits.select("event", "signature"), on="event")
        .join(choice, on=["attempt", "signature"], how="anti")
        .sort("attempt", "signature", "event")
        .unique(["attempt", "signature"], keep="first", maintain_order=True)
        .group_by("attempt")
        .agg(secondary=pl.struct("signature", "row"))
    )


_NO_SECONDARY = pl.DataFrame(schema={"attempt": EVENTS["attempt"], "secondary": LABELS["secondary"]})


def _named_events(hits: pl.DataFrame, choice: pl.DataFrame) -> pl.DataFrame:
    unknown = choice.filter(pl.col("mined").is_not_null())
    named = [frame.select(columns) for frame, columns in ((hits, _AS_KNOWN), (unknown, _AS_UNKNOWN)) if not frame.is_empty()]
    return pl.concat(named).sort("event", "signature") if named else NAMED.to_frame()


_AS_KNOWN = ["event", "signature", pl.concat_str(pl.lit("catalogue pattern "), "signature").alias("why"), "captures"]
_AS_UNKNOWN = ["event", "signature", root_cause.name_of(pl.col("evidence")).alias("why"), pl.lit([], CAPTURES).alias("captures")]


def _signatures(labels: pl.DataFrame, hits: pl.DataFrame, mined: pl.DataFrame, catalogue: Catalogue) -> dict[str, Signature]:
    titles = dict(sorted(mined.select("signature", "title").unique().rows()))
    used = set(labels["signature"]) | set(hits["signature"])
    patterns = _BY_ID(catalogue.patterns)
    signatures = {id_: patterns[id_].signature for id_ in used if id_ in patterns}
    signatures |= {id_: naming.mined_signature(id_, title) for id_, title in titles.items()}
    signatures |= {id_: naming.exit_signature(id_, catalogue) for id_ in used if id_.startswith("exit:")}
    signatures[LOST.id] = LOST
    return dict(sorted(signatures.items()))


def _by_id(patterns: Sequence[Pattern]) -> dict[str, Pattern]:
    return {pattern.id: pattern for pattern in patterns}


_BY_ID = PerCatalogue(_by_id)
