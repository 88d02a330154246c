"""Summarise the failure classes of labelled attempts: counts, times, units, and what the unknown ones resemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from forensics.assembly import Assembly
from forensics.classes.overrides import Overrides
from forensics.incidents.classes import described
from forensics.incidents.segment import classed
from forensics.model.values import Signature
from forensics.sanitize import redacted
from forensics.signatures import Labelled, likeness, mask
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.clustering.families import families

BINS = 24  # of the histogram, from the first failure of any class to the last
SAMPLE = ("kind", "text", "root", "last")  # columns of EVENTS that a mined signature depends on


@dataclass(frozen=True, slots=True)
class ClassSummary:
    """One failure class. family: the smallest id of the unknown classes that differ from it in names only.

    failures: failed attempts; first, last and histogram are theirs. restarts: automatic ones, after attempts of the class. A class with
    restarts only, such as that of lost restarts, has no failures.
    """

    signature: Signature
    failures: int
    restarts: int
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


def summarise_classes(assembly: Assembly, labelled: Labelled, catalogue: Catalogue, overrides: Overrides) -> list[ClassSummary]:
    """Summarise every class of failed attempts and of restarts, most failures first."""
    attempts, events = assembly.attempts, assembly.events
    end = pl.coalesce("ended", "started")
    failed = (
        labelled.labels.filter("failed").join(attempts.select("attempt", "unit", end.alias("end")), on="attempt").sort("end", "attempt")
    )
    grouped = failed.group_by("signature").agg(
        pl.len().alias("failures"), pl.col("end"), pl.col("unit").unique().sort(), pl.col("event").drop_nulls().first()
    )
    table = grouped.join(_restarts(assembly, labelled), on="signature", how="full", coalesce=True).sort(
        ["failures", "restarts", "signature"], descending=[True, True, False], nulls_last=True
    )
    rows = [_filled(row) for row in table.iter_rows(named=True)]
    samples = _samples(events, [row["event"] for row in rows])
    unknown = [(row["signature"], text) for row in rows if (text := _compared_text(row["signature"], samples.get(row["event"], {})))]
    family_of = _families(unknown)
    like = _like(unknown, {row["signature"]: min(row["end"], default=row["first_restart"]) for row in rows}, catalogue)
    ends = failed["end"].drop_nulls()
    edges = (ends.min(), ends.max())
    return [
        ClassSummary(
            signature=described(row["signature"], labelled.signatures),
            failures=row["failures"],
            restarts=row["restarts"],
            first=min(row["end"], default=row["first_restart"]),
            last=max(row["end"], default=row["last_restart"]),
            units=tuple(row["unit"]),
            histogram=_histogram(row["end"], *edges),
            sample=samples.get(row["event"], {}),
            family=family_of.get(row["signature"], row["signature"]),
            pinned=row["signature"] in overrides.pinned,
            like=like.get(row["signature"], ()),
        )
        for row in rows
    ]


def _restarts(assembly: Assembly, labelled: Labelled) -> pl.DataFrame:
    """Sum up the restarts of each class: signature, restarts, first_restart, last_restart, restarted (units)."""
    return (
        classed(assembly.restarts, labelled.labels)
        .group_by("signature")
        .agg(
            pl.col("count").sum().alias("restarts"),
            pl.col("time").min().alias("first_restart"),
            pl.col("time").max().alias("last_restart"),
            pl.col("unit").unique().sort().alias("restarted"),
        )
    )


def _filled(row: dict[str, Any]) -> dict[str, Any]:
    """Fill in what a class without failures, or without restarts, lacks."""
    return row | {
        "failures": row["failures"] or 0,
        "restarts": row["restarts"] or 0,
        "end": row["end"] or [],
        "unit": row["unit"] or row["restarted"],
    }


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
    if not ends:
        return (0,) * BINS
    span = (last - first).total_seconds() or 1.0
    counts = [0] * BINS
    for end in ends:
        counts[min(BINS - 1, int((end - first).total_seconds() / span * BINS))] += 1
    return tuple(counts)


def pin_example(summary: ClassSummary) -> dict[str, str | None]:
    """The sample to keep with a pinned class, redacted as its id is computed: from the text without secrets."""
    return dict(summary.sample) | redacted({name: text for name, text in summary.sample.items() if text})
