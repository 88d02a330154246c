"""The store's failure classes: labelled history in, one row a class out, unknown ones with what they are like and with their family."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

import polars as pl

from forensics.classes.overrides import Decisions
from forensics.explain.render import presented
from forensics.model.values import Signature
from forensics.pipeline import History
from forensics.sanitize.redact import redactor
from forensics.sanitize.text import one_line
from forensics.signatures import likeness, mask, naming
from forensics.signatures.catalogue import Catalogue
from forensics.signatures.clustering.families import families
from forensics.wording import helps, minute

BINS = 24  # of the sparkline, from the first failure of any class to the last
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One failure class of the store. family: the smallest id of the unknown classes that differ from it in names only."""

    signature: Signature
    failures: int
    first: datetime
    last: datetime
    units: tuple[str, ...]
    histogram: tuple[int, ...]
    sample: Mapping[str, str | None]  # kind, text, root, last of an event that decided; empty for a death without a word
    family: str
    pinned: bool
    like: tuple[likeness.Like, ...]

    @property
    def is_unknown(self) -> bool:
        return self.signature.id.startswith("mined:")


def class_rows(history: History, catalogue: Catalogue, decisions: Decisions) -> list[ClassRow]:
    """All classes of failed attempts, most failures first; families stand together under their largest class."""
    end = pl.coalesce("ended", "started")
    failed = (
        history.labelled.labels.filter("failed")
        .join(history.assembly.attempts.select("attempt", "unit", end.alias("end")), on="attempt")
        .sort("end", "attempt")
    )
    grouped = failed.group_by("signature").agg(
        pl.len().alias("failures"), pl.col("end"), pl.col("unit").unique().sort(), pl.col("event").drop_nulls().first()
    )
    found = grouped.sort(["failures", "signature"], descending=[True, False]).to_dicts()
    samples = _samples(history, [row["event"] for row in found])
    unknown = [(row["signature"], words) for row in found if (words := _words(row["signature"], samples.get(row["event"], {})))]
    of_family = _families(unknown)
    like = _like(unknown, {row["signature"]: min(row["end"]) for row in found}, catalogue)
    ends = failed["end"].drop_nulls()
    edges = (ends.min(), ends.max())
    return [
        ClassRow(
            signature=history.labelled.signatures.get(row["signature"]) or Signature(row["signature"], row["signature"], "high"),
            failures=row["failures"],
            first=min(row["end"]),
            last=max(row["end"]),
            units=tuple(row["unit"]),
            histogram=_histogram(row["end"], *edges),
            sample=samples.get(row["event"], {}),
            family=of_family.get(row["signature"], row["signature"]),
            pinned=row["signature"] in decisions.pinned,
            like=like.get(row["signature"], ()),
        )
        for row in found
    ]


def _samples(history: History, events: Sequence[int | None]) -> dict[int | None, dict[str, Any]]:
    wanted = pl.Series([event for event in events if event is not None], dtype=pl.UInt32)
    rows = history.assembly.events.filter(pl.col("event").is_in(wanted.implode()))
    columns = ("kind", "text", "root", "last")
    return {row["event"]: {name: row[name] for name in columns} for row in rows.iter_rows(named=True)}


def _words(signature: str, sample: Mapping[str, str | None]) -> str:
    """The words that an unknown class is compared by."""
    return (sample.get("root") or sample.get("text") or "") if signature.startswith("mined:") else ""


def _like(unknown: Sequence[tuple[str, str]], first: Mapping[str, datetime], catalogue: Catalogue) -> dict[str, tuple[likeness.Like, ...]]:
    """Unknown signature → the catalogue's patterns and the signatures first seen before it that it is most like."""
    oldest_first = sorted(unknown, key=lambda one: (first[one[0]], one[0]))
    names = [id_ for id_, _ in oldest_first]
    likes = likeness.most_like([text for _, text in oldest_first], likeness.examples_of(catalogue), names)
    return dict(zip(names, likes, strict=True))


def _families(unknown: Sequence[tuple[str, str]]) -> dict[str, str]:
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


def kept_example(row: ClassRow) -> dict[str, str | None]:
    """The class's sample, without the secrets in it where its id does not depend on them."""
    hide = redactor(text for text in row.sample.values() if text)
    hidden = {name: text and hide(text) for name, text in row.sample.items()}
    event = pl.DataFrame(
        {"event": [0], **{name: [text] for name, text in hidden.items()}}, schema_overrides=dict.fromkeys(hidden, pl.String)
    )
    return hidden if naming.mined(event)["signature"].item() == row.signature.id else dict(row.sample)


def as_json(rows: Sequence[ClassRow], *, redact: bool) -> str:
    """{"classes": [...]}, in the order given."""
    inert = presented([row.signature.title for row in rows], redact=redact)
    classes = [
        {
            "signature": row.signature.id,
            "title": inert(row.signature.title),
            "severity": row.signature.severity,
            "restart_helps": row.signature.restart_helps,
            "failures": row.failures,
            "first": _time(row.first),
            "last": _time(row.last),
            "units": list(row.units),
            "sparkline": list(row.histogram),
            "family": row.family,
            "pinned": row.pinned,
            "like": [{"signature": one.signature, "score": one.score} for one in row.like],
        }
        for row in rows
    ]
    return json.dumps({"classes": classes}, indent=2, ensure_ascii=False) + "\n"


def _time(time: datetime) -> str:
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_text(rows: Sequence[ClassRow], where: tzinfo, *, redact: bool) -> str:
    """Two lines a class; further members of a family only as a line below its first."""
    if not rows:
        return "No failure is on record.\n"
    inert = presented([row.signature.title for row in rows], redact=redact)
    members: dict[str, list[ClassRow]] = {}
    for row in rows:
        members.setdefault(row.family, []).append(row)
    lines: list[str] = []
    for family in members.values():
        head, *others = family
        title = one_line(inert(head.signature.title), 200)
        span = f"{minute(head.first, where)} → {minute(head.last, where)}"
        lines.append(f"{sum(row.failures for row in family):>8,}  {sparkline(_summed(family))}  {span}  {title}")
        known = "  pinned" if head.pinned else ""
        lines.append(f"{'':8}  {head.signature.id}  restart helps: {helps(head.signature.restart_helps)}  {', '.join(head.units)}{known}")
        if head.like:
            lines.append(f"{'':8}  most like {', '.join(f'{one.signature} ({one.score:.0%})' for one in head.like)}")
        lines += [f"{'':8}  + {row.failures:,} {row.signature.id}  {one_line(inert(row.signature.title), 120)}" for row in others]
    return "\n".join(lines) + "\n"


def _summed(family: Sequence[ClassRow]) -> list[int]:
    return [sum(counts) for counts in zip(*(row.histogram for row in family), strict=True)]


def sparkline(counts: Sequence[int]) -> str:
    """One bar a count; nothing is a space, and something is never one."""
    most = max(counts, default=0) or 1
    return "".join(" " if count == 0 else _BARS[min(len(_BARS) - 1, count * len(_BARS) // (most + 1))] for count in counts)
