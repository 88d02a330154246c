"""Read the entries of a window from the store: `model.ENTRIES`, each entry once, in canonical order."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import pairwise

import polars as pl

from forensics.errors import ForensicsError
from forensics.model.frames import ENTRIES
from forensics.store.layout import Layout
from forensics.store.manifest import Manifest, Part, read_manifests
from forensics.store.parts import micros

TRIES = 5  # another process may join parts between the reading of a manifest and of its parts
BOOT = ["host", "machine", "boot"]
PER_COPY = ("seqnum", "seqnum_id", "offset", "bytes", "file")  # columns in which two copies of an entry differ
STORED = [name for name in ENTRIES if name != "file"]


def read_entries(layout: Layout, since: datetime | None, until: datetime | None, sources: Collection[str] | None) -> pl.DataFrame:
    """Read the entries with since ≤ time < until of `sources` (null: all), from the overlapping parts only."""
    for _ in range(TRIES - 1):
        try:
            return _read(read_manifests(layout, sources), layout, since, until)
        except FileNotFoundError:
            continue
    return _read(read_manifests(layout, sources), layout, since, until)


def _read(manifests: Iterable[Manifest], layout: Layout, since: datetime | None, until: datetime | None) -> pl.DataFrame:
    wanted = [(manifest, [part for part in manifest.parts if _overlaps(part, since, until)]) for manifest in manifests]
    wanted = sorted((pair for pair in wanted if pair[1]), key=lambda pair: (min(part.first_time for part in pair[1]), pair[0].source))
    if not wanted:
        return pl.DataFrame(schema=ENTRIES)
    frames = [_scan(manifest, parts, layout, since, until) for manifest, parts in wanted]
    try:
        entries = pl.concat(pl.collect_all(frames))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise ForensicsError(f"A part of the store {layout.root} is damaged: delete that directory to ingest everything again.") from error
    return _in_canonical_order(entries, has_duplicates=_may_have_duplicates([part for _, parts in wanted for part in parts]))


def _scan(manifest: Manifest, parts: list[Part], layout: Layout, since: datetime | None, until: datetime | None) -> pl.LazyFrame:
    frame = pl.scan_parquet([layout.entries / part.path for part in parts], glob=False, hive_partitioning=False, low_memory=True)
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


def _in_canonical_order(entries: pl.DataFrame, *, has_duplicates: bool) -> pl.DataFrame:
    """Sort by host and machine, boots by their first entry; within a boot by seqnum when it has one seqnum_id, else by clock.

    Ties keep the order of the frame, which is a source's own order. The first of two copies of an entry stays.
    """
    order = _keys(entries)
    at = order.select(pl.arg_sort_by("boot_rank", "first", "second", "seqnum_id", maintain_order=True).alias("at"))["at"]
    if not at.is_sorted():
        entries = entries[at]
        order = order[at]
    if has_duplicates:
        is_repeated = (pl.col("seqnum") == pl.col("seqnum").shift()) & (pl.col("seqnum_id") == pl.col("seqnum_id").shift())
        kept = ~order.select(is_repeated.fill_null(value=False)).to_series()
        entries, order = entries.filter(kept), order.filter(kept)
    return _without_copies(entries, order)


def _without_copies(entries: pl.DataFrame, order: pl.DataFrame) -> pl.DataFrame:
    """Drop what a second journal repeats under its own sequence numbers: a host's journal and its copy sent to journal-remote.

    As in journalctl (sd-journal.c, compare_locations), entries are the same when boot, both clocks and the content are.
    """
    mixed = order.filter(~pl.col("numbered"))["boot_rank"].unique()
    if mixed.is_empty():
        return entries
    content = [name for name in ENTRIES if name not in PER_COPY]
    within = entries.with_columns(order["boot_rank"], order["numbered"]).with_row_index("at").filter(~pl.col("numbered"))
    suspects = within.filter(pl.struct("boot_rank", "monotonic", "time").is_duplicated())
    numbered = suspects.with_columns(turn=pl.int_range(pl.len()).over([*content, "seqnum_id"]))
    repeated = numbered.filter(~numbered.select(pl.struct(*content, "turn").is_first_distinct()).to_series())["at"]
    return entries.with_row_index("at").filter(~pl.col("at").is_in(repeated.implode())).drop("at") if len(repeated) else entries


def _keys(entries: pl.DataFrame) -> pl.DataFrame:
    """The sort keys of the entries: boot_rank, first, second; seqnum_id only brings the duplicates of a boot together."""
    codes = [pl.col(name).to_physical().alias(f"{name}_code") for name in BOOT]
    keys = entries.select("monotonic", "seqnum", pl.col("seqnum_id").to_physical(), *codes)
    names = [f"{name}_code" for name in BOOT]
    numbered = (pl.col("seqnum_id").n_unique() == 1) & (pl.col("seqnum").count() == pl.len()) & (pl.col("seqnum_id").count() == pl.len())
    boots = pl.concat([entries.select([*BOOT, "time"]), keys], how="horizontal")
    first = pl.when(numbered).then(pl.col("seqnum").arg_min()).otherwise(pl.col("monotonic").arg_min())
    ranks = (
        boots.group_by(names, maintain_order=True)
        .agg(pl.col(BOOT).first().cast(pl.String), numbered=numbered, began=pl.col("time").get(first))
        .sort("host", "machine", "began", "boot", nulls_last=False)
        .with_row_index("boot_rank")
    )
    ranked = keys.join(ranks.select(*names, "boot_rank", "numbered"), on=names, how="left", nulls_equal=True, maintain_order="left")
    return ranked.select(
        "numbered",
        "boot_rank",
        first=pl.when("numbered").then("seqnum").otherwise("monotonic"),
        second=pl.when("numbered").then(None).otherwise("seqnum"),
        seqnum_id="seqnum_id",
        seqnum="seqnum",
    )
