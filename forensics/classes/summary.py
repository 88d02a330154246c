"""Summarise the failure classes of labelled attempts: counts, times, units, and what the unknown ones resemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from forensics.classes.overrides import Overrides
from forensics.model.values import Signature
from forensics.sanitize import redacted
from forensics.signatures import Labelled, likeness, mask, naming
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.clustering.families import families

BINS = 24  # of the histogram, from the first failure of any class to the last
SAMPLE = ("kind", "text", "root", "last")  # columns of EVENTS that a mined signature depends on


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """One failure class. family: the smallest id of the unknown classes that differ from it in names only."""

    signature: Signature
    failures: int
    first: datetime
    last: datetime
    units: tuple[str, ...]
    histogram: tuple[int, ...]
    sample: Mapping[str, str | None]  # SAMPLE of an event that explains an end; empty where no line explains it
    family: str
    pinned: bool
    like: tuple[likeness.Like, ...]

    @property
    def is_unknown(self) -> bool:
        return self.signature.id.startswith("mined:")


def summarise_classes(
    attempts: pl.DataFrame, events: pl.DataFrame, labelled: Labelled, catalogue: Catalogue, overrides: Overrides
) -> list[ClassSummary]:
    """Summarise every class of failed attempts, most failures first. attempts: ATTEMPTS; events: EVENTS of those."""
    end = pl.coalesce("ended", "started")
    failed = (
        labelled.labels.filter("failed").join(attempts.select("attempt", "unit", end.alias("end")), on="attempt").sort("end", "attempt")
    )
    grouped = failed.group_by("signature").agg(
        pl.len().alias("failures"), pl.col("end"), pl.col("unit").unique().sort(), pl.col("event").drop_nulls().first()
    )
    rows = grouped.sort(["failures", "signature"], descending=[True, False]).to_dicts()
    samples = _samples(events, [row["event"] for row in rows])
    unknown = [(row["signature"], text) for row in rows if (text := _compared_text(row["signature"], samples.get(row["event"], {})))]
    family_of = _families(unknown)
    like = _like(unknown, {row["signature"]: min(row["end"]) for row in rows}, catalogue)
    ends = failed["end"].drop_nulls()
    edges = (ends.min(), ends.max())
    return [
        ClassSummary(
            signature=labelled.signatures.get(row["signature"]) or Signature(row["signature"], row["signature"], "high"),
            failures=row["failures"],
            first=min(row["end"]),
            last=max(row["end"]),
            units=tuple(row["unit"]),
            histogram=_histogram(row["end"], *edges),
            sample=samples.get(row["event"], {}),
            family=family_of.get(row["signature"], row["signature"]),
            pinned=row["signature"] in overrides.pinned,
            like=like.get(row["signature"], ()),
        )
        for row in rows
    ]


def _samples(events: pl.DataFrame, wanted: Sequence[int | None]) -> dict[int | None, dict[str, Any]]:
    ids = pl.Series([event for event in wanted if event is not None], dtype=pl.UInt32)
    rows = events.filter(pl.col("event").is_in(ids.implode()))
    return {row["event"]: {name: row[name] for name in SAMPLE} for row in rows.iter_rows(named=True)}


def _compared_text(signature: str, sample: Mapping[str, str | None]) -> str:
    """The text by which an unknown class is compared with others; "" for a known one."""
    return (sample.get("root") or sample.get("text") or "") if signature.startswith("mined:") else ""


def _like(unknown: Sequence[tuple[str, str]], first: Mapping[str, datetime], catalogue: Catalogue) -> dict[str, tuple[likeness.Like, ...]]:
    """Map each unknown signature to the patterns and the earlier unknown signatures that it resembles most."""
    oldest_first = sorted(unknown, key=lambda pair: (first[pair[0]], pair[0]))
    names = [id_ for id_, _ in oldest_first]
    likes = likeness.most_like([text for _, text in oldest_first], likeness.examples_of(catalogue), names)
    return dict(zip(names, likes, strict=True))


def _families(unknown: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Map each unknown signature to the smallest signature of its family."""
    if not unknown:
        return {}
    names = families(mask.keys(pl.Series([text for _, text in unknown], dtype=pl.String))).to_list()
    smallest: dict[str, str] = {}
    for (id_, _), name in sorted(zip(unknown, names, strict=True)):
        smallest.setdefault(name, id_)
    return {id_: smallest[name] for (id_, _), name in zip(unknown, names, strict=True)}


def _histogram(ends: Sequence[datetime], first: Any, last: Any) -> tuple[int, ...]:
    span = (last - first).total_seconds() or 1.0
    counts = [0] * BINS
    for end in ends:
        counts[min(BINS - 1, int((end - first).total_seconds() / span * BINS))] += 1
    return tuple(counts)


def pin_example(summary: ClassSummary) -> dict[str, str | None]:
    """The sample to keep with a pinned class, redacted unless that would change its id."""
    hidden = dict(summary.sample) | redacted({name: text for name, text in summary.sample.items() if text})
    event = pl.DataFrame(
        {"event": [0], **{name: [text] for name, text in hidden.items()}}, schema_overrides=dict.fromkeys(hidden, pl.String)
    )
    return hidden if naming.mined(event)["signature"].item() == summary.signature.id else dict(summary.sample)
