"""Put entries in canonical order: by machine, boots by number or time, in a boot as recorded; each entry once."""

from __future__ import annotations

from itertools import groupby

import polars as pl

from forensics.model.frames import ENTRIES
from forensics.store.boot_order import in_order

MACHINE = ["machine_code", "host_code"]  # the host's name counts only where no machine id is recorded
BOOT = [*MACHINE, "boot_code"]
PER_COPY = ("seqnum", "seqnum_id", "offset", "bytes", "file")  # columns in which two copies of an entry differ


def in_canonical_order(entries: pl.DataFrame, *, has_duplicates: bool) -> pl.DataFrame:
    """Sort by machine, boots by number or time; within a boot by seqnum when it has one seqnum_id, else by clock.

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
    machine, host = pl.col("machine").to_physical(), pl.col("host").to_physical()
    codes = [machine.alias("machine_code"), pl.when(machine.is_null()).then(host).alias("host_code")]
    keys = entries.select("monotonic", "seqnum", pl.col("seqnum_id").to_physical(), *codes, pl.col("boot").to_physical().alias("boot_code"))
    ranks = _ranks(_boots(entries, keys), keys)
    ranked = keys.join(ranks, on=BOOT, how="left", nulls_equal=True, maintain_order="left")
    return ranked.select(
        "numbered",
        "boot_rank",
        first=pl.when("numbered").then("seqnum").otherwise("monotonic"),
        second=pl.when("numbered").then(None).otherwise("seqnum"),
        seqnum_id="seqnum_id",
        seqnum="seqnum",
    )


def _boots(entries: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """List the boots, by machine and time of their first entry: BOOT, numbered (by one counter), number_id, lowest, began, boot."""
    numbered = (pl.col("seqnum_id").n_unique() == 1) & (pl.col("seqnum").count() == pl.len()) & (pl.col("seqnum_id").count() == pl.len())
    first = pl.when(numbered).then(pl.col("seqnum").arg_min()).otherwise(pl.col("monotonic").arg_min())
    boots = (
        pl.concat([entries.select("host", "machine", "boot", "time"), keys], how="horizontal")
        .group_by(BOOT, maintain_order=True)
        .agg(
            pl.col("host", "machine", "boot").first().cast(pl.String),
            numbered=numbered,
            number_id=pl.col("seqnum_id").first(),
            lowest=pl.col("seqnum").min(),
            began=pl.col("time").get(first),
        )
    )
    name = pl.col("host").min().over(MACHINE)  # a machine may change its name
    return boots.sort(name, "machine", "began", "boot", nulls_last=False).with_row_index("index")


def _ranks(boots: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Rank the boots: BOOT, numbered, boot_rank."""
    machines = boots.select(pl.struct(MACHINE).rle_id().alias("machine_number")).to_series()
    if machines.n_unique() < boots.height:
        boots = boots[_by_number(boots.with_columns(machines), keys)]
    return boots.select(*BOOT, "numbered").with_row_index("boot_rank")


def _by_number(boots: pl.DataFrame, keys: pl.DataFrame) -> list[int]:
    """List the indices of the boots in order, machine by machine."""
    by_one = boots.filter("numbered").select("index", "number_id", "lowest")
    by_several = keys.join(boots.filter(~pl.col("numbered")).select(*BOOT, "index"), on=BOOT, nulls_equal=True)
    lowest = by_several.group_by("index", pl.col("seqnum_id").alias("number_id")).agg(pl.col("seqnum").min().alias("lowest"))
    numbers: dict[int, list[tuple[int, int, int]]] = {}
    machine_of = dict(boots.select("index", "machine_number").iter_rows())
    for index, number_id, number in pl.concat([by_one, lowest]).drop_nulls().iter_rows():
        numbers.setdefault(machine_of[index], []).append((number_id, number, index))
    rows = boots.select("machine_number", "index", pl.col("began").dt.timestamp("us").fill_null(0), pl.col("boot").fill_null(""))
    ordered: list[int] = []
    for machine, of_machine in groupby(rows.iter_rows(), key=lambda row: row[0]):
        ordered += in_order({index: (began, boot) for _, index, began, boot in of_machine}, numbers.get(machine, []))
    return ordered
