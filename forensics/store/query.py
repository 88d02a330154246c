"""Read the entries of a window from the store: `model.ENTRIES`, each entry once, in canonical order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import TypeVar

import polars as pl

from forensics.model.bounds import bounded_entries
from forensics.model.frames import ENTRIES
from forensics.model.values import Damage
from forensics.store.canonical_order import in_canonical_order
from forensics.store.layout import Layout
from forensics.store.manifest import Manifest, Part, sound_manifests
from forensics.store.parts import as_time, micros
from forensics.wording import plural

TRIES = 5  # another process may join parts between the reading of a manifest and of its parts
NUMBERS = pl.Schema({"seqnum_id": pl.String(), "seqnum": pl.Int64()})
STORED = [name for name in ENTRIES if name != "file"]
AS_WRITTEN = {name: pl.String() if ENTRIES[name] == pl.Categorical else ENTRIES[name] for name in STORED}  # null where a part lacks it

Wanted = list[tuple[Manifest, list[Part]]]  # parts of each source
Scan = Callable[[Manifest, list[Part]], pl.LazyFrame]
Result = TypeVar("Result")
_UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


@dataclass(frozen=True, slots=True)
class Stored:
    """ENTRIES of the store, and what of it is damaged and left out."""

    entries: pl.DataFrame
    damage: tuple[Damage, ...] = ()


def read_entries(
    layout: Layout, since: datetime | None, until: datetime | None, sources: Collection[str] | None, present: Collection[str]
) -> Stored:
    """Read the entries with since ≤ time < until of `sources` (null: all), from the overlapping parts only.

    present: the sources that exist outside the store as well, so that what is damaged of them can be ingested again.
    """

    def read(*, skip_missing: bool) -> Stored:
        manifests, damage = sound_manifests(layout, sources)
        wanted = [(manifest, [part for part in manifest.parts if _overlaps(part, since, until)]) for manifest in manifests]
        wanted = sorted((pair for pair in wanted if pair[1]), key=lambda pair: (min(part.first_time for part in pair[1]), pair[0].source))
        read = _collected(wanted, partial(_scan, layout=layout, since=since, until=until), skip_missing=skip_missing)
        damage += (_described(manifest, part, layout, present) for manifest, part in read.damaged)
        if not read.frames:
            return Stored(pl.DataFrame(schema=ENTRIES), tuple(damage))
        has_duplicates = _may_have_duplicates([part for _, parts in wanted for part in parts])
        return Stored(bounded_entries(in_canonical_order(pl.concat(read.frames), has_duplicates=has_duplicates)), tuple(damage))

    return _retried(read)


def numbers_outside(layout: Layout, since: datetime | None, until: datetime | None, sources: Collection[str] | None) -> pl.DataFrame:
    """Read NUMBERS of the entries of `sources` (null: all) before `since` or from `until` on."""
    early = pl.lit(value=False) if since is None else pl.col("time") < since
    outside = early if until is None else early | (pl.col("time") >= until)

    def scan(_: Manifest, parts: list[Part]) -> pl.LazyFrame:
        return _parts(parts, layout).filter(outside).select(pl.col(name).cast(kind) for name, kind in NUMBERS.items())

    def read(*, skip_missing: bool) -> pl.DataFrame:
        wanted = [(manifest, list(manifest.parts)) for manifest in sound_manifests(layout, sources)[0] if manifest.parts]
        return pl.concat([NUMBERS.to_frame(), *_collected(wanted, scan, skip_missing=skip_missing).frames])

    return _retried(read)


def boot_starts(layout: Layout, sources: Collection[str] | None) -> list[datetime]:
    """Return when each boot of `sources` (null: all) began, newest first; reads two columns."""

    def scan(_: Manifest, parts: list[Part]) -> pl.LazyFrame:
        return _parts(parts, layout).group_by("boot").agg(pl.col("time").min().cast(ENTRIES["time"]))

    def read(*, skip_missing: bool) -> list[datetime]:
        manifests, _ = sound_manifests(layout, sources)
        wanted = [(manifest, list(manifest.parts)) for manifest in manifests if manifest.parts]
        frames = _collected(wanted, scan, skip_missing=skip_missing).frames
        starts = pl.concat(frames).group_by("boot").agg(pl.col("time").min())["time"] if frames else pl.Series(dtype=ENTRIES["time"])
        return starts.sort(descending=True).to_list()

    return _retried(read)


def time_span(layout: Layout, sources: Collection[str] | None) -> tuple[datetime, datetime] | None:
    """Return the times of the first and the last entry of `sources` (null: all), from the manifests; null without entries."""
    parts = [part for manifest in sound_manifests(layout, sources)[0] for part in manifest.parts]
    if not parts:
        return None
    return as_time(min(part.first_time for part in parts)), as_time(max(part.last_time for part in parts))


def _retried(read: Callable[..., Result]) -> Result:
    """Read again while another process replaces parts; in the end take a missing part for a damaged one."""
    for _ in range(TRIES - 1):
        try:
            return read(skip_missing=False)
        except FileNotFoundError:
            continue
    return read(skip_missing=True)


@dataclass(frozen=True, slots=True)
class _Collected:
    frames: list[pl.DataFrame]
    damaged: list[tuple[Manifest, Part]]


def _collected(wanted: Wanted, scan: Scan, *, skip_missing: bool) -> _Collected:
    """Read all parts at once; when one of them cannot be read, each by itself, to find out which. Raises FileNotFoundError."""
    try:
        return _Collected(pl.collect_all([scan(manifest, parts) for manifest, parts in wanted]), [])
    except _UNREADABLE:
        pass
    except FileNotFoundError:
        if not skip_missing:
            raise
    frames: list[pl.DataFrame] = []
    damaged: list[tuple[Manifest, Part]] = []
    for manifest, part in ((manifest, part) for manifest, parts in wanted for part in parts):
        try:
            frames.append(scan(manifest, [part]).collect())
        except _UNREADABLE:
            damaged.append((manifest, part))
        except FileNotFoundError:
            if not skip_missing:
                raise
            damaged.append((manifest, part))
    return _Collected(frames, damaged)


def _described(manifest: Manifest, part: Part, layout: Layout, present: Collection[str]) -> Damage:
    """Describe a part that cannot be read, by its entry in the manifest."""
    days = f"{as_time(part.first_time):%F %T} to {as_time(part.last_time):%F %T} UTC"
    held = f"{plural(part.rows, 'entry', 'entries')} of {manifest.file} from {days}"
    again = f"; the journal still has them: delete {layout.manifest(manifest.source)} and run `ingest` to read them again"
    reason = f"this part of the store is damaged: {held} cannot be read{again if manifest.source in present else ''}"
    return Damage(str(layout.entries / part.path), None, reason)


def _parts(parts: list[Part], layout: Layout) -> pl.LazyFrame:
    return pl.scan_parquet(
        [layout.entries / part.path for part in parts],
        glob=False, hive_partitioning=False, low_memory=True,
        schema=AS_WRITTEN, missing_columns="insert", extra_columns="ignore",
    )  # fmt: skip


def _scan(manifest: Manifest, parts: list[Part], *, layout: Layout, since: datetime | None, until: datetime | None) -> pl.LazyFrame:
    frame = _parts(parts, layout)
    if since is not None:
        frame = frame.filter(pl.col("time") >= since)
    if until is not None:
        frame = frame.filter(pl.col("time") < until)
    columns = [pl.col(name).cast(ENTRIES[name]) for name in STORED]
    return frame.select(*columns, pl.lit(manifest.file, ENTRIES["file"]).alias("file")).select(list(ENTRIES))


def _overlaps(part: Part, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or part.last_time >= micros(since)) and (until is None or part.first_time < micros(until))


def _may_have_duplicates(parts: Iterable[Part]) -> bool:
    """Whether an entry may be in two parts: from a copy of a journal, a stream of it, or a rotation that left it in both files."""
    ranges: list[tuple[str, int, int]] = []
    for part in parts:
        if part.seqnums is None:
            return True
        ranges += [(name, first, last) for name, (first, last) in part.seqnums.items()]
    return any(a[0] == b[0] and b[1] <= a[2] for a, b in pairwise(sorted(ranges)))
