"""Find the invocation that each entry belongs to.

A candidate is one invocation id in one unit boot: an attempt, if something was started. Neighbouring entries nearly always share it, so
ids are compared with the neighbour's once per entry and joined once per block of equal neighbours.
"""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import ManagerMessage, is_kind, is_unmet_dependency
from forensics.speakers import Speaker


def with_candidates(entries: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Find candidates, and add `candidate` (null where unknown) to the entries of `with_unit_keys`, in (unit_boot, row) order.

    Candidates: candidate, unit_boot, unit_key, boot, id_row (an entry that has the id).
    """
    ordered = entries.sort("unit_boot", maintain_order=True)  # entries come in row order; by both keys it would cost four times as much
    changed = ordered.select(
        (pl.col("unit_boot").ne_missing(pl.col("unit_boot").shift()) | pl.col("invocation").ne_missing(pl.col("invocation").shift())).alias(
            "new"
        )
    )["new"]
    block = changed.cast(pl.UInt32).cum_sum() - 1
    blocks = ordered.filter(changed).select("unit_boot", "unit_key", "boot", "invocation", id_row="row")
    ids = ["unit_boot", "invocation"]
    candidates = blocks.drop_nulls("invocation").unique(ids, keep="first", maintain_order=True).with_row_index("candidate")
    of_block = blocks.join(candidates.select("candidate", *ids), on=ids, how="left", maintain_order="left")["candidate"]
    if ordered.is_empty():
        return ordered.with_columns(pl.lit(None, pl.UInt32).alias("candidate")), candidates
    return ordered.with_columns(of_block.gather(block).alias("candidate")), candidates


def with_late_lines_returned(entries: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return a service's lines to the attempt that was about to end, where they carry the id of one that had not begun.

    journald looks an id up when it takes a line. With RestartSec=0 on a busy machine the next start has been made by then: 1-2 % of
    the last lines in such a loop (systemd 252). lines: the manager's.
    """
    begun = lines.drop_nulls("candidate").group_by("candidate").agg(begins=pl.col("row").min())
    written = entries.filter(pl.col("speaker") == int(Speaker.SERVICE)).select("row", "unit_boot", "candidate")
    early = written.join(begun, on="candidate", how="inner").filter(pl.col("row") < pl.col("begins")).sort("row")
    ends = lines.filter(is_kind(ManagerMessage.EXIT, ManagerMessage.FAILED, ManagerMessage.ENDED_WELL) & pl.col("candidate").is_not_null())
    wrong = (
        early.join_asof(
            ends.select("unit_boot", end="row", ending="candidate").sort("end"),
            left_on="row", right_on="end", by="unit_boot", strategy="forward", check_sortedness=False,
        )
        .filter(pl.col("end") < pl.col("begins"))
        .select("row", "ending")
    )  # fmt: skip
    if wrong.is_empty():
        return entries
    joined = entries.join(wrong, on="row", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("ending", "candidate").alias("candidate")).drop("ending")


def with_lines_without_id(entries: pl.DataFrame, openings: pl.DataFrame) -> pl.DataFrame:
    """Give a candidate to entries without an invocation id."""
    claimed = _claimed(entries, openings)
    if claimed.is_empty():
        return entries
    return (
        entries.join(claimed.rename({"candidate": "claimed"}), on="row", how="left", maintain_order="left")
        .with_columns(pl.coalesce("candidate", "claimed").alias("candidate"))
        .drop("claimed")
    )


def openings(entries: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Find from which row on a line without an id belongs to each candidate: unit_boot, candidate, row.

    After a scheduled restart it more likely belongs to the next one; none belongs to a start that was not even tried. lines: the manager's.
    """
    untried = lines.filter(is_unmet_dependency())["candidate"].drop_nulls()
    first = (
        entries.select("candidate", "unit_boot", "row")
        .drop_nulls("candidate")
        .group_by("candidate")
        .agg(pl.col("unit_boot").first(), pl.col("row").min())
        .filter(~pl.col("candidate").is_in(untried.implode()))
        .select("candidate", "unit_boot", "row")
    )
    scheduled = lines.filter(is_kind(ManagerMessage.RESTART)).select("unit_boot", restarted="row").sort("restarted")
    return (
        first.sort("row")
        .join_asof(scheduled, left_on="row", right_on="restarted", by="unit_boot", check_sortedness=False)
        .sort("unit_boot", "row")
        .with_columns(pl.col("row").shift().over("unit_boot").alias("previous"))
        .with_columns(pl.when(pl.col("restarted") > pl.col("previous")).then(pl.col("restarted")).otherwise(pl.col("row")).alias("row"))
        .select("unit_boot", "candidate", "row")
    )


def _claimed(entries: pl.DataFrame, openings: pl.DataFrame) -> pl.DataFrame:
    """Attribute lines without an id by their stream, else by their process, else by what was open then: row, candidate.

    On a slow machine journald finds no id for up to half of the lines of processes that live for milliseconds.
    """
    speakers = [int(Speaker.SERVICE), int(Speaker.JOURNALD)]
    nameless = entries.filter(pl.col("candidate").is_null() & pl.col("speaker").is_in(speakers)).select("row", "unit_boot", "pid", "stream")
    if nameless.is_empty():
        return nameless.select("row").with_columns(pl.lit(None, pl.UInt32).alias("candidate"))
    named = entries.filter(pl.col("candidate").is_not_null() & (pl.col("speaker") == int(Speaker.SERVICE)))
    by_stream = (
        named.filter(pl.col("stream").is_in(nameless["stream"].drop_nulls().unique().implode()))
        .unique(["unit_boot", "stream"], keep="last", maintain_order=True)
        .select("unit_boot", "stream", by_stream="candidate")
    )
    of_pids = named.filter(pl.col("pid").is_in(nameless["pid"].drop_nulls().unique().implode())).select(
        "row", "unit_boot", "pid", by_pid="candidate"
    )
    before, after = (openings.select("row", "unit_boot", pl.col("candidate").alias(name)).sort("row") for name in ("before", "after"))
    joined = (
        nameless.join(by_stream, on=["unit_boot", "stream"], how="left")
        .sort("row")
        .join_asof(of_pids.sort("row"), on="row", by=["unit_boot", "pid"], strategy="nearest", check_sortedness=False)
        .join_asof(before, on="row", by="unit_boot", check_sortedness=False)
        .join_asof(after, on="row", by="unit_boot", strategy="forward", check_sortedness=False)
    )
    return joined.select("row", pl.coalesce("by_stream", "by_pid", "before", "after").alias("candidate"))
