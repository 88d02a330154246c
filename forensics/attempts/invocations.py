"""Which run each entry belongs to: the placed entries in, the same with `run` and a frame of runs out.

A run is one invocation id in one spell. Neighbouring entries nearly always share it, so ids are compared with the neighbour's once an
entry and joined once a block of equal neighbours.
"""

from __future__ import annotations

import polars as pl

from forensics.attempts.manager_messages import Says
from forensics.attempts.stop_reasons import is_said
from forensics.attempts.unit_keys import Speaker


def with_runs(about: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The entries in (spell, row) order with `run` (null where unknown);
    and the runs: run, spell, place, boot, id_row (an entry that has the id).
    """
    ordered = about.sort("spell", maintain_order=True)  # entries come in row order; by both keys it would cost four times as much
    changed = ordered.select(
        (pl.col("spell").ne_missing(pl.col("spell").shift()) | pl.col("invocation").ne_missing(pl.col("invocation").shift())).alias("new")
    )["new"]
    block = changed.cast(pl.UInt32).cum_sum() - 1
    blocks = ordered.filter(changed).select("spell", "place", "boot", "invocation", id_row="row")
    runs = blocks.drop_nulls("invocation").unique(["spell", "invocation"], keep="first", maintain_order=True).with_row_index("run")
    of_block = blocks.join(runs.select("run", "spell", "invocation"), on=["spell", "invocation"], how="left", maintain_order="left")["run"]
    if ordered.is_empty():
        return ordered.with_columns(pl.lit(None, pl.UInt32).alias("run")), runs
    return ordered.with_columns(of_block.gather(block).alias("run")), runs


def not_before_their_run(owned: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """The entries, with lines of services that have the id of a run that has not begun, while another is about to end, given to that one.

    journald looks an id up when it takes a line. With RestartSec=0 on a busy machine the next start has been made by then: 1-2 % of
    the last words in such a loop (systemd 252). lines: the manager's.
    """
    begun = lines.drop_nulls("run").group_by("run").agg(begins=pl.col("row").min())
    spoken = owned.filter(pl.col("speaker") == int(Speaker.SERVICE)).select("row", "spell", "run")
    early = spoken.join(begun, on="run", how="inner").filter(pl.col("row") < pl.col("begins")).sort("row")
    ends = lines.filter(is_said(Says.EXIT, Says.FAILED, Says.ENDED_WELL) & pl.col("run").is_not_null())
    wrong = (
        early.join_asof(
            ends.select("spell", end="row", of="run").sort("end"),
            left_on="row", right_on="end", by="spell", strategy="forward", check_sortedness=False,
        )
        .filter(pl.col("end") < pl.col("begins"))
        .select("row", "of")
    )  # fmt: skip
    if wrong.is_empty():
        return owned
    found = owned.join(wrong, on="row", how="left", maintain_order="left")
    return found.with_columns(pl.coalesce("of", "run").alias("run")).drop("of")


def without_id(owned: pl.DataFrame, openings: pl.DataFrame) -> pl.DataFrame:
    """Lines of services that journald could not give an invocation id, each with a run: by its stream, else by its process, else by
    the run that was open then. openings: spell, run, row (from which on a line without an id belongs to the run).

    Up to half of the lines of processes that live for milliseconds are such lines on a slow machine (facts/journald.md §1).
    """
    speakers = [int(Speaker.SERVICE), int(Speaker.JOURNALD)]
    lost = owned.filter(pl.col("run").is_null() & pl.col("speaker").is_in(speakers)).select("row", "spell", "pid", "stream")
    if lost.is_empty():
        return lost.select("row").with_columns(pl.lit(None, pl.UInt32).alias("run"))
    known = owned.filter(pl.col("run").is_not_null() & (pl.col("speaker") == int(Speaker.SERVICE)))
    by_stream = (
        known.filter(pl.col("stream").is_in(lost["stream"].drop_nulls().unique().implode()))
        .unique(["spell", "stream"], keep="last", maintain_order=True)
        .select("spell", "stream", by_stream="run")
    )
    of_pids = known.filter(pl.col("pid").is_in(lost["pid"].drop_nulls().unique().implode())).select("row", "spell", "pid", by_pid="run")
    found = (
        lost.join(by_stream, on=["spell", "stream"], how="left")
        .sort("row")
        .join_asof(of_pids.sort("row"), on="row", by=["spell", "pid"], strategy="nearest", check_sortedness=False)
        .join_asof(openings.select("row", "spell", before="run").sort("row"), on="row", by="spell", check_sortedness=False)
        .join_asof(
            openings.select("row", "spell", after="run").sort("row"), on="row", by="spell", strategy="forward", check_sortedness=False
        )
    )
    return found.select("row", pl.coalesce("by_stream", "by_pid", "before", "after").alias("run"))
